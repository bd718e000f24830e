"""One thread a device, a small pool for the hospital, one for sending; faults become events here.

Reconnect, back-off and "log once when lost, once when back" are written once, for all devices.
No other module catches a fault of a device or of the hospital.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from kiosk.engine.health import DeviceHealth, Health
from kiosk.flows.effects import Effect
from kiosk.hospital import faults
from kiosk.ports import (
    Answered,
    AskHospital,
    Device,
    DeviceFault,
    DeviceNeeds,
    DeviceStood,
    HospitalStood,
    Listen,
    Part,
    Records,
    SendRecords,
    Sent,
    TellHospital,
    Told,
)

RECONNECT_S = (0.5, 1.0, 2.0, 5.0)
"""A replugged cable is back within 3 s (P9), sooner when udev tells (look_now); a device that is
gone costs a try every 5 s."""

TELL_AGAIN_S = 5.0
TELL_TRIES = 60
"""An unlock or a help call that nobody has answered for five minutes has no more use."""

Tell = Callable[[Told], None]
Log = Callable[..., None]


class Stop:
    """Ends all workers; wait() is the only place where they rest."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)


@dataclass(frozen=True)
class _LookNow:
    """Something was plugged in or pulled out somewhere: no time to rest."""


class DeviceWorker:
    """Owns one device: connect, look, attend, perform; drops the connection on any fault."""

    def __init__(self, device: Device, tell: Tell, stop: Stop, log: Log, health: Health) -> None:
        self._device, self._tell, self._stop, self._log = device, tell, stop, log
        self._health = health
        self._orders: SimpleQueue[Effect | _LookNow | None] = SimpleQueue()
        self._listen = Listen(False, "")
        self._well: bool | None = None
        self._waits = 0
        self._thread = threading.Thread(target=self._run, name=device.part, daemon=True)

    @property
    def part(self) -> Part:
        return self._device.part

    @property
    def well(self) -> bool:
        return bool(self._well)

    @property
    def health(self) -> DeviceHealth:
        return self._health.look()

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._orders.put(None)
        self._thread.join(timeout_s)

    def listen(self, listen: Listen) -> None:
        self._listen = listen

    def look_now(self) -> None:
        """A cable was moved: attend to the device, or try to open it, without waiting."""
        self._orders.put(_LookNow())

    def order(self, effect: Effect) -> None:
        """Queued, unless the device can take it up in the middle of what it does."""
        if not self._device.interrupt(effect):
            self._orders.put(effect)

    def _run(self) -> None:
        while not self._stop.is_set:
            try:
                self._say(self._device.open())
                self._stood(True)
                while not self._stop.is_set:
                    self._serve()
                    self._health.answered()
            except DeviceFault as fault:
                self._device.close()
                # The driver's own fault says more than the notice's key: LATE is not LOST.
                self._health.failed(type(fault.__cause__ or fault).__name__, str(fault))
                self._stood(False, fault.code)
                self._answer_absent()
        self._device.close()

    def _serve(self) -> None:
        match self._next_order(self._device.pause_s):
            case None | _LookNow():
                self._say(self._device.attend(self._listen))
            case effect:
                self._say(self._device.perform(effect))

    def _next_order(self, wait_s: float) -> Effect | _LookNow | None:
        try:
            return self._orders.get(block=wait_s > 0, timeout=wait_s or None)
        except Empty:
            return None

    def _say(self, events: Iterable[Told]) -> None:
        for event in events:
            if isinstance(event, DeviceNeeds):
                self._health.waits_for(event.code, event.words)
            self._tell(event)

    def _stood(self, well: bool, code: str = "") -> None:
        if well:
            self._waits = 0
            self._health.answered()
        if well != self._well:
            self._well = well
            self._log("device_back" if well else "device_lost", device=self.part, code=code)
            self._tell(DeviceStood(self._device.part, well, code))

    def _answer_absent(self) -> None:
        """Until the next try: whatever is ordered has not been sent, and is told so."""
        wait_s = RECONNECT_S[min(self._waits, len(RECONNECT_S) - 1)]
        self._waits += 1
        order = self._next_order(wait_s)
        while order is not None:
            if isinstance(order, _LookNow):
                self._waits = 0  # it may need a moment to start: soon again, and again
            else:
                self._say(self._device.absent(order))
            order = self._next_order(0)


class AsksHospital(Protocol):
    def ask(self, request: Any) -> Any: ...


class HospitalPool:
    """A few threads, each with its own client; questions in, answers or their absence out.

    What is only told has a thread of its own: while the hospital is away it waits there, and
    nothing that is asked (a booking, a reversal) waits behind it.
    """

    def __init__(
        self, make_client: Callable[[], AsksHospital], tell: Tell, stop: Stop, threads: int = 3
    ) -> None:
        self._make_client, self._tell, self._stop = make_client, tell, stop
        self._asks: SimpleQueue[AskHospital | None] = SimpleQueue()
        self._tells: SimpleQueue[TellHospital | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._answer, name=f"hospital-{number}", daemon=True)
            for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._insist, name="tell", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        self._tells.put(None)
        for _ in self._threads:
            self._asks.put(None)
        for thread in self._threads:
            thread.join(timeout_s)

    def order(self, order: AskHospital | TellHospital) -> None:
        match order:
            case AskHospital():
                self._asks.put(order)
            case TellHospital():
                self._tells.put(order)

    def _answer(self) -> None:
        client = self._make_client()
        while (order := self._asks.get()) is not None and not self._stop.is_set:
            self._tell(ask(client, order.id, order.request))

    def _insist(self) -> None:
        """Each with the same key, until somebody has answered it or nobody has any more use."""
        client = self._make_client()
        waiting: list[tuple[Any, int]] = []
        while not self._stop.is_set:
            new = self._next_tell(TELL_AGAIN_S if waiting else None)
            waiting = [
                (request, tries - 1)
                for request, tries in (*new, *waiting)
                if tries > 0 and ask(client, 0, request).why in ("unreachable", "unknown")
            ]

    def _next_tell(self, wait_s: float | None) -> list[tuple[Any, int]]:
        try:
            order = self._tells.get(timeout=wait_s)
        except Empty:
            return []
        return [(order.request, TELL_TRIES)] if order is not None else []


def ask(client: AsksHospital, id: int, request: Any) -> Answered:
    """Faults of the hospital end here."""
    try:
        return Answered(id, client.ask(request))
    except faults.HospitalUnreachable:
        return Answered(id, why="unreachable")
    except faults.HospitalOutcomeUnknown:
        return Answered(id, why="unknown")
    except faults.HospitalRefused:
        return Answered(id, why="refused")
    except faults.HospitalAnsweredBadly:
        return Answered(id, why="bad")


class Sender:
    """Sends what waits, and says whether the hospital is there; `beat` is the heartbeat's call."""

    def __init__(
        self,
        records: Records,
        send: SendRecords,
        beat: Callable[[int], None],
        *,
        tell: Tell,
        stop: Stop,
        beat_every_s: float = 5.0,
    ) -> None:
        self._records, self._send, self._beat = records, send, beat
        self._tell, self._stop, self._beat_every_s = tell, stop, beat_every_s
        self._reachable: bool | None = None
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        waiting = -1
        while not self._stop.is_set:
            self._look()
            wait_s = self._beat_every_s
            while self._reachable and self._records.waiting() and not self._stop.is_set:
                wait_s = self._records.send_round(self._send)
                if wait_s > 0:
                    break
            if self._records.waiting() != waiting:
                waiting = self._records.waiting()
                self._tell(Sent(waiting))
            self._stop.wait(min(wait_s or 0.2, self._beat_every_s))

    def _look(self) -> None:
        try:
            self._beat(self._records.waiting())
            reachable = True
        except faults.HospitalError:
            reachable = False
        if reachable != self._reachable:
            self._reachable = reachable
            self._tell(HospitalStood(reachable))
