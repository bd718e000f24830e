"""What staff see and may do: the console, calls for help, policies. Deny by default (row 113)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway import fleet, policy
from gateway.adapters.port import Refused
from gateway.fleet import RIGHTS, Right, Role
from gateway.policy import Policy, PolicyFile
from gateway.sealing import Keys
from gateway.tables import look_ups
from kiosk.hospital import contract as c
from tests.gateway.served import served
from tests.gateway.world import MASTER, MORNING, World, make_world, record, screening

TODAY = MORNING.date()


@dataclass
class Console:
    world: World
    url: str
    tokens: dict[Role, str]

    def get(self, role: Role) -> requests.Response:
        auth = (role.value, self.tokens[role])
        return requests.get(f"{self.url}/console", auth=auth, timeout=10)

    def answer(self, role: Role, key: str, mark: str, coming: str = "小张") -> int:
        form = {"key": key, "mark": mark, "coming": coming}
        auth = (role.value, self.tokens[role])
        answer = requests.post(
            f"{self.url}/console/help", data=form, auth=auth, timeout=10, allow_redirects=False
        )
        return answer.status_code


@pytest.fixture
def console(light_world: World) -> Iterator[Console]:
    store = light_world.parts.store
    tokens = {role: fleet.add_operator(store, role.value, role) for role in Role}
    with served(light_world) as url:
        yield Console(light_world, url, tokens)


def mark_in(page: str) -> str:
    found = re.search(r'name=mark value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_the_console_is_closed_to_everybody_unknown(console: Console) -> None:
    """Row 113."""
    for auth in (None, ("operator", "wrong"), ("nobody", ""), ("operator", "")):
        answer = requests.get(f"{console.url}/console", auth=auth, timeout=10)
        assert answer.status_code == 401
        assert "T1" not in answer.text
    assert requests.post(f"{console.url}/console/help", data={}, timeout=10).status_code == 401


def test_every_role_sees_what_is_listed_for_it_and_nothing_else(console: Console) -> None:
    """Row 113: the table of rights is the whole truth."""
    console.world.ask(c.CallHelp("help-1", "一楼大厅", "pay"))
    for role in Role:
        page = console.get(role).text
        assert ("未接受的记录" in page) == (Right.SEE_REFUSED in RIGHTS[role])
        assert ("我去" in page) == (Right.ANSWER_HELP in RIGHTS[role])
        assert ("对账差异" in page) == (Right.SEE_MONEY in RIGHTS[role])


def test_somebody_answers_a_call_and_the_terminal_learns_the_name(console: Console) -> None:
    """Row 104, its gateway half."""
    console.world.ask(c.CallHelp("help-1", "一楼大厅 3 号机", "pay"))
    assert console.world.ask(c.AskHelp("help-1")) == c.Help("help-1")
    page = console.get(Role.VOLUNTEER).text
    assert "一楼大厅 3 号机" in page
    assert console.answer(Role.VOLUNTEER, "help-1", mark_in(page)) == 303
    assert console.world.ask(c.AskHelp("help-1")) == c.Help("help-1", coming="小张")
    assert "小张 正在过去" in console.get(Role.OPERATOR).text


def test_a_call_that_nobody_answers_escalates_after_a_minute(light_world: World) -> None:
    light_world.ask(c.CallHelp("help-1", "一楼大厅", "home"))
    light_world.clock.advance(seconds=59)
    assert not light_world.ask(c.AskHelp("help-1")).escalated
    light_world.clock.advance(seconds=1)
    assert light_world.ask(c.AskHelp("help-1")).escalated


def test_a_call_is_told_only_to_the_terminal_that_made_it(light_world: World) -> None:
    light_world.ask(c.CallHelp("help-1", "一楼大厅", "home"))
    with pytest.raises(Refused, match="no_such_call"):
        light_world.ask(c.AskHelp("help-1"), terminal="T2")


def test_a_role_without_the_right_cannot_answer(console: Console) -> None:
    console.world.ask(c.CallHelp("help-1", "一楼大厅", "pay"))
    mark = mark_in(console.get(Role.VOLUNTEER).text)
    for role in (Role.TECHNICIAN, Role.FINANCE, Role.AUDITOR):
        assert console.answer(role, "help-1", mark) == 403
    assert console.world.ask(c.AskHelp("help-1")).coming == ""


def test_a_page_from_elsewhere_cannot_press_the_button(console: Console) -> None:
    console.world.ask(c.CallHelp("help-1", "一楼大厅", "pay"))
    for mark in ("", "0" * 64, mark_in(console.get(Role.OPERATOR).text)):
        assert console.answer(Role.VOLUNTEER, "help-1", mark) == 403


def test_the_console_shows_terminals_waiting_times_and_the_days_counts(console: Console) -> None:
    """Rows 27 and 119: p50 and p90 of the entrance, and the daily report that nobody makes."""
    world = console.world
    world.ask(c.Hello("T1", "0.1.0", MORNING, waiting=7, troubles=("receipt_printer",)))
    spoilt = record(4, "{}", "screening")
    sent = [record(n, screening(f"S{n}", waited_s=n * 300), "screening") for n in (1, 2, 3)]
    world.ask(c.Outbox((*sent, spoilt)))
    page = console.get(Role.OPERATOR).text
    assert "<td>⚠ 有故障" in page
    assert "<td>小票打印机" in page
    assert "今天 3 人 · 一半不超过 10:00 · 九成不超过 15:00" in page
    assert "十人中有一人等了 15 分钟以上" in page
    assert "<td>绿色通道流调<td>已接受<td>3" in page
    assert "<td>绿色通道流调<td>内容读不懂" in page
    assert "马德福" not in page


def test_a_terminals_words_cannot_become_the_consoles_html(console: Console) -> None:
    world = console.world
    world.ask(c.CallHelp("help-1", "<script>alert(1)</script>", '"><img src=x>'))
    world.ask(c.Hello("T1", "<b>", MORNING, troubles=("<i>",)))
    page = console.get(Role.OPERATOR).text
    for hostile in ("<script>alert", "<img src=x", "<b>", "<i>"):
        assert hostile not in page


@dataclass
class Rules:
    """A policy file and the key that must have signed it."""

    folder: Path
    private: Ed25519PrivateKey

    @property
    def path(self) -> Path:
        return self.folder / "policy.json"

    def write(self, begins: date, ends: date) -> None:
        rule = Policy("health_code", begins, ends, "疫情防控通告 2026-11")
        self.path.write_bytes(policy.sign(rule, self.private))

    def file(self) -> PolicyFile:
        public = base64.b64encode(self.private.public_key().public_bytes_raw()).decode()
        return PolicyFile(self.path, public)


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path, Ed25519PrivateKey.from_private_bytes(bytes(32)))


LOOK_UP = c.LookUpHealthCode("610102194302110097", "V1", "老人没有手机")


@pytest.fixture
def ruled(url: str, rules: Rules) -> Iterator[World]:
    made = make_world(url, rules.file())
    yield made
    made.close()


def test_health_codes_are_looked_up_only_while_a_signed_policy_is_on(
    ruled: World, rules: Rules
) -> None:
    """Rows 19 and 25: off by default; who asked and why is kept, the number only as a hash."""
    with pytest.raises(Refused, match="policy_off"):
        ruled.ask(LOOK_UP)
    rules.write(TODAY, TODAY + timedelta(days=30))
    assert ruled.ask(LOOK_UP).result in ("clear", "attention")
    with ruled.parts.store.reading() as connection:
        (kept,) = connection.execute(look_ups.select()).all()
    assert (kept.terminal, kept.operator, kept.because) == ("T1", "V1", "老人没有手机")
    assert kept.number_hash == Keys(MASTER).digest(LOOK_UP.number.encode())
    ruled.clock.advance(days=31)
    with pytest.raises(Refused, match="policy_off"):
        ruled.ask(LOOK_UP)


def test_a_policy_not_yet_on_forged_or_spoilt_is_off(light_world: World, rules: Rules) -> None:
    rules.write(TODAY + timedelta(days=1), TODAY + timedelta(days=9))
    assert rules.file().in_force(MORNING) is None
    rules.write(TODAY, TODAY)
    assert rules.file().in_force(MORNING) is not None
    genuine = rules.path.read_text()
    longer = genuine.replace(f'"valid_until": "{TODAY}"', '"valid_until": "2099-01-01"')
    assert longer != genuine
    for spoilt in (longer, genuine[:-9], "", "[]", genuine.replace("疫情", "无限")):
        rules.path.write_text(spoilt)
        assert rules.file().in_force(MORNING) is None
    other = Rules(rules.folder, Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    other.write(TODAY, TODAY)
    assert rules.file().in_force(MORNING) is None


def test_a_look_up_without_a_reason_is_refused(ruled: World, rules: Rules) -> None:
    rules.write(TODAY, TODAY)
    with pytest.raises(Refused, match="reason_missing"):
        ruled.ask(c.LookUpHealthCode("610102194302110097", "V1", "  "))
