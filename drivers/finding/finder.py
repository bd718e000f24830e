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
from drivers.finding.names import stable_name
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


@dataclass(frozen=True)
class Answering:
    """Who answered where. `name` lasts over renumbering; `number` is the device's own, if any."""

    path: str
    name: str = ""
    number: str = ""

    def is_same(self, other: Answering) -> bool | None:
        """Whether both are one device; None: nothing tells them apart."""
        if self.number and other.number:
            return self.number == other.number
        if self.name and other.name:
            return self.name == other.name
        return None


class PortFinder:
    """Shared by all workers of a terminal; one port is asked at a time."""

    def __init__(
        self,
        candidates: Callable[[], tuple[str, ...]],
        looks: Sequence[Look],
        clock: Clock,
        name_of: Callable[[str], str] = stable_name,
    ) -> None:
        self._candidates, self._looks, self._clock = candidates, tuple(looks), clock
        self._name_of = name_of
        self._lock = threading.Lock()
        self._claims: dict[str, Answering] = {}
        self._known: dict[str, Answering] = {}
        self._alike: dict[str, tuple[Answering, ...]] = {}

    def where(self, name: str) -> str:
        """The port that last answered for this device; empty: none yet, or none any more."""
        claim = self._claims.get(name)
        return claim.path if claim is not None else ""

    def alike(self, name: str) -> tuple[Answering, ...]:
        """Others that answered as this device beside the one that has the place."""
        return self._alike.get(name, ())

    def are_told_apart(self, name: str) -> bool:
        """Whether the others can be kept from taking this device's place after a replug."""
        known = self._known.get(name)
        return known is None or all(one.is_same(known) is False for one in self.alike(name))

    def port_of(self, name: str) -> str:
        """Ask until one answers as this device. DeviceAbsent: none does.

        Only the device's own worker may call this, and only without an open connection.
        """
        assert any(look.name == name for look in self._looks), f"no look for {name}"
        with self._lock:
            self._claims.pop(name, None)
        first_time = name not in self._known
        found = self._search(name, self._in_order(name))
        if found is None:
            raise DeviceAbsent(f"no port answers as {name}{self._but(name)}")
        if first_time:
            self._look_for_others(name)
        return found.path

    def _search(self, name: str, paths: Sequence[str]) -> Answering | None:
        for path in paths:
            with self._lock:
                if all(path != claim.path for claim in self._claims.values()):
                    self._ask(path)
                # If not we, then perhaps another worker's search has met our device meanwhile.
                if found := self._claims.get(name):
                    return found
        return None

    def _look_for_others(self, name: str) -> None:
        """Once, on ports with a lasting name: whether another device answers just so."""
        for path in self._candidates():
            with self._lock:
                taken = any(path == claim.path for claim in self._claims.values())
                if not taken and self._name_of(path):
                    self._ask(path, also=name)

    def _but(self, name: str) -> str:
        others = ", ".join(one.name or one.path for one in self.alike(name))
        return f"; {others} does, and is another device" if others else ""

    def _in_order(self, name: str) -> list[str]:
        """Where it was, then the rest: usually the cable was put back where it had been."""
        known = self._known.get(name, Answering(""))

        def strangeness(path: str) -> tuple[bool, bool]:
            return not known.name or self._name_of(path) != known.name, path != known.path

        return sorted(self._candidates(), key=strangeness)

    def _ask(self, path: str, also: str = "") -> None:
        """Note who answers on `path`, be it one like `also`. Nobody: it stays free."""
        for look in self._looks:
            if look.name in self._claims and look.name != also:
                continue
            answering = self._answers(path, look)
            if answering is None:
                continue
            if look.name in self._claims:
                self._alike[look.name] = (*self.alike(look.name), answering)
            elif not any(one.is_same(answering) for one in self.alike(look.name)):
                self._claims[look.name] = self._known[look.name] = answering
            return

    def _answers(self, path: str, look: Look) -> Answering | None:
        try:
            stream = open_port(path, look.baud, self._clock, stopbits=look.stopbits)
        except DriverError:
            return None
        try:
            identity = look.ask(stream)
        except DriverError:
            return None
        finally:
            stream.close()
        return Answering(path, self._name_of(path), identity.identity)
