"""The catalogue of audit events: read from audit_events.toml, checked, and asked at each append."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

Fact = str | int | bool

SEARCHABLE = frozenset({"session", "reference", "slip", "person"})
"""Field types under which an event is found again."""

DISPOSITIONS = frozenset({"done", "cancelled", "refused", "failed", "unknown", "timed_out"})

PATTERNS: dict[str, re.Pattern[str]] = {
    # Narrow on purpose: no type can carry a name, a sentence or an ID number's check letter.
    "session": re.compile(r"[a-z0-9-]{1,40}"),
    "reference": re.compile(r"[A-Za-z0-9/_-]{1,64}"),
    "slip": re.compile(r"[A-Za-z0-9-]{1,32}"),
    "person": re.compile(r"[0-9a-f]{32}"),
    "code": re.compile(r"[a-z][a-z0-9_]{0,40}"),
    "key": re.compile(r"[A-Za-z0-9/_.:-]{1,96}"),
    "version": re.compile(r"[A-Za-z0-9_.+-]{1,40}"),
    "disposition": re.compile("|".join(sorted(DISPOSITIONS))),
}

ID_NUMBER = re.compile(r"\d{17}[\dXx]")
"""A resident's number must not travel as a key or reference."""

INDEX_FRONT = "!"
"""Before a session's or a person's name in the index; no type allows it, so no name has it. What
this terminal numbers itself only grows and so stays at the index's end, where a page that is full
costs least: among names that come in any order a commit wrote two pages more."""

_PATTERNS_WITHOUT_NUMBERS: dict[str, re.Pattern[str]] = {
    name: pattern
    if name == "person"
    else re.compile(f"(?!.*{ID_NUMBER.pattern})(?:{pattern.pattern})")
    for name, pattern in PATTERNS.items()
}


@dataclass(frozen=True)
class Field:
    """One field of the vocabulary."""

    name: str
    type: str
    meaning: str

    @cached_property
    def allows(self) -> Callable[[Fact], bool]:
        """Whether a value is of this field's type. Made once: each step of a payment asks."""
        match self.type:
            case "flag":
                return lambda fact: isinstance(fact, bool)
            case "count" | "fen":
                return lambda fact: isinstance(fact, int) and not isinstance(fact, bool)
        fullmatch = _PATTERNS_WITHOUT_NUMBERS[self.type].fullmatch
        return lambda fact: isinstance(fact, str) and fullmatch(fact) is not None

    @property
    def index_front(self) -> str | None:
        """What stands before its values in the index; None: not searched for."""
        if self.type not in SEARCHABLE:
            return None
        return INDEX_FRONT if self.type in ("session", "person") else ""


@dataclass(frozen=True)
class EventKind:
    """One event of the catalogue."""

    name: str
    meaning: str
    required: tuple[Field, ...]
    optional: tuple[Field, ...]
    ends: str | None

    @cached_property
    def known(self) -> Mapping[str, Field]:
        """All its fields by name."""
        return {field.name: field for field in self.required + self.optional}

    def check(self, facts: Mapping[str, Fact]) -> None:
        """AssertionError unless exactly the listed fields are told, each of its type."""
        known = self.known
        for field in self.required:
            assert field.name in facts, f"{self.name} needs {field.name}"
        for name, fact in facts.items():
            assert name in known, f"{name} is not a field of {self.name}"
            assert known[name].allows(fact), f"{name} of {self.name} is not a {known[name].type}"

    @cached_property
    def _indexed(self) -> tuple[tuple[str, str], ...]:
        fields = ((field.name, field.index_front) for field in self.known.values())
        return tuple((name, front) for name, front in fields if front is not None)

    def searchable(self, facts: Mapping[str, Fact]) -> set[str]:
        """The names in the index under which this event will be found."""
        return {f"{front}{facts[name]}" for name, front in self._indexed if name in facts}


def in_index(name: str) -> tuple[str, str]:
    """How a name that somebody looks for may stand in the index."""
    return name, INDEX_FRONT + name


@dataclass(frozen=True)
class Catalogue:
    """All events and fields."""

    fields: Mapping[str, Field]
    events: Mapping[str, EventKind]

    @classmethod
    @cache
    def read(cls) -> Catalogue:
        """The catalogue that comes with this software; read once."""
        path = Path(__file__).with_name("audit_events.toml")
        return cls.parse(path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> Catalogue:
        """From TOML. AssertionError when it contradicts itself: it is part of the software."""
        content = tomllib.loads(text)
        fields = {
            name: Field(name, entry["type"], entry["meaning"])
            for name, entry in content["fields"].items()
        }
        for field in fields.values():
            assert field.type in {*PATTERNS, "flag", "count", "fen"}, field.name
        events = {}
        for name, entry in content["events"].items():
            required = tuple(fields[field] for field in entry["fields"])
            optional = tuple(fields[field] for field in entry.get("optional", ()))
            events[name] = EventKind(name, entry["meaning"], required, optional, entry.get("ends"))
        for event in events.values():
            ended = event.ends is not None
            assert ended == (fields["disposition"] in event.required), event.name
            assert event.ends is None or event.ends in events, event.name
        return cls(fields, events)
