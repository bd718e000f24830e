"""What a ZVT pad does for each command, step by step, from the device's side.

A script is a generator: it sends through the pad and yields what it waits for; it is resumed
with the host's answer, or with None when the wait is over.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from drivers.errors import ProtocolError
from drivers.pad import Charged, MaskedPan, PadTime
from drivers.pad_ledger import Entry, Fate, PadLedger
from drivers.zvt.codec import NOT_POSSIBLE, POSITIVE, Apdu, bcd, from_bcd
from drivers.zvt.fields import (
    AMOUNT,
    CURRENCY,
    MAX_STATUS_INFOS,
    RECEIPT_NO,
    StatusInfo,
    parse_all,
    status_info,
)

CANCELLED, ALREADY_REVERSED, NOT_REVERSIBLE = 0x6C, 0xB4, 0xB5
WRONG_CURRENCY, SYSTEM_ERROR, NOT_ISSUED_ABORT = 0x6F, 0xFF, 0x05
SHOW_INSERT, SHOW_PIN, SHOW_ASKING_BANK, SHOW_REMOVE = 0x0A, 0x01, 0x04, 0x0B


def _no() -> bool:
    return False


@dataclass(frozen=True)
class Wait:
    """Until `until_s`, or `met`, or (where one is expected) the host's answer."""

    until_s: float
    for_reply: bool = False
    met: Callable[[], bool] = _no


Script = Generator[Wait, Apdu | None, None]


@dataclass(frozen=True)
class Card:
    """What a person holds to the pad."""

    name: str
    last4: str


@dataclass(frozen=True)
class BankAnswer:
    """0: yes. Else the result code of the refusal."""

    code: int


@dataclass
class Slot:
    """Hands at the pad, and the bank behind it."""

    card: Card | None = None
    bank: BankAnswer = field(default_factory=lambda: BankAnswer(0))
    cancel_pressed: bool = False
    abort_asked: bool = False
    wanted: bool = False


class Abandoned(Enum):
    """What the pad does with a held payment whose host never answers. No source says: a knob."""

    REVERSES = "reverses"
    KEEPS = "keeps"


class AbortStyle(Enum):
    """How the pad takes 06 B0 while it waits for a card; all three are reported of real ones."""

    CLOSES = "closes"
    """80 00 00, then 06 1E 01 6C."""
    QUIET = "quiet"
    """80 00 00 and no more."""
    REFUSES = "refuses"
    """84 83 00: the person must use the red key (Global Payments)."""


@dataclass
class PadKnobs:
    """A bad day, to be turned at any moment."""

    silent_before_charge: bool = False
    """The next payment command is swallowed, then silence."""
    silent_after_charge: bool = False
    """The next approved payment is taken for good, then silence: nothing was told."""
    silent_s: float = 20.0
    busy: bool = False
    answers_twice: bool = False
    slow_s: float = 0.0
    pin_s: float = 0.0
    bank_s: float = 0.0
    card_timeout_s: float = 60.0
    reply_s: float = 5.0
    """T3: how long the pad waits for each of the host's answers."""
    asks_again_s: float = 2.0
    abandoned_s: float = 30.0
    when_abandoned: Abandoned = Abandoned.REVERSES
    abort_style: AbortStyle = AbortStyle.CLOSES
    forgets_last: bool = False
    """06 20 shows nothing (PAX A80, Portalum.Zvt #26)."""
    reverses_last_only: bool = False
    """06 30 of an older receipt is refused (Portalum.Zvt #24)."""

    def abandon(self, ledger: PadLedger, trace: int, why: str) -> None:
        """Settle a held payment without the host."""
        if self.when_abandoned is Abandoned.KEEPS:
            ledger.complete(trace)
        else:
            ledger.reverse(trace, why)


class Pad(Protocol):
    """What a script may use of the pad."""

    ledger: PadLedger
    knobs: PadKnobs
    slot: Slot
    now_s: float
    registered: bool
    wall: Callable[[], datetime]

    @property
    def model(self) -> Model: ...

    def send(self, apdu: Apdu) -> None: ...

    def be_silent(self) -> None: ...

    def identity_fields(self) -> bytes: ...


class Model(Protocol):
    """What a script may know of the model."""

    @property
    def password(self) -> int: ...
    @property
    def currency(self) -> int: ...
    @property
    def terminal_id(self) -> str: ...
    @property
    def version(self) -> str: ...


def register(pad: Pad, data: bytes) -> Script:
    """06 00: password, config byte, currency."""
    if not _password_fits(pad, data):
        return
    if len(data) >= 6 and _number(data[4:6]) != pad.model.currency:
        pad.send(Apdu(0x8400 | WRONG_CURRENCY))
        return
    pad.send(POSITIVE)
    pad.registered = True
    yield from _end(pad, pad.identity_fields())


def enquire_status(pad: Pad, data: bytes) -> Script:
    """05 01: version and one status byte."""
    if not _password_fits(pad, data):
        return
    version = pad.model.version.encode("ascii")
    length = bytes(0xF0 | int(digit) for digit in f"{len(version):03d}")
    state = 0x9C if pad.knobs.busy else 0xDC if pad.slot.card else 0x00
    pad.send(POSITIVE)
    yield from _end(pad, length + version + bytes([state]))


def serve(pad: Pad, _data: bytes) -> Script:
    """06 70, 06 93, 06 18: nothing that a host could see."""
    pad.send(POSITIVE)
    yield from _end(pad)


def authorise(pad: Pad, data: bytes) -> Script:
    """06 01: card, PIN, bank, and the question whether the goods were issued."""
    asked = _fields_of(data)
    amount_fen = _number(asked.get(AMOUNT))
    if amount_fen == 0:
        pad.send(NOT_POSSIBLE)
        return
    if CURRENCY in asked and _number(asked[CURRENCY]) != pad.model.currency:
        pad.send(Apdu(0x8400 | WRONG_CURRENCY))
        return
    pad.send(POSITIVE)
    card = yield from _card(pad)
    if card is None or not (yield from _ask_bank(pad)):
        return
    entry = pad.ledger.charge(amount_fen, card.last4, card.name, _now(pad))
    if pad.knobs.silent_after_charge:
        pad.knobs.silent_after_charge = False
        pad.ledger.complete(entry.trace)
        pad.be_silent()
        return
    questions = asked[MAX_STATUS_INFOS][0] if MAX_STATUS_INFOS in asked else 3
    yield from _hold(pad, entry, questions)


def reverse(pad: Pad, data: bytes) -> Script:
    """06 30: password and receipt number."""
    if not _password_fits(pad, data):
        return
    entry = pad.ledger.by_receipt(_number(_fields_of(data[3:]).get(RECEIPT_NO)))
    pad.send(POSITIVE)
    if (
        entry is None
        or entry.fate is Fate.REFUND
        or (pad.knobs.reverses_last_only and entry != pad.ledger.newest)
    ):
        yield from _abort(pad, NOT_REVERSIBLE)
        return
    if entry.fate is Fate.REVERSED:
        yield from _abort(pad, ALREADY_REVERSED)
        return
    pad.ledger.reverse(entry.trace, "reversed by the host")
    newest = pad.ledger.by_receipt(entry.receipt_no)
    assert newest is not None
    yield from _tell(pad, _info(pad, newest))
    yield from _end(pad)


def refund(pad: Pad, data: bytes) -> Script:
    """06 31: password and amount; the card presented gets it."""
    if not _password_fits(pad, data):
        return
    amount_fen = _number(_fields_of(data[3:]).get(AMOUNT))
    if amount_fen == 0:
        pad.send(NOT_POSSIBLE)
        return
    pad.send(POSITIVE)
    card = yield from _card(pad)
    if card is None or not (yield from _ask_bank(pad)):
        return
    entry = pad.ledger.refund(amount_fen, card.last4, card.name, _now(pad))
    yield from _tell(pad, _info(pad, entry))
    yield from _end(pad)


def repeat_receipt(pad: Pad, data: bytes) -> Script:
    """06 20: the last charge, or its reversal, once more."""
    if not _password_fits(pad, data):
        return
    pad.send(POSITIVE)
    entry = pad.ledger.newest
    if entry is not None and not pad.knobs.forgets_last:
        yield from _tell(pad, _info(pad, entry))
    yield from _end(pad)


def end_day(pad: Pad, data: bytes) -> Script:
    """06 50: totals, and a new day."""
    if not _password_fits(pad, data):
        return
    pad.send(POSITIVE)
    total_fen, _count = pad.ledger.close_day()
    yield from _tell(pad, status_info(StatusInfo(0, total_fen, Charged(total_fen), None)))
    yield from _end(pad)


COMMANDS: dict[int, Callable[[Pad, bytes], Script]] = {
    0x0501: enquire_status,
    0x0600: register,
    0x0601: authorise,
    0x0618: serve,
    0x0620: repeat_receipt,
    0x0630: reverse,
    0x0631: refund,
    0x0650: end_day,
    0x0670: serve,
    0x0693: serve,
}


def _card(pad: Pad) -> Generator[Wait, Apdu | None, Card | None]:
    """A card, or None after the payment was ended for want of one."""
    yield from _show(pad, SHOW_INSERT)
    slot = pad.slot
    slot.wanted = True
    give_up_s = pad.now_s + pad.knobs.card_timeout_s
    yield Wait(give_up_s, met=lambda: slot.card is not None or _stopped(slot))
    slot.wanted = False
    if _stopped(slot) or slot.card is None:
        yield from _give_up(pad)
        return None
    yield from _show(pad, SHOW_PIN)
    yield Wait(pad.now_s + pad.knobs.pin_s, met=lambda: slot.cancel_pressed)
    if slot.cancel_pressed:
        yield from _abort(pad, CANCELLED)
        return None
    card, slot.card = slot.card, None
    return card


def _stopped(slot: Slot) -> bool:
    return slot.cancel_pressed or slot.abort_asked


def _give_up(pad: Pad) -> Script:
    if pad.slot.abort_asked and pad.knobs.abort_style is AbortStyle.QUIET:
        return
    yield from _abort(pad, CANCELLED)


def _ask_bank(pad: Pad) -> Generator[Wait, Apdu | None, bool]:
    """Whether the bank said yes; a no has been told and the payment ended."""
    yield from _show(pad, SHOW_ASKING_BANK)
    yield Wait(pad.now_s + pad.knobs.bank_s)
    code = pad.slot.bank.code
    if code == 0:
        return True
    refused = StatusInfo(code, None, Charged(0, terminal_id=pad.model.terminal_id), None)
    yield from _tell(pad, status_info(refused))
    yield from _abort(pad, code)
    return False


def _hold(pad: Pad, entry: Entry, questions: int) -> Script:
    """Ask whether the goods were issued until the host decides, goes away or asks too long."""
    heard_at_s = pad.now_s
    for _ in range(questions):
        asked_at_s = pad.now_s
        pad.send(Apdu(0x040F, _info(pad, entry)))
        reply = yield Wait(asked_at_s + pad.knobs.reply_s, for_reply=True)
        while reply is None and pad.now_s < heard_at_s + pad.knobs.abandoned_s:
            pad.send(Apdu(0x040F, _info(pad, entry)))
            reply = yield Wait(pad.now_s + pad.knobs.reply_s, for_reply=True)
        if reply is None:
            pad.knobs.abandon(pad.ledger, entry.trace, "the host went away")
            return
        heard_at_s = pad.now_s
        match reply.control:
            case 0x8000 | 0x8400:
                pad.ledger.complete(entry.trace)
                yield from _show(pad, SHOW_REMOVE)
                yield from _end(pad)
                return
            case 0x849C:
                yield Wait(asked_at_s + pad.knobs.asks_again_s)
            case _:
                pad.ledger.reverse(entry.trace, "not issued")
                yield from _abort(pad, NOT_ISSUED_ABORT)
                return
    pad.ledger.reverse(entry.trace, "asked too often")
    yield from _abort(pad, NOT_ISSUED_ABORT)


def _show(pad: Pad, code: int) -> Script:
    pad.send(Apdu(0x04FF, bytes([code])))
    yield Wait(pad.now_s + pad.knobs.reply_s, for_reply=True)


def _tell(pad: Pad, info: bytes) -> Script:
    pad.send(Apdu(0x040F, info))
    yield Wait(pad.now_s + pad.knobs.reply_s, for_reply=True)


def _end(pad: Pad, data: bytes = b"") -> Script:
    pad.send(Apdu(0x060F, data))
    yield Wait(pad.now_s + pad.knobs.reply_s, for_reply=True)


def _abort(pad: Pad, code: int) -> Script:
    pad.send(Apdu(0x061E, bytes([code])))
    yield Wait(pad.now_s + pad.knobs.reply_s, for_reply=True)


def _info(pad: Pad, entry: Entry) -> bytes:
    """A ledger entry as 04 0F; what was reversed is told under its reversal's trace."""
    at = datetime.fromisoformat(entry.at)
    was_reversed = entry.reversal_trace is not None
    charged = Charged(
        amount_fen=entry.amount_fen,
        trace=entry.reversal_trace if was_reversed else entry.trace,
        receipt_no=entry.receipt_no,
        terminal_id=pad.model.terminal_id,
        pan=MaskedPan(entry.last4),
        card_name=entry.card_name,
        at=PadTime(at.month, at.day, at.hour, at.minute, at.second),
    )
    original = entry.trace if was_reversed else None
    return status_info(StatusInfo(0, entry.amount_fen, charged, original))


def _now(pad: Pad) -> str:
    return pad.wall().isoformat(timespec="seconds")


def _fields_of(data: bytes) -> dict[int, bytes]:
    try:
        return {one.number: one.value for one in parse_all(data)}
    except ProtocolError:
        return {}


def _number(digits: bytes | None) -> int:
    """What the digits say; 0, which no command allows, where they are none."""
    try:
        return from_bcd(digits or b"\x00")
    except ProtocolError:
        return 0


def _password_fits(pad: Pad, data: bytes) -> bool:
    if data[:3] == bcd(pad.model.password, 3):
        return True
    pad.send(NOT_POSSIBLE)
    return False
