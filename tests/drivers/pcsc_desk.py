"""Cards in the slots of the running pcscd, for as long as a test lasts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass

from drivers.deadline import Deadline
from drivers.hosts.pcsc_daemon import READER, PcscDaemon
from drivers.hosts.vpcd_host import VpcdHost
from drivers.pcsc.port import CardEmulator, CardPutIn, CardTakenOut
from drivers.pcsc.service import PcscPort, PcscPorts

CLOCK = time.monotonic
NAMES = (f"{READER} 00 00", f"{READER} 00 01")
SEEN_S = 2.0  # pcscd looks at a slot every 400 ms


def within(seconds: float) -> Deadline:
    return Deadline.after(CLOCK, seconds)


@dataclass
class Desk:
    """A card that a test leaves in is taken out after it, and is out when that ends."""

    pcscd: PcscDaemon
    ports: PcscPorts
    stack: ExitStack

    def put(self, card: CardEmulator, slot: int = 0) -> VpcdHost:
        host = VpcdHost(card, CLOCK, self.pcscd.dial(slot))
        self.stack.callback(self._until_empty, slot)
        self.stack.callback(host.stop)
        host.start()
        return host

    def open(self, slot: int = 0) -> PcscPort:
        port = self.ports.open(NAMES[slot])
        self.stack.callback(port.close)
        return port

    def _until_empty(self, slot: int) -> None:
        """pcscd has seen that the slot is empty: the next card will be seen too."""
        port = self.ports.open(NAMES[slot])
        if isinstance(port.look(within(0.1)), CardPutIn):
            assert port.look(within(SEEN_S)) == CardTakenOut()
        port.close()
