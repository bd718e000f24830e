"""The host's side of an ID card reader on PC/SC: the reader itself answers FF B0 with the text.

The text is that of drivers/idcard (one table of layouts for both). Unlike an SDT reader it would
tell the same card again and again; here too each card is told once for each time it is put down,
so that nobody's card left lying identifies the next person. After any exception but CardRemoved
close the port and open it anew.
"""

from __future__ import annotations

from drivers.deadline import Clock, Deadline
from drivers.errors import CardMute, CardRemoved, CardReset
from drivers.idcard.card import parse
from drivers.idcard.driver import CardAbsent, CardPresent, CardRead, PutAgain, PutAgainReason
from drivers.idcard_pcsc.codec import READ_TEXT, text_of
from drivers.identity import DeviceIdentity
from drivers.pcsc.apdu import DONE
from drivers.pcsc.dialogue import ask
from drivers.pcsc.port import CardPort, CardPutIn, CardTakenOut

KIND = "idcard_pcsc"
CAPABILITIES = frozenset({"text"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

FIND_S = 0.2
READ_CARD_S = 4.0


class PcscIdCardReader:
    """A slot that reads ID cards; `clock` is the one that the port's waits follow."""

    def __init__(self, port: CardPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._lies = self._read_since_put = False

    def find(self, timeout_s: float = FIND_S) -> CardPresent | CardAbsent:
        """Whether a card lies there that has not been read; waits so long for one."""
        deadline = Deadline.after(self._clock, timeout_s)
        match self._port.look(deadline):
            case CardPutIn():
                self._lies, self._read_since_put = True, False
            case CardTakenOut():
                self._lies = self._read_since_put = False
        if self._lies and not self._read_since_put:
            return CardPresent()
        return CardAbsent(maybe_still_lying=self._lies)

    def read_card(self, timeout_s: float = READ_CARD_S) -> CardRead | CardAbsent | PutAgain:
        """The text of the card that lies there, once.

        CardAbsent: nobody there (or the card read before). PutAgain: it was seen and could not be
        read, or was lifted meanwhile. ProtocolError: what came is no card's text.
        """
        deadline = Deadline.after(self._clock, timeout_s)
        if isinstance(absent := self.find(0.0), CardAbsent):
            return absent
        try:
            self._port.connect(deadline)
            answer = ask(self._port, READ_TEXT, deadline)
        except (CardRemoved, CardReset):
            return PutAgain(PutAgainReason.LIFTED)
        except CardMute:
            return PutAgain(PutAgainReason.NOT_SELECTED)
        self._port.disconnect()
        if answer.status != DONE:
            return PutAgain(PutAgainReason.UNREADABLE)
        card = parse(text_of(answer.data))
        self._read_since_put = True
        return CardRead(card)

    def probe(self, timeout_s: float = FIND_S) -> DeviceIdentity:
        """Which reader this is; says nothing of a card. DeviceLost: it is gone."""
        self.find(timeout_s)
        return DeviceIdentity(KIND, "PC/SC", self._port.name)

    def close(self) -> None:
        """Give the slot back; may be called twice."""
        self._port.close()
