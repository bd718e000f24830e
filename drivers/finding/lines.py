"""The way to each device: the port that the profile names, or the one where it answers.

Rule: every connection passes the device's tap, so that its last word is known and its cable can be
recorded; and nobody but a Lines opens a port for a device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from drivers.deadline import Clock, Deadline
from drivers.finding.finder import Answering, Look, PortFinder, ports_like
from drivers.finding.names import stable_name
from drivers.recording import Tap
from drivers.transport import ByteStream
from drivers.transports.any_port import open_port
from drivers.transports.tcp_port import open_tcp

AUTO = "auto"
"""Instead of a port's name: wherever the device answers."""


class OpenPort(Protocol):
    """drivers.transports.any_port.open_port, or one that does more."""

    def __call__(
        self, name: str, baud: int, clock: Clock, *, stopbits: Literal[1, 2] = 1
    ) -> ByteStream: ...


class Lines:
    """`looks` are the harmless questions of those devices whose port is AUTO."""

    def __init__(
        self, clock: Clock, tap: Callable[[str], Tap], looks: Sequence[Look], ports: Sequence[str]
    ) -> None:
        self._clock, self._tap = clock, tap
        self._finder = PortFinder(lambda: ports_like(ports), looks, clock)
        self._named: dict[str, str] = {}
        self._taps: dict[str, Tap] = {}

    def of(self, device: str) -> OpenPort:
        """Opens this device's port. DeviceAbsent: no such port, or none where it answers."""
        tap = self._taps[device] = self._tap(device)

        def open_line(
            name: str, baud: int, clock: Clock, *, stopbits: Literal[1, 2] = 1
        ) -> ByteStream:
            found = self._finder.port_of(device) if name == AUTO else name
            self._named[device] = found
            return tap.on(open_port(found, baud, clock, stopbits=stopbits))

        return open_line

    def connect(self, device: str, host: str, port: int) -> Callable[[Deadline], ByteStream]:
        """For drivers that open a connection an exchange (IPP)."""
        self._named[device] = f"{host}:{port}"
        tap = self._taps[device] = self._tap(device)

        def connect(deadline: Deadline) -> ByteStream:
            timeout_s = max(0.001, deadline.remaining_s())
            return tap.on(open_tcp(host, port, self._clock, timeout_s))

        return connect

    def tap(self, device: str) -> Tap:
        """For a device whose way is no line of ours: pcscd, a process, a camera."""
        return self._taps.setdefault(device, self._tap(device))

    def where(self, device: str) -> str:
        """The port last used for this device; empty: none was found yet."""
        return self._named.get(device, "")

    def name(self, device: str) -> str:
        """The lasting name of that port (/dev/serial/by-id/…); empty: it has none."""
        return stable_name(self.where(device)) if self.where(device) else ""

    def alike(self, device: str) -> tuple[Answering, ...]:
        """Other ports that answered as this device; only one whose port is AUTO is looked for."""
        return self._finder.alike(device)

    def are_told_apart(self, device: str) -> bool:
        """See PortFinder."""
        return self._finder.are_told_apart(device)

    def heard_s(self, device: str) -> float | None:
        """When the device last said anything, on the clock; None: never yet, or no line of ours."""
        tap = self._taps.get(device)
        return tap.heard_s if tap is not None else None
