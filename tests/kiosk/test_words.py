"""Words on paper: complete in each language, with the same blanks to fill in."""

from __future__ import annotations

from string import Formatter
from typing import get_args

import pytest

from kiosk.views import Language
from kiosk.words import keys, known, say

LANGUAGES: tuple[Language, ...] = get_args(Language)


def blanks(language: Language, key: str) -> set[str]:
    text = known(language, key, key)
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_key_stands_in_every_language() -> None:
    """Each language's words complete."""
    assert len(keys("zh")) > 50
    for language in LANGUAGES:
        assert keys(language) == keys("zh"), keys(language) ^ keys("zh")


@pytest.mark.parametrize("key", sorted(keys("zh")))
def test_a_key_says_something_and_has_the_same_blanks_everywhere(key: str) -> None:
    for language in LANGUAGES:
        assert known(language, key, key).strip(), f"{key} is empty in {language}"
        assert blanks(language, key) == blanks("zh", key), language


def test_a_missing_key_is_a_bug_and_says_which() -> None:
    with pytest.raises(KeyError, match="nothing_of_the_kind"):
        say("zh", "nothing_of_the_kind")


def test_a_word_that_comes_from_data_has_one_to_fall_back_on() -> None:
    assert known("en", "relation.unheard_of", "relation.other") == known("en", "relation.other", "")


def test_no_word_is_left_in_the_other_script() -> None:
    """An English slip holds no hanzi."""
    english = "".join(known("en", key, key) for key in keys("en"))
    assert not any("一" <= character <= "鿿" for character in english)
