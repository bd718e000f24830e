"""Which test proves which row of the features: `python -m tests.features` writes docs/features.md.

Rule: a test names its rows in its docstring ("Row 38", "Rows 20–23 and 26"); nothing is kept here
but what the rows ask for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "features.md"
SHOWN_MAX = 4

ROWS = {
    1: "one scan window takes every code",
    2: "a person is found by the ID number, sealed at rest",
    3: "other documents, and children without a number",
    4: "nobody registers without a name",
    7: "card or code at any point, nothing lost",
    11: "no card at all: a typed number and four digits, or a volunteer",
    19: "health code off unless a signed policy with an end says so",
    20: "substitute: the ID card",
    21: "substitute: a paper certificate that was seen",
    22: "substitute: a relative, both on slip and trail",
    23: "substitute: one holder, several dependants",
    24: "a lane without a phone, run by a volunteer",
    25: "staff look up for somebody, with the reason",
    26: "substitute: by hand; one button for none; a form counts once",
    27: "each person's waiting clock, and an alarm",
    28: "entrance records apart, for one purpose, erased in time",
    36: "registration for today and for later",
    37: "registration for a relative",
    38: "numbers kept for people on site, shown and enforced",
    39: "appointments of an hour, the window printed",
    40: "an hour may be shorter, never longer",
    44: "the emergency key on the first pages",
    47: "the ticket: room, number, how many before",
    48: "check-in on arrival",
    59: "the steps of the visit",
    60: "what a terminal is asked to do, at a terminal",
    61: "insurance first, the person pays the rest, one page",
    62: "three layers of insurance are three lines",
    63: "bank card, WeChat, Alipay, UnionPay",
    64: "a code to scan and a scanner that is armed, on one page",
    73: "itemised list, inpatients by day",
    76: "reports that are ready, and when the others will be",
    77: "all new reports by one press, marked when printed",
    102: "nothing needs a phone; paper for everything",
    103: "to the window from every page, by a slip",
    104: "help is called, and answered on the screen",
    107: "budgets of taps",
    109: "the next thing first",
    111: "a trail that can only grow",
    112: "found by a slip's number; one's own on paper",
    114: "masked, behind a curtain, wiped",
    119: "nothing known is asked again",
    123: "works on bad lines",
}
"""Of the first release; the numbers are those of the policy documents' list."""

_NUMBERS = re.compile(r"\b[Rr]ows?\s+((?:\d+(?:[–-]\d+)?(?:,\s+and\s+|,\s+|\s+and\s+)?)+)")


def numbers_in(text: str) -> Iterator[int]:
    """Every row that a docstring names; a range names all within."""
    for found in _NUMBERS.findall(text):
        for first, last in re.findall(r"(\d+)(?:[–-](\d+))?", found):
            yield from range(int(first), int(last or first) + 1)


def proofs() -> dict[int, list[str]]:
    """Row → tests, as path::name under tests/."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in set(numbers_in(ast.get_docstring(node) or "")):
                    found.setdefault(number, []).append(f"{path.relative_to(TESTS)}::{node.name}")
    return found


def page(found: dict[int, list[str]]) -> str:
    lines = [
        "# What is asked of a terminal, and the tests that prove it\n",
        "Written by `python -m tests.features` from the tests' docstrings (`grep -r 'ow 38' tests`",
        "finds those of row 38); files are those under `tests/`, a row may have more.\n",
        "| row | asked | proven by |",
        "| --: | --- | --- |",
    ]
    for number, asked in ROWS.items():
        files = dict.fromkeys(name.partition("::")[0] for name in found.get(number, []))
        named = ", ".join(f"`{file}`" for file in list(files)[:SHOWN_MAX])
        lines.append(f"| {number} | {asked} | {named} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(proofs()), "utf-8")
