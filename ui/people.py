"""How one person is written on a row: masked name, what they are to the holder, age.

Rule: pure; a relation nobody wrote a word for is shown as it came.
"""

from __future__ import annotations

from typing import Any

from kiosk.views import PersonCard
from ui.formats import plain
from ui.words import Catalogue


def relation(words: Catalogue, key: str) -> str:
    if not key:
        return ""
    return words.say(f"relation.{key}") if words.has(f"relation.{key}") else plain(key)


def detail(words: Catalogue, person: PersonCard) -> str:
    age = words.say("person.age", n=person.age) if person.age is not None else ""
    parts = (relation(words, person.relation), age)
    return words.say("dot").join(part for part in parts if part)


def dress(row: Any, words: Catalogue, person: PersonCard, icon: str) -> None:
    """Fill a PersonRow; larger words have no room for an icon."""
    row.target, row.icon = f"person:{person.key}", icon
    row.title, row.detail = plain(person.name), detail(words, person)
    row.chosen = person.chosen
    row.trail_icon = "check-bold" if person.chosen else ""
