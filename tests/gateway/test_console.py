"""The console beside the terminals: it never holds them up, and says what is true in words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import pytest
import requests

from gateway.adapters.demo import people
from gateway.cli import demo_app
from gateway.fleet import Role
from gateway.matching import Difference
from gateway.tables import differences
from kiosk.hospital import contract as c
from tests.gateway.test_staff import Console, console, mark_in
from tests.gateway.world import MORNING, World, record

__all__ = ["console"]


def test_a_form_of_any_length_is_read_no_further_than_ours(light_world: World) -> None:
    """Asked as a server asks an application, which alone sees what it takes in."""
    taken = 0
    said: list[int] = []

    async def receive() -> dict[str, object]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 4000, "more_body": taken < 1000}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message.get("status", 0))

    scope = {"type": "http", "method": "POST", "path": "/console/help", "query_string": b""}
    scope |= {"headers": [], "http_version": "1.1", "scheme": "http"}
    asyncio.run(demo_app(light_world.parts, with_controls=False)(scope, receive, send))
    assert (said[0], taken) == (413, 2)


def test_an_answer_that_waits_for_the_database_holds_up_nobody_else(console: Console) -> None:
    console.world.ask(c.CallHelp("help-1", "一楼大厅", "pay"))
    mark = mark_in(console.get(Role.VOLUNTEER).text)
    answered: list[int] = []
    pressed = threading.Thread(
        target=lambda: answered.append(console.answer(Role.VOLUNTEER, "help-1", mark))
    )
    with console.world.parts.store.writing():
        pressed.start()
        for _ in range(20):
            assert requests.get(f"{console.url}/healthz", timeout=2).status_code == 200
        assert answered == []
    pressed.join(timeout=10)
    assert answered == [303]


def test_how_long_somebody_waited_ends_when_somebody_goes(console: Console) -> None:
    world = console.world
    world.ask(c.CallHelp("help-1", "一楼大厅", "pay"))
    world.clock.advance(seconds=95)
    assert console.answer(Role.VOLUNTEER, "help-1", mark_in(console.get(Role.VOLUNTEER).text))
    world.clock.advance(minutes=40)
    page = console.get(Role.OPERATOR).text
    assert "<td>志愿者<td>缴费<td>1:35<td>小张 正在过去" in page


@pytest.mark.parametrize(
    ("hello", "state", "words"),
    [
        (c.Hello("T1", "0.1.0", MORNING), "正常", "<td>0<td><td>0.1.0"),
        (c.Hello("T1", "0.1.0", MORNING, troubles=("pad", "new")), "⚠ 有故障", "刷卡机；new"),
        (c.Hello("T1", "0.1.0", MORNING + timedelta(minutes=5)), "⚠ 有故障", "时钟快 5:00"),
        (c.Hello("T1", "0.1.0", MORNING - timedelta(minutes=2)), "⚠ 有故障", "时钟慢 2:00"),
        (c.Hello("T1", "0.1.0", MORNING, 7, oldest_s=5400), "正常", "7 条，最早 90 分钟前"),
    ],
)
def test_a_terminal_that_is_not_well_is_not_called_well(
    console: Console, hello: c.Hello, state: str, words: str
) -> None:
    console.world.ask(hello)
    (row,) = (one for one in console.get(Role.TECHNICIAN).text.split("<tr>") if "<td>T1" in one)
    assert f"<td>T1<td>{state}<td>" in row
    assert words in row


def keep(world: World, *rows: tuple[str, str, Difference]) -> None:
    with world.parts.store.writing() as connection:
        for day, reference, difference in rows:
            row: dict[str, object] = {
                "day": day,
                "reference": reference,
                "difference": difference.value,
            }
            row |= {"net_fen": 123456, "booked_fen": 0, "journal": "refund_due"}
            connection.execute(differences.insert().values(row))


def test_finance_reads_the_gravest_of_the_newest_day_first_and_how_many_there_are(
    console: Console,
) -> None:
    many = [("2026-11-18", f"A{n}", Difference.NOT_IN_JOURNAL) for n in range(60)]
    keep(
        console.world,
        *many,
        ("2026-11-19", "B1", Difference.ACROSS_DAY_CUT),
        ("2026-11-19", "B2", Difference.CHARGED_TWICE),
    )
    page = console.get(Role.FINANCE).text
    assert page.index("对账差异") < page.index("<h2>终端")
    assert page.index("B2") < page.index("B1") < page.index("A0")
    assert "<td>重复扣款<td>B2<td>¥1234.56<td>¥0.00<td>待退款<td>财务<td>" in page
    assert "共 62 条，这里是前 50 条。" in page


def test_an_alarm_says_what_to_do_now(console: Console) -> None:
    body = c.PaymentRecord("K01-7", "UNKNOWN", 4120, MORNING, "")
    console.world.ask(c.Outbox((record(1, body, "payment"),)))
    page = console.get(Role.AUDITOR).text
    assert "<td>付款久未核实<td>T1<td>K01-7<td>财务按单号查渠道流水，了结前不要重收" in page
    assert people.ELDER.name not in page
