"""Words on paper: one catalogue a language, looked up by key; the screen's words are ui's.

Every key stands in every catalogue, a test sees to it; a missing one is a bug and says so.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from kiosk.views import Language


@cache
def _catalogue(language: Language) -> dict[str, str]:
    path = Path(__file__).with_name(f"{language}.po")
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=None) if m.id}


def keys(language: Language) -> frozenset[str]:
    """All keys of a language."""
    return frozenset(_catalogue(language))


def say(language: Language, key: str, **facts: object) -> str:
    """The words of a key, with its facts filled in."""
    return _catalogue(language)[key].format(**facts)


def known(language: Language, key: str, otherwise: str) -> str:
    """The words of a key that comes from data (a relation, an event), or of `otherwise`: another
    key, or a number that is the same in every language."""
    words = _catalogue(language)
    return words.get(key) or words.get(otherwise, otherwise)
