"""Threads between engine and world: faults become events, and nobody waits behind anybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from kiosk.engine.loop import Loop
from kiosk.engine.workers import HospitalPool, Sender, Stop, ask
from kiosk.hospital import faults
from kiosk.hospital.contract import AskHelp, Help, ReleaseHold
from kiosk.ports import Answered, AskHospital, HospitalStood, Sent, TellHospital
from tests.simulation.memory import MemoryRecords

SOON_S = 10.0


class Line:
    """A client whose hospital is there, or is not."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self.asked: SimpleQueue[Any] = SimpleQueue()

    def ask(self, request: Any) -> Any:
        self.asked.put(request)
        if isinstance(request, AskHelp):
            return Help(request.key)
        if not self.there.is_set():
            raise faults.HospitalUnreachable("away")
        return Help("done")


@pytest.fixture
def stop() -> Iterator[Stop]:
    stop = Stop()
    yield stop
    stop.set()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (faults.HospitalUnreachable("x"), "unreachable"),
        (faults.HospitalOutcomeUnknown("x"), "unknown"),
        (faults.HospitalRefused(409, "x"), "refused"),
        (faults.HospitalAnsweredBadly("x"), "bad"),
    ],
)
def test_each_fault_of_the_hospital_is_an_answer(fault: Exception, why: str) -> None:
    class Faulty:
        def ask(self, request: Any) -> Any:
            raise fault

    assert ask(Faulty(), 7, AskHelp("k")) == Answered(7, why=why)  # type: ignore[arg-type]


def test_a_bug_is_no_answer() -> None:
    class Buggy:
        def ask(self, request: Any) -> Any:
            raise KeyError("a bug")

    with pytest.raises(KeyError):
        ask(Buggy(), 7, AskHelp("k"))


def test_what_is_only_told_never_holds_up_what_is_asked(stop: Stop) -> None:
    """Ten unlocks while the gateway is away: the booking behind them is asked at once."""
    line, told = Line(), SimpleQueue[Any]()
    pool = HospitalPool(lambda: line, told.put, stop)
    pool.start()
    for number in range(10):
        pool.order(TellHospital(ReleaseHold(f"k{number}", f"h{number}")))
    begun_s = time.monotonic()
    for number in range(10):
        pool.order(AskHospital(number, AskHelp("k")))
    answers = {told.get(timeout=SOON_S).id for _ in range(10)}
    assert answers == set(range(10)) and time.monotonic() - begun_s < 3
    stop.set()
    pool.join(5)


def test_what_is_told_is_said_again_with_the_same_key_until_it_is_heard(stop: Stop) -> None:
    line, told = Line(), SimpleQueue[Any]()
    pool = HospitalPool(lambda: line, told.put, stop)
    pool.start()
    pool.order(TellHospital(ReleaseHold("k1", "h1")))
    assert line.asked.get(timeout=SOON_S).key == "k1"
    line.there.set()
    pool.order(TellHospital(ReleaseHold("k2", "h2")))  # each new one is also a new try
    heard = {line.asked.get(timeout=SOON_S).key for _ in range(2)}
    assert heard == {"k1", "k2"}
    pool.order(TellHospital(ReleaseHold("k3", "h3")))
    assert line.asked.get(timeout=SOON_S).key == "k3"
    assert line.asked.empty(), "what was heard is not said again"
    stop.set()
    pool.join(5)


def test_the_sender_says_once_that_the_hospital_is_there_and_once_that_it_is_not(
    stop: Stop,
) -> None:
    told: SimpleQueue[Any] = SimpleQueue()
    there = threading.Event()
    there.set()

    def beat(waiting: int) -> None:
        if not there.is_set():
            raise faults.HospitalUnreachable("away")

    records: Any = MemoryRecords()
    sender = Sender(
        records,
        lambda batch: pytest.fail("nothing waits"),
        beat,
        tell=told.put,
        stop=stop,
        beat_every_s=0.02,
    )
    sender.start()
    assert told.get(timeout=SOON_S) == HospitalStood(True)
    assert told.get(timeout=SOON_S) == Sent(0)
    there.clear()
    assert told.get(timeout=SOON_S) == HospitalStood(False)
    there.set()
    assert told.get(timeout=SOON_S) == HospitalStood(True)
    stop.set()
    sender.join(5)


def test_the_loop_answers_questions_on_the_engines_thread() -> None:
    """`kiosk status` reads the engine's state while nothing else does."""

    class Engine:
        def start(self) -> None:
            self.thread = threading.current_thread()

        def tell(self, told: Any) -> None:
            pass

        def next_due_s(self) -> float | None:
            return None

    class Clock:
        def monotonic_s(self) -> float:
            return time.monotonic()

    engine: Any = Engine()
    clock: Any = Clock()
    loop = Loop(clock)
    thread = threading.Thread(target=loop.run, args=(engine,))
    thread.start()
    asked: list[threading.Thread] = []
    loop.call(lambda: asked.append(threading.current_thread()))
    loop.stop()
    thread.join(5)
    assert asked == [engine.thread]
