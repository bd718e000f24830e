"""Whatever a flow says has a sentence in every language; none is left to the general one."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest

from kiosk.flows.scene import Shown
from kiosk.views import Language, Problem, TypeIn
from tests.flows.explore import Explorer
from tests.flows.walk import FLOWS
from ui.words import Catalogue

STEPS = 3000


def keys_of(shown: Shown) -> set[str]:
    """The keys of the screen's words that a flow has chosen."""
    said = {f"busy.{shown.busy}"} if shown.busy else set()
    said |= {f"notice.{shown.notice.code}"} if shown.notice else set()
    match shown.page:
        case Problem(code):
            said |= {f"problem.{code}", f"problem_do.{code}"}
        case TypeIn(what, error=error):
            said |= {f"type_in.title_{what}"}
            said |= {f"type_in.error_{error}"} if error else set()
    return said


@pytest.mark.parametrize("flow", FLOWS)
def test_every_code_a_flow_says_has_a_sentence(flow: str) -> None:
    explorer = Explorer(FLOWS[flow], Random(f"{flow} said"))
    said: set[str] = set()
    for _ in range(STEPS):
        if explorer.begun:
            explorer.step(explorer.event())
        else:
            explorer.restart()
        said |= keys_of(FLOWS[flow].view(explorer.state, explorer.scene))
    for language in get_args(Language):
        sentences = Catalogue().sentences(language)
        assert said <= set(sentences), said - set(sentences)
