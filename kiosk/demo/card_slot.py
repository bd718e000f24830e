"""The demo's card slot: a pcscd of its own with a virtual reader, where this machine allows it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from drivers.deadline import Clock
from drivers.hosts.pcsc_daemon import READER, PcscDaemon, why_not
from drivers.hosts.vpcd_host import VpcdHost
from drivers.idcard.card import Sex
from drivers.socialcard.codec import SocialCardText
from drivers.socialcard.emulator import SocialCardEmulator
from gateway.adapters.demo.people import Person
from kiosk.domain import identity

SEEN_S = 0.6  # a card that is out for less than a look of pcscd's was never out


def social_card_of(person: Person) -> SocialCardText:
    """The synthetic social security card of a person of the demo hospital."""
    return SocialCardText(
        number=person.number,
        name=person.name,
        sex=Sex.MALE if person.sex is identity.Sex.MALE else Sex.FEMALE,
        nation_code="01",
        birth=person.born,
        version="2.00",
        card_number="A00000001",
    )


class DemoSlot:
    """Hands put a card in and take it out. `why_not` says in a line why there is no slot here."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.why_not = why_not()
        self._daemon = PcscDaemon(folder.absolute(), clock)
        self._clock = clock
        self._card: VpcdHost | None = None
        self._pulled_s = float("-inf")

    @property
    def environment(self) -> dict[str, str]:
        """What core needs to find this slot and no other."""
        return {} if self.why_not else self._daemon.environment

    @property
    def profile_part(self) -> str:
        """The profile's lines about it; none where there is none."""
        if self.why_not:
            return ""
        return f'[devices.card_slot]\nkind = "social_card"\nreader = "{READER} 00 00"'

    def start(self) -> None:
        """Up before core looks for it."""
        if not self.why_not:
            self._daemon.start()

    def stop(self) -> None:
        """The card first: it hangs on the reader."""
        self.pull()
        self._daemon.stop()

    def put(self, person: Person) -> None:
        """This person's social security card goes in; another one comes out first."""
        self.pull()
        Event().wait(max(0.0, self._pulled_s + SEEN_S - self._clock()))
        card = SocialCardEmulator(social_card_of(person))
        host = VpcdHost(card, self._clock, self._daemon.dial())
        host.start()
        self._card = host

    def pull(self) -> None:
        """Take the card out; nothing happens when there is none."""
        if self._card is not None:
            self._card.stop()
            self._card, self._pulled_s = None, self._clock()
