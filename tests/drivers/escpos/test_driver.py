"""The driver believes a printer only as far as its answers go."""

from __future__ import annotations

import pytest

from drivers.deadline import Deadline
from drivers.errors import (
    CoverOpen,
    DeadlineExceeded,
    OutcomeUnknown,
    PaperJammed,
    PaperOut,
    ProtocolError,
)
from drivers.escpos.answers import Inbox
from drivers.escpos.commands import GENERIC_80, KIOSK_80
from drivers.escpos.driver import (
    CutterStuck,
    PaperOutMidSlip,
    Printed,
    PrinterOffline,
    PrinterState,
    Progress,
    SlipUnknown,
    state_of,
)
from drivers.slip import Size, Slip, Stripped, Text
from tests.drivers.cable import Faults
from tests.drivers.escpos.paper import LONG, SHORT, fault_of, wired

OK = PrinterState("ok", cover_open=False, trouble=None, offline=False)

# Answers to DLE EOT 1, 2, 3, 4, typed from PROTOCOLS.md §5; the last is `p u r f` of 10 04 14.
STATES: list[tuple[str, str, PrinterState]] = [
    ("12 12 12 12", "", OK),
    ("12 12 12 1E", "", PrinterState("near_end", False, None, False)),
    ("1A 32 12 7E", "", PrinterState("out", False, None, True)),
    ("1A 16 12 12", "", PrinterState("ok", True, None, True)),
    ("1A 52 16 12", "", PrinterState("ok", False, "mechanical", True)),
    ("1A 52 1A 12", "", PrinterState("ok", False, "cutter", True)),
    ("1A 52 32 12", "", PrinterState("ok", False, "fatal", True)),
    ("1A 52 52 12", "", PrinterState("ok", False, "overheated", True)),
    ("1A 12 12 12", "", PrinterState("ok", False, None, True)),
    ("12 12 12 12", "00 00 00 00", PrinterState("ok", False, None, False, False)),
    ("12 12 12 12", "20 00 00 00", PrinterState("ok", False, None, False, True)),
    ("12 12 12 12", "04 00 00 00", PrinterState("near_end", False, None, False, False)),
    ("12 12 12 12", "01 00 00 00", PrinterState("out", False, None, False, False)),
    ("12 12 12 12", "00 01 00 00", PrinterState("ok", True, None, False, False)),
    ("12 12 12 12", "00 02 00 00", PrinterState("ok", True, None, False, False)),
    ("12 12 12 12", "00 00 00 40", PrinterState("ok", False, "mechanical", False, False)),
]


@pytest.mark.parametrize(("answers", "kiosk", "expected"), STATES)
def test_answers_mean_what_the_manual_says(
    answers: str, kiosk: str, expected: PrinterState
) -> None:
    printer, cause, error, paper = bytes.fromhex(answers)
    found = state_of(printer, cause, error, paper, bytes.fromhex(kiosk) if kiosk else None)
    assert found == expected


def test_a_printer_that_is_well_is_ready_and_one_near_its_end_too() -> None:
    assert OK.ready
    assert PrinterState("near_end", False, None, False).ready
    assert not PrinterState("ok", False, None, True).ready


def test_the_questions_are_those_of_the_manual() -> None:
    printer, _, cable = wired(KIOSK_80)
    printer.status()
    assert bytes(cable.sent) == bytes.fromhex("100401 100402 100403 100404 100414")


def test_silence_is_never_ok() -> None:
    printer, emulator, _ = wired()
    emulator.silent = True
    with pytest.raises(DeadlineExceeded):
        printer.status()


def test_a_device_that_only_talks_rubbish_is_no_printer() -> None:
    _, _, cable = wired()
    inbox = Inbox(cable)
    cable.inject(b"\x99" * 300)
    with pytest.raises(ProtocolError):
        inbox.status(Deadline.after(cable.clock, 1.0))


def test_status_sent_unasked_is_not_taken_for_marks_or_answers() -> None:
    _, _, cable = wired()
    inbox = Inbox(cable)
    cable.inject(bytes.fromhex("14 00 0C 0F  37 25 00  12  03"))
    assert inbox.status(Deadline.after(cable.clock, 1.0)) == 0x12
    assert inbox.marks == 1


def test_a_slip_that_is_printed_is_on_the_tape_and_cut() -> None:
    printer, emulator, _ = wired()
    assert printer.print_slip(SHORT) == Printed()
    (slip,) = emulator.slips
    assert slip.whole
    assert slip.text == "您好\n合计" + " " * 36 + "￥128.50\n"


def test_a_slip_of_nothing_but_big_dots_is_printed() -> None:
    printer, emulator, _ = wired()
    assert printer.print_slip(Slip((Text("𠮷" * 320, Size.HUGE),))) == Printed()
    assert len(emulator.slips[0].items) == 40


def test_each_slip_is_cut_by_itself() -> None:
    printer, emulator, _ = wired()
    for _ in range(3):
        printer.print_slip(SHORT)
    assert len({slip.text for slip in emulator.slips}) == 1
    assert len(emulator.slips) == 3


def test_a_roll_that_nears_its_end_still_prints_and_says_so() -> None:
    printer, emulator, _ = wired()
    emulator.near_end = True
    assert printer.print_slip(SHORT) == Printed(paper_near_end=True)


@pytest.mark.parametrize(
    ("knob", "fault"),
    [
        ("cover_open", CoverOpen),
        ("jammed", PaperJammed),
        ("cutter_stuck", CutterStuck),
        ("too_hot", PrinterOffline),
    ],
)
@pytest.mark.parametrize("model", [GENERIC_80, KIOSK_80], ids=lambda model: model.name)
def test_nothing_is_sent_to_a_printer_that_cannot(model, knob: str, fault: type) -> None:  # type: ignore[no-untyped-def]
    printer, emulator, cable = wired(model)
    setattr(emulator, knob, True)
    with pytest.raises(fault):
        printer.print_slip(SHORT)
    assert b"\x1b@" not in cable.sent


def test_no_paper_is_said_before_a_byte_is_printed() -> None:
    printer, emulator, cable = wired()
    emulator.paper_out_after(0)
    with pytest.raises(PaperOut):
        printer.print_slip(SHORT)
    assert b"\x1b@" not in cable.sent


def test_paper_out_in_the_middle_says_how_far_it_came() -> None:
    printer, emulator, _ = wired()
    emulator.paper_out_after(20)
    with pytest.raises(PaperOutMidSlip) as caught:
        printer.print_slip(LONG)
    blocks = caught.value.progress.blocks
    assert caught.value.progress == Progress(12, blocks)
    assert len(emulator.standing) >= 12
    assert not emulator.slips


def test_new_paper_does_not_bring_out_the_old_slip() -> None:
    printer, emulator, cable = wired()
    emulator.paper_out_after(20)
    assert isinstance(fault_of(lambda: printer.print_slip(LONG)), PaperOutMidSlip)
    came_out = emulator.standing
    emulator.put_paper_in()
    cable.pass_time(60)
    assert emulator.standing == came_out
    assert not emulator.slips


def test_the_next_slip_is_not_glued_to_one_that_broke_off() -> None:
    printer, emulator, _ = wired()
    emulator.paper_out_after(20)
    assert isinstance(fault_of(lambda: printer.print_slip(LONG)), PaperOutMidSlip)
    emulator.put_paper_in()
    printer.print_slip(SHORT)
    broken, fresh = emulator.slips
    assert not broken.whole
    assert fresh.whole and fresh.text.startswith("您好\n合计")


def test_a_mark_of_an_older_slip_is_not_taken_for_one_of_the_next() -> None:
    printer, emulator, cable = wired()
    assert printer.print_slip(SHORT) == Printed()
    cable.inject(b"\x00\x00\x00")
    emulator.silent = True
    with pytest.raises((DeadlineExceeded, OutcomeUnknown)):
        printer.print_slip(SHORT)


def test_a_printer_that_restarts_after_a_reset_is_waited_for() -> None:
    printer, emulator, _ = wired()
    emulator.restart_s = 3.0
    assert printer.print_slip(SHORT) == Printed()


def test_one_mark_too_many_is_a_contradiction() -> None:
    printer, _, cable = wired()
    printer.print_slip(SHORT)
    cable.faults = Faults(twice=1.0)
    with pytest.raises(SlipUnknown):
        printer.print_slip(SHORT)


def test_a_slow_printer_is_waited_for() -> None:
    printer, emulator, cable = wired()
    emulator.rows_per_s = 20.0
    began_s = cable.now_s
    assert printer.print_slip(LONG) == Printed()
    assert cable.now_s - began_s > 2


def test_a_printer_that_never_finishes_is_unknown_by_its_deadline() -> None:
    printer, emulator, cable = wired()
    emulator.rows_per_s = 0.1
    began_s = cable.now_s
    with pytest.raises(SlipUnknown):
        printer.print_slip(LONG, timeout_s=10.0)
    assert cable.now_s - began_s <= 10.0


def test_the_state_knows_a_slip_that_was_left_in_the_exit() -> None:
    printer, emulator, _ = wired()
    printer.print_slip(SHORT)
    assert printer.status().ticket_in_exit is True
    emulator.pull_ticket()
    assert printer.status().ticket_in_exit is False


def test_a_slip_left_behind_is_taken_back() -> None:
    printer, emulator, _ = wired()
    printer.print_slip(SHORT)
    printer.retract()
    assert emulator.retracted == 1
    assert printer.status().ticket_in_exit is False


def test_a_model_without_a_presenter_cannot_retract() -> None:
    printer, _, cable = wired(GENERIC_80)
    with pytest.raises(PrinterOffline):
        printer.retract()
    assert not cable.sent


def test_a_name_that_acts_is_printed_as_letters_and_reported() -> None:
    """A name with control characters never reaches the printer as a command."""
    printer, emulator, _ = wired()
    printed = printer.print_slip(Slip((Text("王\x1d\x56\x42\x00\x10\x04\x01\x1b@兰"),)))
    assert printed.stripped == (Stripped(0, (0x1D, 0x00, 0x10, 0x04, 0x01, 0x1B)),)
    (slip,) = emulator.slips
    assert slip.text == "王VB@兰\n"


def test_a_slip_in_the_log_names_nobody() -> None:
    printer, emulator, _ = wired()
    emulator.paper_out_after(1)
    fault = fault_of(lambda: printer.print_slip(Slip((Text("王秀兰"), Text("王秀兰")))))
    assert "王" not in repr(fault) + str(fault)
