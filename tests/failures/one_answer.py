"""Each state of a one-answer payment × each failure, for every pad of that kind."""

from __future__ import annotations

from collections.abc import Callable

from drivers.errors import DriverError
from drivers.pad import Approved
from drivers.pad_bench import PadBench
from tests.drivers.cable import Faults
from tests.drivers.pads import PadKind, Rig

AMOUNT_FEN = 1250
STATES = ("idle", "wants card", "asks bank", "answering", "voiding")


def bench(rig: Rig) -> PadBench:
    assert isinstance(rig.hands, PadBench)
    return rig.hands


def be_silent(rig: Rig) -> None:
    bench(rig).knobs.silent_s = 30.0
    bench(rig).be_silent()


def be_busy(rig: Rig) -> None:
    bench(rig).knobs.busy = True


def answer_twice(rig: Rig) -> None:
    bench(rig).knobs.answers_twice = True


def come_late(rig: Rig) -> None:
    rig.cable.faults = Faults(delay_s=40)


def lose_requests(rig: Rig) -> None:
    rig.cable.faults = Faults(drop=1.0, on_answers=False, on_requests=True)


FAILURES: dict[str, Callable[[Rig], None]] = {
    "unplugged": lambda rig: rig.cable.unplug(),
    "power cut": lambda rig: rig.hands.power_cut(),
    "silent": be_silent,
    "late answers": come_late,
    "noise": lambda rig: rig.cable.inject(bytes.fromhex("06 02 00 32 DF 55 4D 53 52 04 00")),
    "two answers": answer_twice,
    "lost requests": lose_requests,
    "busy": be_busy,
}


TABLE = {
    ("idle", "unplugged"): "DeviceLost; not_taken; 0",
    ("idle", "power cut"): "DeadlineExceeded; not_taken; 0",
    ("idle", "silent"): "DeadlineExceeded; not_taken; 0",
    ("idle", "late answers"): "DeadlineExceeded; not_taken; 0",
    ("idle", "noise"): "Approved; taken; 1250",
    ("idle", "two answers"): "Approved; taken; 1250",
    ("idle", "lost requests"): "DeadlineExceeded; not_taken; 0",
    ("idle", "busy"): "DeviceRefused; not_taken; 0",
    ("wants card", "unplugged"): "OutcomeUnknown; taken; 1250",
    ("wants card", "power cut"): "OutcomeUnknown; not_taken; 0",
    ("wants card", "silent"): "OutcomeUnknown; taken; 1250",
    ("wants card", "late answers"): "OutcomeUnknown; taken; 1250",
    ("wants card", "noise"): "Approved; taken; 1250",
    ("wants card", "two answers"): "Approved; taken; 1250",
    ("wants card", "lost requests"): "Approved; taken; 1250",
    ("wants card", "busy"): "Approved; taken; 1250",
    ("asks bank", "unplugged"): "OutcomeUnknown; taken; 1250",
    ("asks bank", "power cut"): "OutcomeUnknown; not_taken; 0",
    ("asks bank", "silent"): "OutcomeUnknown; taken; 1250",
    ("asks bank", "late answers"): "OutcomeUnknown; taken; 1250",
    ("asks bank", "noise"): "Approved; taken; 1250",
    ("asks bank", "two answers"): "Approved; taken; 1250",
    ("asks bank", "lost requests"): "Approved; taken; 1250",
    ("asks bank", "busy"): "Approved; taken; 1250",
    ("answering", "unplugged"): "OutcomeUnknown; taken; 1250",
    ("answering", "power cut"): "OutcomeUnknown; taken; 1250",
    ("answering", "silent"): "OutcomeUnknown; taken; 1250",
    ("answering", "late answers"): "OutcomeUnknown; taken; 1250",
    ("answering", "noise"): "Approved; taken; 1250",
    ("answering", "two answers"): "Approved; taken; 1250",
    ("answering", "lost requests"): "Approved; taken; 1250",
    ("answering", "busy"): "Approved; taken; 1250",
    ("voiding", "unplugged"): "Approved, OutcomeUnknown; reversed; 0",
    ("voiding", "power cut"): "Approved, OutcomeUnknown; reversed; 0",
    ("voiding", "silent"): "Approved, OutcomeUnknown; reversed; 0",
    ("voiding", "late answers"): "Approved, OutcomeUnknown; reversed; 0",
    ("voiding", "noise"): "Approved, Released; reversed; 0",
    ("voiding", "two answers"): "Approved, Released; reversed; 0",
    ("voiding", "lost requests"): "Approved, Released; reversed; 0",
    ("voiding", "busy"): "Approved, Released; reversed; 0",
}
"""(state, failure) → what was told; what asking found; fen lost."""


def run(kind: PadKind, state: str, failure: str) -> str:
    """What was told; what asking found; what the card lost in the end."""
    rig = Rig(kind)
    rig.pay_before()
    knobs, told = bench(rig).knobs, []

    def fail() -> None:
        FAILURES[failure](rig)

    try:
        if state == "wants card":
            rig.later(4.0, rig.hands.present_card)
            rig.later(2.0, fail)
        else:
            rig.hands.present_card()
        if state == "idle":
            fail()
        elif state == "asks bank":
            knobs.bank_s = 4.0
            rig.later(2.0, fail)
        elif state == "answering":
            knobs.slow_s = 1.0
            rig.later(1.5, fail)
        told.append(rig.charge(AMOUNT_FEN, within_s=15))
        if state == "voiding" and isinstance(told[-1], Approved):
            knobs.slow_s = 1.0
            rig.later(1.5, fail)
            told.append(rig.pad.release(rig.within(15)))
    except DriverError as fault:
        told.append(fault)
    return f"{', '.join(type(one).__name__ for one in told)}; {_settle(rig)}"


def _settle(rig: Rig) -> str:
    rig.cable.pass_time(3)
    rig.cable.plug()
    bench(rig).behave()
    rig.hands.power_up()
    finding = rig.found(rig.ask_until_answered())
    return f"{finding.value}; {rig.hands.ledger.standing_fen() - 700}"


def wrong_promises(table: dict[tuple[str, str], str]) -> list[str]:
    """Cells in which a fault that is not "unknown" follows a charge, or the finding lies."""
    wrong = []
    for cell in table.values():
        told, finding, lost_fen = cell.split("; ")
        last = told.split(", ")[-1]
        if (lost_fen == str(AMOUNT_FEN)) != (finding == "taken"):
            wrong.append(cell)
        if told in ("DeviceLost", "DeadlineExceeded", "DeviceRefused") and finding != "not_taken":
            wrong.append(cell)
        if last == "Released" and finding != "reversed":
            wrong.append(cell)
    return wrong
