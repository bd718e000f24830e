"""The host's side of a social security card: what it says freely, and not one command more.

Rule: no PIN is ever sent and no authentication tried (a wrong one locks the card); apdu.Command
cannot even build those commands. What needs them is a vendor library's work (drivers/plugin). No
thread, no retry, no sleep: who looks again and reconnects is the caller. A card that was read does
not prove that its holder is insured: that is asked of the insurer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.deadline import Clock, Deadline
from drivers.errors import CardRemoved
from drivers.identity import DeviceIdentity
from drivers.pcsc.apdu import (
    DONE,
    LE_ANY,
    read_record,
    select,
)
from drivers.pcsc.dialogue import ask
from drivers.pcsc.port import CardPort, SlotEvent, SlotUnchanged
from drivers.socialcard.codec import (
    APPLICATION,
    CARD_FILE,
    FILES,
    NEEDED,
    PERSON_FILE,
    SocialCardText,
    parse_card,
    parse_record,
    split_record,
)

KIND = "socialcard"
CAPABILITIES = frozenset({"text", "slot_events"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

LOOK_S = 0.2
"""How long look() waits for a card by default: a person's hand is not faster."""
READ_CARD_S = 4.0
"""Fourteen records at 9600 baud on the card's own contacts are about 1 s."""

BY_APPLICATION = 0x04
SELECT_FILE_P1 = (0x00, 0x02)  # both in the field: try in this order
BY_TAG, BY_NUMBER = 0x00, 0x04
RECORDS_MAX = 16


@dataclass(frozen=True)
class CardAbsent:
    """The slot is empty."""


class NotThisCardReason(Enum):
    """Why a card in the slot is none that this driver can read."""

    NO_APPLICATION = "no_application"  # a bank card, a transport card
    NEEDS_VENDOR = "needs_vendor"  # its free fields are not free: a vendor library's work


@dataclass(frozen=True)
class NotThisCard:
    """A well card of another kind; nothing of it is known."""

    reason: NotThisCardReason


@dataclass(frozen=True, repr=False)
class SocialCardRead:
    """A card's free fields."""

    card: SocialCardText

    def __repr__(self) -> str:
        return f"SocialCardRead({self.card!r})"


class SocialCardReader:
    """A slot for social security cards; `clock` is the one that the port's waits follow."""

    def __init__(self, port: CardPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._unsaid: SlotEvent = SlotUnchanged()  # what probe() saw is still to be told

    def look(self, timeout_s: float = LOOK_S) -> SlotEvent:
        """A card put in or taken out since the last look; waits so long for it."""
        unsaid, self._unsaid = self._unsaid, SlotUnchanged()
        if not isinstance(unsaid, SlotUnchanged):
            return unsaid
        return self._port.look(Deadline.after(self._clock, timeout_s))

    def read_card(
        self, timeout_s: float = READ_CARD_S
    ) -> SocialCardRead | NotThisCard | CardAbsent:
        """All free fields of the card in the slot; the card may be read again and again.

        CardRemoved: pulled in the middle of it. CardMute: no chip answers. ProtocolError: the
        card's bytes make no sense.
        """
        deadline = Deadline.after(self._clock, timeout_s)
        try:
            self._port.connect(deadline)
        except CardRemoved:
            return CardAbsent()
        try:
            return self._read(deadline)
        finally:
            self._port.disconnect()  # nothing of this person's stays selected

    def probe(self, timeout_s: float = 2.0) -> DeviceIdentity:
        """Which reader this is; says nothing of a card. DeviceLost: it is gone."""
        if isinstance(self._unsaid, SlotUnchanged):
            self._unsaid = self._port.look(Deadline.after(self._clock, min(timeout_s, LOOK_S)))
        return DeviceIdentity(KIND, "PC/SC", self._port.name)

    def close(self) -> None:
        """Give the slot back; may be called twice."""
        self._port.close()

    # -- one reading

    def _read(self, deadline: Deadline) -> SocialCardRead | NotThisCard:
        if ask(self._port, select(BY_APPLICATION, APPLICATION), deadline).status != DONE:
            return NotThisCard(NotThisCardReason.NO_APPLICATION)
        values: dict[str, bytes] = {}
        for file in (CARD_FILE, PERSON_FILE):
            if not self._select(file, deadline):
                return NotThisCard(NotThisCardReason.NO_APPLICATION)
            values |= self._values(file, deadline)
        if any(name not in values for name in NEEDED):
            return NotThisCard(NotThisCardReason.NEEDS_VENDOR)
        return SocialCardRead(parse_card(values))

    def _select(self, file: bytes, deadline: Deadline) -> bool:
        return any(
            ask(self._port, select(p1, file), deadline).status == DONE for p1 in SELECT_FILE_P1
        )

    def _values(self, file: bytes, deadline: Deadline) -> dict[str, bytes]:
        """What the file gives by tags; a card that knows none of them is asked by numbers."""
        values: dict[str, bytes] = {}
        for field in FILES[file]:
            answer = ask(self._port, read_record(field.tag, BY_TAG, field.le), deadline)
            if answer.status == DONE:
                values[field.name] = parse_record(field, answer.data)
        return values or self._values_by_number(file, deadline)

    def _values_by_number(self, file: bytes, deadline: Deadline) -> dict[str, bytes]:
        """Records are taken by the tags they bear: not every region keeps their order."""
        fields = {field.tag: field for field in FILES[file]}
        values: dict[str, bytes] = {}
        for number in range(1, RECORDS_MAX + 1):
            answer = ask(self._port, read_record(number, BY_NUMBER, LE_ANY), deadline)
            if answer.status != DONE:
                break
            tag, value = split_record(answer.data)
            if tag in fields:
                values[fields[tag].name] = value
        return values
