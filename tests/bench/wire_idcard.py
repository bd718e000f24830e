"""From the card laid down to its values, beside the time that the wire and the reader need.

The emulator behind the pty is paced at line speed and thinks as long as a quick reader does.
"""

from __future__ import annotations

import time
from statistics import median

from drivers.hosts.pty_host import PtyHost
from drivers.idcard.driver import CardRead, IdCardReader
from drivers.idcard.emulator import Delays, IdCardReaderEmulator
from drivers.transports.serial_port import open_serial
from tests.drivers.idcard.people import RESIDENT

BAUD = 115200
BITS_A_BYTE = 10
DELAYS = Delays(find_s=0.1, select_s=0.1, read_s=0.3)
ROUNDS = 7


class Counted:
    """The reader, and how many bytes went over its line in both directions."""

    def __init__(self, inner: IdCardReaderEmulator) -> None:
        self.inner = inner
        self.bytes = 0

    def receive(self, data: bytes) -> bytes:
        answer = self.inner.receive(data)
        self.bytes += len(data) + len(answer)
        return answer

    def tick(self, now_s: float) -> bytes:
        answer = self.inner.tick(now_s)
        self.bytes += len(answer)
        return answer


def measure() -> dict[str, float]:
    """The ID card's part of the wire's results."""
    reader = Counted(IdCardReaderEmulator(delays=DELAYS))
    thinking_s = DELAYS.find_s + DELAYS.select_s + DELAYS.read_s
    ratios, taken = [], []
    with PtyHost(reader, time.monotonic, BAUD) as host:
        assert isinstance(host, PtyHost)
        driver = IdCardReader(open_serial(host.path, BAUD, time.monotonic), time.monotonic)
        for _ in range(ROUNDS):
            host.with_emulator(lambda counted: counted.inner.lift())
            host.with_emulator(lambda counted: counted.inner.lay(RESIDENT))
            reader.bytes = 0
            began_s = time.monotonic()
            assert driver.read_card() == CardRead(RESIDENT)
            taken.append(time.monotonic() - began_s)
            ratios.append(taken[-1] / (reader.bytes * BITS_A_BYTE / BAUD + thinking_s))
        driver.close()
    return {
        "idcard_ratio": round(median(ratios), 3),
        "idcard_ms": round(median(taken) * 1000, 1),
        "idcard_bytes": reader.bytes,
    }
