"""A device's port by who answers there, so that no cable has a wrong socket.

Rule: a candidate is asked only what moves neither paper nor money, in the order of `looks`: those
whose question is harmless to everybody first. A port that has answered for one device is never
asked for another until that device's own worker comes back to ask, having lost it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import glob
from typing import Literal

from drivers.deadline import Clock
from drivers.errors import DeviceAbsent, DriverError
from drivers.identity import DeviceIdentity
from drivers.transport import ByteStream
from drivers.transports.any_port import open_port


@dataclass(frozen=True)
class Look:
    """The harmless question of one configured device: `ask` raises a DriverError at any other."""

    name: str
    ask: Callable[[ByteStream], DeviceIdentity]
    baud: int = 115200
    stopbits: Literal[1, 2] = 1


def ports_like(patterns: Sequence[str]) -> tuple[str, ...]:
    """The ports that are there now, each once, in a steady order."""
    return tuple(dict.fromkeys(path for pattern in patterns for path in sorted(glob(pattern))))


class PortFinder:
    """Shared by all workers of a terminal; one port is asked at a time."""

    def __init__(
        self, candidates: Callable[[], tuple[str, ...]], looks: Sequence[Look], clock: Clock
    ) -> None:
        self._candidates, self._looks, self._clock = candidates, tuple(looks), clock
        self._lock = threading.Lock()
        self._claims: dict[str, str] = {}

    def where(self, name: str) -> str:
        """The port that last answered for this device; empty: none yet, or none any more."""
        return self._claims.get(name, "")

    def port_of(self, name: str) -> str:
        """Ask until one answers as this device. DeviceAbsent: none does.

        Only the device's own worker may call this, and only without an open connection.
        """
        assert any(look.name == name for look in self._looks), f"no look for {name}"
        with self._lock:
            last = self._claims.pop(name, "")
        for path in self._in_order(last):
            with self._lock:
                if path not in self._claims.values():
                    self._ask(path)
                # If not we, then perhaps another worker's search has met our device meanwhile.
                if found := self._claims.get(name):
                    return found
        raise DeviceAbsent(f"no port answers as {name}")

    def _in_order(self, last: str) -> list[str]:
        """Where it was, then the rest: usually the cable was put back where it had been."""
        there = self._candidates()
        return sorted(there, key=lambda path: path != last)

    def _ask(self, path: str) -> None:
        """Note who answers on `path`. Nobody: it stays free."""
        for look in self._looks:
            if look.name not in self._claims and self._answers(path, look):
                self._claims[look.name] = path
                return

    def _answers(self, path: str, look: Look) -> bool:
        try:
            stream = open_port(path, look.baud, self._clock, stopbits=look.stopbits)
        except DriverError:
            return False
        try:
            look.ask(stream)
        except DriverError:
            return False
        finally:
            stream.close()
        return True
