"""What every reader of ID cards can do, whatever cable or interface it hangs on."""

from __future__ import annotations

from typing import Protocol

from drivers.idcard.driver import CardAbsent, CardPresent, CardRead, PutAgain
from drivers.identity import DeviceIdentity


class IdReader(Protocol):
    """Both drivers (SDT over serial, PC/SC) have it; the rest is in their CAPABILITIES."""

    def find(self) -> CardPresent | CardAbsent:
        """Whether a card lies there that has not been read since it was put there."""

    def read_card(self) -> CardRead | CardAbsent | PutAgain:
        """The card's text; once for each time it is put down."""

    def probe(self) -> DeviceIdentity:
        """Who answers here; changes nothing."""

    def close(self) -> None:
        """Close the port; may be called twice."""
