"""The bench does over its socket what hands do at the machine, and refuses the rest in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.demo import people
from kiosk.demo.bench import NOTES, BenchHost
from kiosk.views import Attract, Home
from tests.system.conftest import Terminal
from ui.bench.protocol import CODES, PAD_ANSWERS, BenchClient
from ui.bench.words import catalogue


@pytest.fixture
def bench(terminal: Terminal, tmp_path: Path) -> Iterator[BenchClient]:
    host = BenchHost(terminal.world, tmp_path / "bench.sock")
    host.start()
    client = BenchClient(tmp_path / "bench.sock")
    yield client
    client.close()
    host.stop()


def test_a_card_laid_on_the_bench_is_read_by_the_terminal(
    terminal: Terminal, bench: BenchClient
) -> None:
    assert bench.say("lay_card", person=people.TWO_REPORTS.id) == {"ok": True}
    terminal.walk().until("home")


def test_a_social_card_put_in_on_the_bench_leads_home_through_pcscd(
    terminal: Terminal, bench: BenchClient
) -> None:
    """Rows 2 and 6: another card, the same person, found by the ID number."""
    slot = terminal.world.devices.slot
    if slot.why_not:
        refused = bench.say("put_social_card", person=people.TWO_REPORTS.id)
        assert refused == {"ok": False, "why": slot.why_not}
        return
    walk = terminal.walk()
    view = walk.until("attract")
    assert isinstance(view.page, Attract) and view.page.card_slot
    assert any("社保卡" in text for text in terminal.texts())
    assert bench.say("put_social_card", person=people.TWO_REPORTS.id) == {"ok": True}
    view = walk.until("home")
    assert isinstance(view.page, Home) and view.page.name[0] == people.TWO_REPORTS.name[0]
    assert bench.say("pull_social_card") == {"ok": True}


def test_paper_taken_out_on_the_bench_is_missed_by_the_terminal(
    terminal: Terminal, bench: BenchClient
) -> None:
    assert bench.say("receipt_paper", there=False)["ok"]
    terminal.observer.wait(lambda view: not view.frame.works.receipt_printer, "no slip paper", 15)
    assert bench.say("receipt_paper", there=True)["ok"]
    terminal.observer.wait(lambda view: view.frame.works.receipt_printer, "slip paper again", 15)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"do": "phone_pays"}, "the screen shows no code"),
        ({"do": "fly"}, "the bench cannot do 'fly'"),
        ({"do": "misbehave", "device": "door", "name": "x"}, "door has no misbehaviours here"),
    ],
)
def test_what_hands_cannot_do_is_refused_in_words(
    terminal: Terminal, bench: BenchClient, said: dict[str, str], why: str
) -> None:
    answer = bench.say(said.pop("do"), **said)
    assert answer == {"ok": False, "why": why}


def test_the_bench_has_the_same_words_in_both_languages() -> None:
    zh, en = catalogue("zh"), catalogue("en")
    assert zh.keys() == en.keys()
    assert {f"code.{kind}" for kind in CODES} | {f"pad.{how}" for how in PAD_ANSWERS} <= zh.keys()
    assert NOTES
