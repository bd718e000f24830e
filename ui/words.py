"""The words on the screen: one catalogue a language, keys with dots, no sentence in code.

Rule: pure but for reading `strings/*.po`. A key that is not there gives a safe general sentence
and never an exception; tests hold the catalogues complete. `python -m ui.words` writes the list of
all codes other packages may use, strings/KEYS.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from babel.messages.pofile import read_po

from kiosk.views import Language

STRINGS = Path(__file__).parent / "strings"

FAMILIES = ("notice", "problem", "problem_do", "busy")
"""Keys made of a family and a code that other packages choose: `notice.card_reversed`."""

Sentences = dict[str, str | tuple[str, ...]]


@dataclass
class Catalogue:
    """Every language's sentences; `language` is the one being shown."""

    folder: Path = STRINGS
    language: Language = "zh"
    _read: dict[Language, Sentences] = field(default_factory=dict)

    def sentences(self, language: Language) -> Sentences:
        """Read when first wanted: the first frame needs one language only."""
        if language not in self._read:
            self._read[language] = read_sentences(self.folder / f"{language}.po")
        return self._read[language]

    def has(self, key: str) -> bool:
        return key in self.sentences(self.language)

    def say(self, key: str, **arguments: object) -> str:
        """The sentence of a key, its {names} filled in."""
        found = self.sentences(self.language).get(key)
        if found is None:
            return self._general(key)
        sentence = found if isinstance(found, str) else found[-1]
        return sentence.format(**arguments) if arguments else sentence

    def count(self, key: str, number: int, **arguments: object) -> str:
        """The form of the sentence that fits the number; {n} is the number."""
        found = self.sentences(self.language).get(key)
        if found is None:
            return self._general(key)
        forms = (found,) if isinstance(found, str) else found
        return forms[0 if number == 1 else -1].format(n=number, **arguments)

    def fill(self, key: str, arguments: tuple[str, ...]) -> str:
        """A notice's sentence: its {0} {1} are filled, a missing one stays empty."""
        padded = (*arguments, "", "", "", "")
        return self.say(key).format(*padded)

    def either(self, key: str, fallback: str) -> str:
        """The sentence of the key or, when nobody wrote one, of the fallback."""
        return self.say(key if self.has(key) else fallback)

    def both(self, key: str) -> str:
        """In every language, one a line: for pages before anybody chose."""
        languages: tuple[Language, ...] = get_args(Language)
        return "\n".join(str(self.sentences(language)[key]) for language in languages)

    def codes(self, family: str) -> list[str]:
        """Every code of a family that has a sentence."""
        start = f"{family}."
        return [key.removeprefix(start) for key in self.sentences("zh") if key.startswith(start)]

    def _general(self, key: str) -> str:
        """What is said for a code that nobody wrote a sentence for."""
        family = key.partition(".")[0]
        return str(self.sentences(self.language).get(f"{family}.general", ""))


def read_sentences(path: Path) -> Sentences:
    with path.open("rb") as source:
        messages = [message for message in read_po(source) if message.id]
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        if isinstance(message.string, str)
        else tuple(message.string)
        for message in messages
    }


def keys_page() -> str:
    """strings/KEYS.md: the codes other packages may use, with their sentences."""
    words = Catalogue()
    lines = ["# Codes with a sentence", "", "Made by `python -m ui.words`. An unknown code shows"]
    lines += ["its family's `general` sentence.", ""]
    for family in FAMILIES:
        lines += [f"## {family}", "", "| code | zh | en |", "|---|---|---|"]
        for code in words.codes(family):
            said = [str(words.sentences(one)[f"{family}.{code}"]) for one in get_args(Language)]
            lines.append(f"| {code} | {' | '.join(said)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    (STRINGS / "KEYS.md").write_text(keys_page())
