"""Each state of a ZVT payment × each failure: what the terminal is told, and what asking finds.

The pad's own ledger is the judge: the row's last word is what the person's card lost in the end,
after the terminal did what it does with what it found (a payment found held is released).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from drivers.errors import DriverError
from drivers.pad import (
    Approved,
    Finding,
    PadProgress,
    Watch,
)
from drivers.zvt.codec import NOT_ISSUED, POSITIVE, encode_frame
from drivers.zvt.emulator import PadEmulator
from tests.drivers.cable import Cable, Faults
from tests.drivers.pads import ZVT_SERIAL, Rig

AMOUNT_FEN = 1250

STATES = ("idle", "wants card", "wants pin", "asks bank", "holding", "completing", "releasing")

PROGRESS = {
    "wants card": PadProgress.INSERT_CARD,
    "wants pin": PadProgress.ENTER_PIN,
    "asks bank": PadProgress.AUTHORISING,
}


class TripCable(Cable):
    """Does something at the moment when a given frame has reached the pad."""

    def arm(self, frame: bytes, act: Callable[[], None]) -> None:
        self._armed: tuple[bytes, Callable[[], None]] | None = (frame, act)

    def write(self, data: bytes, deadline: object) -> None:
        super().write(data, deadline)  # type: ignore[arg-type]
        armed = getattr(self, "_armed", None)
        if armed is not None and data == armed[0]:
            self._armed = None
            armed[1]()


@dataclass
class Scene:
    """One payment of one person, after another person's."""

    rig: Rig

    @property
    def pad(self) -> PadEmulator:
        assert isinstance(self.rig.hands, PadEmulator)
        return self.rig.hands

    def unplug_for_a_while(self) -> None:
        self.rig.cable.unplug()

    def cut_power(self) -> None:
        self.pad.power_cut()

    def be_silent(self) -> None:
        self.pad.be_silent()

    def come_late(self) -> None:
        self.rig.cable.faults = Faults(delay_s=40)

    def damage_one_answer(self) -> None:
        self.rig.cable.inject(bytes.fromhex("10 02 04 FF 01 0A 10 03 00 00"))

    def answer_twice(self) -> None:
        self.pad.knobs.answers_twice = True

    def lose_requests(self) -> None:
        self.rig.cable.faults = Faults(drop=1.0, on_answers=False, on_requests=True)

    def be_busy(self) -> None:
        self.pad.knobs.busy = True

    def refuse_frames(self) -> None:
        self.pad.nak_next(1)


FAILURES: dict[str, Callable[[Scene], None]] = {
    "unplugged": Scene.unplug_for_a_while,
    "power cut": Scene.cut_power,
    "silent": Scene.be_silent,
    "late answers": Scene.come_late,
    "damaged answer": Scene.damage_one_answer,
    "two answers": Scene.answer_twice,
    "lost requests": Scene.lose_requests,
    "busy": Scene.be_busy,
    "nak": Scene.refuse_frames,
}

TABLE = {
    ("idle", "unplugged"): "DeviceLost; not_taken; 0",
    ("idle", "power cut"): "DeadlineExceeded; not_taken; 0",
    ("idle", "silent"): "DeadlineExceeded; not_taken; 0",
    ("idle", "late answers"): "DeadlineExceeded; not_taken; 0",
    ("idle", "damaged answer"): "Approved, Completed; taken; 1250",
    ("idle", "two answers"): "Approved, Completed; taken; 1250",
    ("idle", "lost requests"): "DeadlineExceeded; not_taken; 0",
    ("idle", "busy"): "DeviceRefused; not_taken; 0",
    ("idle", "nak"): "Approved, Completed; taken; 1250",
    ("wants card", "unplugged"): "OutcomeUnknown; held; 0",
    ("wants card", "power cut"): "OutcomeUnknown; not_taken; 0",
    ("wants card", "silent"): "OutcomeUnknown; held; 0",
    ("wants card", "late answers"): "OutcomeUnknown; held; 0",
    ("wants card", "damaged answer"): "Approved, Completed; taken; 1250",
    ("wants card", "two answers"): "Approved, Completed; taken; 1250",
    ("wants card", "lost requests"): "OutcomeUnknown; held; 0",
    ("wants card", "busy"): "Approved, Completed; taken; 1250",
    ("wants card", "nak"): "Approved, Completed; taken; 1250",
    ("wants pin", "unplugged"): "OutcomeUnknown; held; 0",
    ("wants pin", "power cut"): "OutcomeUnknown; not_taken; 0",
    ("wants pin", "silent"): "OutcomeUnknown; held; 0",
    ("wants pin", "late answers"): "OutcomeUnknown; held; 0",
    ("wants pin", "damaged answer"): "Approved, Completed; taken; 1250",
    ("wants pin", "two answers"): "Approved, Completed; taken; 1250",
    ("wants pin", "lost requests"): "Approved, OutcomeUnknown; held; 0",
    ("wants pin", "busy"): "Approved, Completed; taken; 1250",
    ("wants pin", "nak"): "Approved, Completed; taken; 1250",
    ("asks bank", "unplugged"): "OutcomeUnknown; held; 0",
    ("asks bank", "power cut"): "OutcomeUnknown; not_taken; 0",
    ("asks bank", "silent"): "OutcomeUnknown; held; 0",
    ("asks bank", "late answers"): "OutcomeUnknown; held; 0",
    ("asks bank", "damaged answer"): "Approved, Completed; taken; 1250",
    ("asks bank", "two answers"): "Approved, Completed; taken; 1250",
    ("asks bank", "lost requests"): "Approved, OutcomeUnknown; held; 0",
    ("asks bank", "busy"): "Approved, Completed; taken; 1250",
    ("asks bank", "nak"): "Approved, Completed; taken; 1250",
    ("holding", "unplugged"): "Approved, DeviceLost; held; 0",
    ("holding", "power cut"): "Approved, DeadlineExceeded; reversed; 0",
    ("holding", "silent"): "Approved, DeadlineExceeded; held; 0",
    ("holding", "late answers"): "Approved, DeadlineExceeded; held; 0",
    ("holding", "damaged answer"): "Approved, Completed; taken; 1250",
    ("holding", "two answers"): "Approved, Completed; taken; 1250",
    ("holding", "lost requests"): "Approved, ProtocolError; held; 0",
    ("holding", "busy"): "Approved, Completed; taken; 1250",
    ("holding", "nak"): "Approved, Completed; taken; 1250",
    ("completing", "unplugged"): "Approved, OutcomeUnknown; taken; 1250",
    ("completing", "power cut"): "Approved, OutcomeUnknown; taken; 1250",
    ("completing", "silent"): "Approved, OutcomeUnknown; taken; 1250",
    ("completing", "late answers"): "Approved, OutcomeUnknown; taken; 1250",
    ("completing", "damaged answer"): "Approved, Completed; taken; 1250",
    ("completing", "two answers"): "Approved, Completed; taken; 1250",
    ("completing", "lost requests"): "Approved, Completed; taken; 1250",
    ("completing", "busy"): "Approved, Completed; taken; 1250",
    ("completing", "nak"): "Approved, Completed; taken; 1250",
    ("releasing", "unplugged"): "Approved, OutcomeUnknown; reversed; 0",
    ("releasing", "power cut"): "Approved, OutcomeUnknown; reversed; 0",
    ("releasing", "silent"): "Approved, OutcomeUnknown; reversed; 0",
    ("releasing", "late answers"): "Approved, OutcomeUnknown; reversed; 0",
    ("releasing", "damaged answer"): "Approved, Released; reversed; 0",
    ("releasing", "two answers"): "Approved, Released; reversed; 0",
    ("releasing", "lost requests"): "Approved, Released; reversed; 0",
    ("releasing", "busy"): "Approved, Released; reversed; 0",
    ("releasing", "nak"): "Approved, Released; reversed; 0",
}
"""(state, failure) → what authorise and the decision said; what asking found; fen lost."""


def run(state: str, failure: str) -> str:
    """What was told; what asking found; what the card lost in the end."""
    rig = Rig(ZVT_SERIAL)
    rig.cable = TripCable(rig.hands)
    rig.connect()
    rig.pay_before()
    scene = Scene(rig)
    act = FAILURES[failure]
    rig.hands.present_card()
    knobs = scene.pad.knobs
    # Every state lasts a while, and every answer is on its way for a while.
    knobs.pin_s = knobs.bank_s = 1.0
    knobs.slow_s = 0.2
    told = []
    try:
        told.append(_charge(rig, state, lambda: act(scene)))
        if isinstance(told[-1], Approved):
            told.append(_decide(rig, state, lambda: act(scene)))
    except DriverError as fault:
        told.append(fault)
    return f"{', '.join(type(one).__name__ for one in told)}; {_settle(scene)}"


def _charge(rig: Rig, state: str, fail: Callable[[], None]) -> object:
    if state == "idle":
        fail()

    def on_progress(progress: PadProgress) -> None:
        if PROGRESS.get(state) is progress:
            fail()

    return rig.charge(AMOUNT_FEN, within_s=15, watch=Watch(on_progress=on_progress))


def _decide(rig: Rig, state: str, fail: Callable[[], None]) -> object:
    assert isinstance(rig.cable, TripCable)
    decision = NOT_ISSUED if state == "releasing" else POSITIVE
    if state == "holding":
        fail()
        rig.hold_for(5)
    if state in ("completing", "releasing"):
        rig.cable.arm(encode_frame(decision), fail)
    if state == "releasing":
        return rig.pad.release(rig.within(15))
    return rig.pad.complete(rig.within(15))


def _settle(scene: Scene) -> str:
    """The trouble ends; the terminal asks, and releases what it finds held."""
    rig = scene.rig
    rig.cable.pass_time(3)
    rig.cable.plug()
    scene.pad.knobs.busy = scene.pad.knobs.answers_twice = False
    scene.pad.knobs.slow_s = 0.0
    scene.pad.power_up()
    finding = rig.found(rig.ask_until_answered())
    if finding is Finding.HELD:
        rig.pad.release(rig.within(15))
    before_fen = 700
    return f"{finding.value}; {rig.hands.ledger.standing_fen() - before_fen}"


@pytest.mark.parametrize(("state", "failure"), TABLE)
def test_nobody_is_told_what_the_pads_ledger_does_not_have(state: str, failure: str) -> None:
    assert run(state, failure) == TABLE[state, failure]


def test_no_cell_is_empty() -> None:
    assert set(TABLE) == {(state, failure) for state in STATES for failure in FAILURES}


def test_the_table_itself_promises_nothing_wrong() -> None:
    """Only a completed payment costs; a fault that is not "unknown" follows no charge."""
    for told, finding, lost_fen in (cell.split("; ") for cell in TABLE.values()):
        assert (lost_fen == str(AMOUNT_FEN)) is (finding == Finding.TAKEN.value)
        if told in ("DeviceLost", "DeadlineExceeded", "DeviceRefused", "ProtocolError"):
            assert finding == Finding.NOT_TAKEN.value
        if told.endswith("Completed"):
            assert finding == Finding.TAKEN.value
        if told.endswith("Released"):
            assert finding == Finding.REVERSED.value
