"""The slot for social security and health cards as a port: told once for each card put in.

Rule: a card that was in already when the slot was opened is nobody's who stands here now; it is
asked for anew. What a vendor's library does to its process ends there and comes here as a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from drivers import errors
from drivers.idcard import card as card_text
from drivers.pcsc.port import CardPutIn, CardTakenOut
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.socialcard.driver import (
    CardAbsent,
    NotThisCard,
    SocialCardRead,
    SocialCardReader,
)
from kiosk.devices.faults import fault_of
from kiosk.domain.identity import Credential, DocumentKind, Identity, IdNumber, NotAnIdNumber, Sex
from kiosk.flows.effects import Effect
from kiosk.flows.events import CardLaid, CardRead, CardTrouble
from kiosk.ports import Listen, Part, Told

SlotReader = SocialCardReader | Plugin


class CardSlotDevice:
    """Looked at all the time, because a card goes in when a person likes; read while wanted."""

    part: Part = "card_slot"
    pause_s = 0.3  # a person's hand is not faster, and pcscd looks every 400 ms itself

    def __init__(self, connect: Callable[[], SlotReader]) -> None:
        self._connect = connect
        self._reader: SlotReader | None = None
        self._unread = False  # a card is in that nobody was told of
        self._stale = False  # a card is in from before

    def open(self) -> Iterator[Told]:
        try:
            self._reader = self._connect()
            self._reader.probe()
            self._stale = isinstance(self._reader.look(), CardPutIn)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        self._unread = False
        yield from ()

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._reader is not None
        try:
            match self._reader.look():
                case CardPutIn():
                    self._unread, self._stale = True, False
                case CardTakenOut():
                    self._unread = self._stale = False
            if listen.cards and self._stale:
                self._stale = False
                yield CardTrouble("put_again")
            if listen.cards and self._unread:
                self._unread = False
                yield CardLaid()
                yield from self._read(self._reader)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault

    def _read(self, reader: SlotReader) -> Iterator[Told]:
        """One card, once; after trouble it is put in anew."""
        try:
            found = reader.read_card()
        except errors.CardRemoved:
            yield CardTrouble("card_removed")
            return
        except errors.CardMute:
            yield CardTrouble("card_reversed")
            return
        except errors.CardReset:
            yield CardTrouble("put_again")
            return
        except errors.DriverError as fault:
            yield CardTrouble("card_unreadable")
            if not isinstance(fault, errors.ProtocolError):
                raise
            return
        match found:
            case SocialCardRead(card):
                yield _told(Credential.SOCIAL_CARD, card.number, card.name, card.sex, card.birth)
            case PluginCardRead(card):
                kind = Credential(card.kind)
                yield _told(kind, card.number, card.name, card.sex, card.birth)
            case NotThisCard():
                yield CardTrouble("card_not_supported")
            case CardAbsent():
                yield CardTrouble("card_removed")

    def perform(self, effect: Effect) -> Iterable[Told]:
        raise AssertionError(f"a card slot carries out no {type(effect).__name__}")

    def absent(self, effect: Effect) -> Iterable[Told]:
        return ()

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


_SEXES = {card_text.Sex.MALE: Sex.MALE, card_text.Sex.FEMALE: Sex.FEMALE}


def _told(
    credential: Credential, number: str, name: str, sex: card_text.Sex, birth: date | None
) -> CardRead | CardTrouble:
    """The person by the main index; a card whose number is no ID number names nobody here."""
    try:
        found = IdNumber.parse(number)
    except NotAnIdNumber:
        return CardTrouble("card_not_supported")
    return CardRead(
        Identity(
            kind=kind_of(found),
            number=found.text,
            name=name,
            credential=credential,
            born=birth,
            sex=_SEXES.get(sex, Sex.UNKNOWN),
            # No valid_to: that of a social security card is not that of an ID card, of whose end
            # people are told.
        )
    )


def kind_of(number: IdNumber) -> DocumentKind:
    """Whose document bears such a number: GB 11643 regions 81 to 83, and 9 first from 2023."""
    if number.text[:2] in ("81", "82", "83"):
        return DocumentKind.HK_MACAU_TAIWAN
    return DocumentKind.FOREIGN_RESIDENT if number.text[0] == "9" else DocumentKind.RESIDENT
