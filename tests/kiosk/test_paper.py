"""What slips say: every kind in each language, and no name can write on them by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from drivers import slip as paper_slip
from drivers.escpos.commands import GENERIC_80
from drivers.escpos.encoder import encode
from kiosk.devices.receipt_printer import lay_out
from kiosk.domain.bill import Bill, BillLine
from kiosk.domain.document import Code, Pair, Slip, Text
from kiosk.flows.slips import (
    AccountSlip,
    HandOverSlip,
    PassSlip,
    PaymentSlip,
    SlipFacts,
    TicketSlip,
    TrailLine,
    TrailSlip,
)
from kiosk.paper import Paper, write
from kiosk.views import Language, Named
from tests.flows.people import BILL, NOW, TICKET
from tests.flows.till import quote

PAPER = Paper(Named("市第一医院", "First City Hospital"), "K03", Named("3号门", "Gate 3"))
LANGUAGES: tuple[Language, ...] = get_args(Language)
RESULTS: tuple[Any, ...] = ("settled", "not_charged", "reversed", "checking", "refund_due")
PAID = PaymentSlip(
    "8K42",
    "王*兰",
    "K03-261122-8K42",
    "settled",
    "card",
    4120,
    BILL.lines,
    quote().split,
    "R1",
    acting="李*国",
    ticket=TICKET,
)
PASS = PassSlip(
    "8K43", "王*兰", "0021", "relative", None, "张志愿", "3号门", "2026-11", "李*国", "child"
)
ITEMISED = Bill("B2", "住院", (BillLine("床位费", 1, 5000, date(2026, 11, 20)), *BILL.lines))
FACTS: dict[str, SlipFacts] = {
    "ticket": TicketSlip("8K41", "王*兰", TICKET),
    "ticket, offline": TicketSlip(
        "8K41", "王*兰", replace(TICKET, offline=True, ahead=None, minutes=None)
    ),
    **{f"payment, {one}": replace(PAID, result=one, window="3") for one in RESULTS},
    "payment, nothing to pay": replace(PAID, amount_fen=0, ticket=None, acting=""),
    "pass": PASS,
    "go to": replace(PASS, route=Named("发热门诊", "Fever clinic")),
    "pass, paper seen": replace(PASS, substitute="paper", paper="other", paper_serial="A-17"),
    "hand-over": HandOverSlip("8K44", "王*兰", "pay", "3", 4120, "K03-261122-8K42"),
    "hand-over, nobody known": HandOverSlip("8K44", "", "identify", "1"),
    "account": AccountSlip("8K45", "王*兰", ITEMISED),
    "trail": TrailSlip("8K46", "王*兰", (TrailLine(NOW, "payment_moved", "8K42 settled"),)),
    "trail, nothing yet": TrailSlip("8K46", "王*兰", ()),
}
BOTH = [(name, language) for name in FACTS for language in LANGUAGES]


def words(slip: Slip) -> str:
    """Everything that can be read on it."""
    said = []
    for line in slip.lines:
        match line:
            case Text(text):
                said.append(text)
            case Pair(left, right):
                said.append(f"{left} {right}")
            case Code(_, caption):
                said.append(caption)
    return "\n".join(said)


def printed(slip: Slip) -> bytes:
    return encode(lay_out(slip), GENERIC_80, None).data


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_each_slip_can_be_written_and_printed_in_each_language(
    name: str, language: Language
) -> None:
    """Rows 39 and 103: a number, a code, the place; ¥ whole on paper."""
    slip = write(PAPER, FACTS[name], language, NOW)
    assert FACTS[name].number in words(slip)
    assert any(isinstance(line, Code) and line.payload.endswith(slip.number) for line in slip.lines)
    assert "{" not in words(slip) and "}" not in words(slip), "a blank was not filled in"
    assert len(printed(slip)) > 200
    if language == "en":
        assert "First City Hospital" in words(slip)


def test_a_copy_says_so_on_top_and_an_original_does_not() -> None:
    """P8: a reprint says 补打."""
    original, copy = (write(PAPER, PAID, "zh", NOW, copy) for copy in (False, True))
    assert "补打" in words(copy) and "补打" not in words(original)
    assert words(copy).index("补打") < words(copy).index("王*兰")
    assert "Reprint" in words(write(PAPER, PAID, "en", NOW, copy=True))


def test_an_english_slip_names_the_gate_in_english() -> None:
    assert "K03 Gate 3" in words(write(PAPER, PAID, "en", NOW))
    assert "K03 3号门" in words(write(PAPER, PAID, "zh", NOW))


def test_three_insurers_are_three_lines_on_paper_as_well() -> None:
    """Row 62: a zero is an answer too."""
    pairs = [line for line in write(PAPER, PAID, "zh", NOW).lines if isinstance(line, Pair)]
    told = {pair.left: pair.right for pair in pairs}
    assert [told[key] for key in ("基本医保付", "大病保险付", "医疗救助付")] == [
        "-¥71.30",
        "-¥16.00",
        "¥0.00",
    ]
    assert told["您自己付"] == "¥41.20"


def test_a_slip_for_a_relative_names_both() -> None:
    """Row 37: who it is for, who paid; both masked."""
    said = words(write(PAPER, PAID, "zh", NOW))
    assert "王*兰" in said and "李*国" in said


@pytest.mark.parametrize("result", RESULTS)
def test_each_result_has_words_of_its_own_and_the_reference(result: str) -> None:
    """U11: four results; a doubt never reads as a failure."""
    said = {
        one: words(write(PAPER, FACTS[f"payment, {one}"], "zh", NOW)).splitlines()[1]
        for one in RESULTS
    }
    assert len(set(said.values())) == len(RESULTS)
    text = words(write(PAPER, FACTS[f"payment, {result}"], "zh", NOW))
    assert "K03-261122-8K42" in text
    if result == "checking":
        assert "失败" not in text and "没有扣钱" not in text


HOSTILE = {
    "new lines": "王\r\n\n兰\n已付款",
    "printer commands": "王\x1b@\x1dV\x00\x10\x14\x01兰",
    "direction and width": "王\u202e兰\u200b\u2066",
    "line separators": "王\u2028\u2029兰",
    "a mountain of marks": "王" + "\u0301" * 500 + "兰",
    "a lone surrogate": "王\ud800兰",
    "longer than the paper": "王" * 400,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    """A name with control characters never reaches the printer as a command, nor a line of its
    own."""
    plain = write(PAPER, replace(PAID, who="王兰"), "zh", NOW)
    hostile = write(PAPER, replace(PAID, who=name), "zh", NOW)
    assert len(hostile.lines) == len(plain.lines)
    layout = paper_slip.lay_out(lay_out(hostile))
    rows = [block.text for block in layout.blocks if isinstance(block, paper_slip.Row)]
    assert not any(character < " " for row in rows for character in row)
    assert not any(row.strip() == "已付款" for row in rows), "it wrote a line of its own"
    assert b"\x1b@\x1dV" not in printed(hostile)[2:]


def test_elders_slips_are_twice_as_large() -> None:
    """Row 105's part here."""
    slip = lay_out(write(PAPER, PAID, "zh", NOW))
    larger = paper_slip.enlarged(slip)
    assert paper_slip.lay_out(larger) != paper_slip.lay_out(slip)
