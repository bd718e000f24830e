"""What the records are asked on the engine's thread: answered at once, from the store alone."""

from __future__ import annotations

from kiosk.flows.effects import (
    AskLent,
    AskQuote,
    AskTrail,
    CheckPin,
    FindOffline,
    GiveNumber,
    HeldQuote,
    Lent,
)
from kiosk.flows.events import Event, FoundOffline, Replied
from kiosk.ports import Records

Question = FindOffline | CheckPin | AskTrail | AskLent | GiveNumber | AskQuote


def answer(records: Records, question: Question, session: str) -> Event:
    """The event that tells the flow what the store has."""
    match question:
        case FindOffline(tag, number):
            return FoundOffline(tag, records.find_offline(number), records.held_quote(number))
        case CheckPin(pin):
            return records.check_pin(pin)
        case AskTrail(tag, person):
            return Replied(tag, records.trail(person))
        case AskLent(tag):
            return Replied(tag, Lent(records.lent()))
        case GiveNumber(tag):
            return Replied(tag, records.give_number(question, session))
        case AskQuote(tag, number):
            return Replied(tag, HeldQuote(records.held_quote(number)))
