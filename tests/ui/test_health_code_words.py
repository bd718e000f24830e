"""Each result of a look-up has a sentence of its own; none is drawn as another."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from kiosk.hospital.contract import HealthCode
from kiosk.views import Language
from ui.words import Catalogue

RESULTS = get_args(get_type_hints(HealthCode)["result"])


@pytest.mark.parametrize("language", get_args(Language))
def test_every_result_of_the_contract_has_words_of_its_own(language: Language) -> None:
    """Row 19: a result as a word; `restricted` must never read as `not found`."""
    words = Catalogue()
    words.language = language
    said = [words.say(f"green.code_{result}") for result in RESULTS]
    assert all(words.has(f"green.code_{result}") for result in RESULTS)
    assert len(set(said)) == len(RESULTS) == 4
