"""What the documents promise is there: files they link to, words of `./run`, decisions in form."""

from __future__ import annotations

import re
import subprocess
from itertools import chain
from pathlib import Path

import pytest

import gateway.cli
import kiosk.cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_can_be_reached_from_the_first() -> None:
    """What no link leads to, nobody reads and nobody keeps true; a folder leads to all in it."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = (page.parent / target for target in LINK.findall(page.read_text("utf-8")))
        folders = (target.glob("*.md") if target.is_dir() else (target,) for target in targets)
        found = {one.resolve() for one in chain.from_iterable(folders) if one.suffix == ".md"}
        waiting += found - reached
    assert reached >= set(PAGES)


COMMAND = re.compile(r"^(?:\.venv/bin/)?(kiosk-gateway|kiosk) ((?:[a-z]+-?)+)", re.MULTILINE)


def test_every_command_that_a_page_shows_is_there() -> None:
    apps = {"kiosk": kiosk.cli.app, "kiosk-gateway": gateway.cli.app}
    there = {
        (name, command.name or command.callback.__name__)  # type: ignore[union-attr]
        for name, app in apps.items()
        for command in app.registered_commands
    }
    there |= {("kiosk", str(group.name)) for group in kiosk.cli.app.registered_groups}
    shown = {pair for page in PAGES for pair in COMMAND.findall(page.read_text("utf-8"))}
    assert len(shown) >= 10
    assert shown <= there


def test_the_readme_names_every_word_of_run() -> None:
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True).stdout
    words = re.findall(r"^\./run (\w+)", usage, re.MULTILINE)
    assert words == ["demo", "test", "check", "bench", "drill"]
    assert all(f"./run {word}" in README for word in words)


@pytest.mark.parametrize(("folder", "page"), [("bench", "benchmarks"), ("drills", "drills")])
def test_whatever_can_be_run_stands_on_its_page_and_nothing_else(folder: str, page: str) -> None:
    files = (ROOT / "tests" / folder).glob("[a-z]*.py")
    runnable = {
        path.stem
        for path in files
        if not path.stem.startswith("test_") and '"--json"' in path.read_text("utf-8")
    }
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    assert set(re.findall(rf"tests\.{folder}\.([a-z_]+)", text)) == runnable


def test_the_readme_s_layout_names_every_folder_of_code_and_no_other() -> None:
    layout = README.split("## Layout")[1].split("```")[1]
    named = set(re.findall(r"^(\w+)/", layout, re.MULTILINE))
    code = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}
    assert code | {"docs"} <= named
    assert all((ROOT / name).is_dir() for name in named)


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_tells_question_choice_and_price_on_half_a_page(record: Path) -> None:
    text = record.read_text("utf-8")
    number = record.name[:3]
    assert re.match(rf"# {number} \S", text)
    assert all(f"**{part}" in text for part in ("Question", "Choice", "Price"))
    assert text.count("\n") <= 40


def test_no_two_decisions_have_one_number() -> None:
    numbers = [record.name[:3] for record in DECISIONS]
    assert len(numbers) == len(set(numbers))
