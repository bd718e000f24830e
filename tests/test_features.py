"""Every row of the first release has a test, and docs/features.md names files that prove them."""

from __future__ import annotations

import re

import pytest

from tests.features import PAGE, ROWS, numbers_in, proofs


@pytest.mark.parametrize(
    ("docstring", "rows"),
    [
        ("Row 38: at most what is there.", [38]),
        ("Rows 20–23 and 26, each by itself", [20, 21, 22, 23, 26]),
        ("Rows 4, 7, and 119.", [4, 7, 119]),
        ("DESIGN §5; row 103", [103]),
        ("Three rows of a table", []),
    ],
)
def test_rows_are_read_as_they_are_written(docstring: str, rows: list[int]) -> None:
    assert list(numbers_in(docstring)) == rows


def test_no_row_of_the_first_release_is_without_a_test() -> None:
    assert sorted(set(ROWS) - set(proofs())) == []


def test_the_page_lists_every_row_and_no_file_that_is_gone() -> None:
    """When this fails: .venv/bin/python -m tests.features"""
    text = PAGE.read_text("utf-8")
    assert [int(row) for row in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(ROWS)
    there = {name.partition("::")[0] for names in proofs().values() for name in names}
    assert sorted(set(re.findall(r"`([\w/]+\.py)`", text)) - there) == []
