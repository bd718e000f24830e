"""What a line of text does to an emulator: the words that stand for a bench's hands.

Rule: a word that cannot be carried out says why (WordError) and has changed nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drivers.transport import Emulator


class WordError(Exception):
    """A line that cannot be carried out; the text is for whoever typed it."""


class Misbehaving(Emulator, Protocol):
    """What every emulator of ours is."""

    def misbehave(self, name: str) -> None: ...

    def behave(self) -> None: ...


@dataclass(frozen=True)
class Hand:
    """One word: how its arguments look (empty: none), what it does, and the doing.

    `act` gets the rest of the line and returns a word or two about what came of it, or nothing.
    """

    arguments: str
    words: str
    act: Callable[[str], str | None]


@dataclass(frozen=True)
class Bench:
    """An emulator, its own hands, and what it can be asked to do wrong."""

    emulator: Misbehaving
    misbehaviours: Mapping[str, str]
    hands: Mapping[str, Hand] = field(default_factory=dict)

    def all_hands(self) -> dict[str, Hand]:
        """Its own, and those that every emulator has."""
        return {
            **self.hands,
            "misbehave": Hand("WORD", "do one of the things below wrong", self._misbehave),
            "behave": Hand("", "as the manual says again", self._behave),
        }

    def carry_out(self, line: str) -> str:
        """Do what a line says; what to answer. WordError: nothing was done."""
        word, _, rest = line.strip().partition(" ")
        hand = self.all_hands().get(word)
        if hand is None:
            raise WordError(f"no word {word!r}; help lists them")
        if rest.strip() and not hand.arguments:
            raise WordError(f"{word} takes nothing after it")
        try:
            return hand.act(rest.strip()) or "ok"
        except ValueError as error:  # how emulators say that a hand's wish does not fit
            raise WordError(str(error)) from None

    def help(self) -> list[str]:
        """A line a word."""
        told = [
            f"{f'{word} {hand.arguments}'.strip():28} {hand.words}"
            for word, hand in self.all_hands().items()
        ]
        told += [f"{'help':28} these lines", f"{'quit':28} end, as SIGTERM does"]
        return told + [f"misbehave {name:18} {words}" for name, words in self.misbehaviours.items()]

    def _misbehave(self, name: str) -> None:
        if name not in self.misbehaviours:
            raise WordError(f"no misbehaviour {name!r}; help lists them")
        self.emulator.misbehave(name)

    def _behave(self, _rest: str) -> None:
        self.emulator.behave()


def does(act: Callable[[], object]) -> Callable[[str], None]:
    """A hand without arguments."""

    def carry_out(_rest: str) -> None:
        act()

    return carry_out


def settings(rest: str, known: frozenset[str]) -> dict[str, str]:
    """`key=value` pairs as a shell reads them. WordError: something else, or another key."""
    try:
        parts = [part.partition("=") for part in shlex.split(rest)]
    except ValueError as error:
        raise WordError(str(error)) from None
    for key, equals, _ in parts:
        if not equals or key not in known:
            raise WordError(f"{key!r} is none of {', '.join(sorted(known))}, each with =")
    return {key: value for key, _, value in parts}


def number(text: str, what: str, least: int, most: int) -> int:
    """A whole number within its bounds. WordError: it is none."""
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise WordError(f"{what} is a number from {least} to {most}")
    return int(text)
