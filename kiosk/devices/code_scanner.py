"""The code scanner as a port: lit only while a page asks for codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from drivers import errors
from drivers.deadline import Deadline
from drivers.scanner import codec as codes
from drivers.scanner.hints import Hint
from drivers.scanner.source import CodeSource
from kiosk.devices.faults import fault_of
from kiosk.flows.effects import (
    Effect,
)
from kiosk.flows.events import (
    CodeHint,
    CodeRejected,
    CodeScanned,
)
from kiosk.ports import Listen, Part, Told


class ScannerDevice:
    """A code scanner: lit only while a page asks for codes."""

    part: Part = "scanner"
    pause_s = 0.01  # poll() itself waits

    POLL_S = 0.2
    HINT_S = 2.0  # a code that is just being held up needs no word yet

    def __init__(self, connect: Callable[[], CodeSource]) -> None:
        self._connect = connect
        self._scanner: CodeSource | None = None
        self._armed = False
        self._hint_at_s: float | None = None  # when the next hint may be said; None: it was said

    def open(self) -> Iterator[Told]:
        try:
            self._scanner = self._connect()
            self._scanner.disarm()
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        self._armed = False
        yield from ()

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._scanner is not None
        try:
            self._light(self._scanner, bool(listen.codes))
            match self._scanner.poll(Deadline.after(self._scanner.clock, self.POLL_S)):
                case codes.Scanned(text) if listen.codes:  # else nobody asked: not even kept
                    yield CodeScanned(text)
                case codes.Garbage() if listen.codes:
                    yield CodeRejected()
                case _ if listen.codes:
                    yield from self._hint(self._scanner)
        except errors.DriverError as fault:
            raise fault_of(fault) from fault

    def _hint(self, device: CodeSource) -> Iterator[Told]:
        """Once a page: what keeps the camera from seeing a code, if it lasts."""
        if device.hint is Hint.NONE:
            if self._hint_at_s is not None:
                self._hint_at_s = device.clock() + self.HINT_S
        elif self._hint_at_s is not None and device.clock() >= self._hint_at_s:
            self._hint_at_s = None
            yield CodeHint(device.hint.value)

    def _light(self, device: CodeSource, on: bool) -> None:
        if on and not self._armed:
            device.arm()
            self._hint_at_s = device.clock() + self.HINT_S
        if not on and self._armed:
            device.disarm()
        self._armed = on

    def perform(self, effect: Effect) -> Iterable[Told]:
        raise AssertionError(f"a scanner carries out no {type(effect).__name__}")

    def absent(self, effect: Effect) -> Iterable[Told]:
        return ()

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None
