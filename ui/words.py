"""The words on the screen: one catalogue a language, keys with dots, no sentence in code.

Rule: pure but for reading `strings/*.po`. A key that is not there gives a safe general sentence
and never an exception; tests hold the catalogues complete. `python -m ui.words` writes the list of
all codes other packages may use, strings/KEYS.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from babel.messages.pofile import read_po

from kiosk.views import Language

STRINGS = Path(__file__).parent / "strings"

NOTICE_CODES = ["put_again", "card_reversed", "card_unreadable", "card_not_supported", "card_expired", "card_removed", "code_unknown", "code_not_for_this", "code_expired", "code_garbled", "not_a_number", "paper_near_end", "no_receipt_paper", "no_report_paper", "printer_jam", "cover_open", "receipt_printer_away", "a4_printer_away", "id_reader_away", "scanner_away", "pad_away", "hospital_away", "slot_gone", "already_registered", "nothing_to_pay", "split_changed", "wrong_pin", "pin_locked", "not_known_here", "second_factor", "declined", "declined_funds", "cancelled_at_pad", "no_departments"]

PROBLEM_CODES = ["hospital_away", "pad_away", "no_slots", "check_in_not_today", "check_in_too_early", "check_in_too_late", "check_in_cancelled", "check_in_unknown", "quote_already_paid", "quote_hold_ended", "quote_insurer_refused", "quote_insurer_away", "quote_unknown_bill", "a4_printer_away", "no_report_paper", "report_unavailable", "payment_pending", "not_entitled"]

BUSY_KEYS = ["identifying", "asking", "holding", "quoting", "checking_in", "booking", "printing", "looking_up", "leaving"]

FAMILIES: dict[str, tuple[str, ...]] = {
    "notice": tuple(NOTICE_CODES),
    "problem": tuple(PROBLEM_CODES),
    "problem_do": tuple(PROBLEM_CODES),
    "busy": tuple(BUSY_KEYS),
}
"""Keys made of a family and a code that somebody else chooses: `notice.card_reversed`."""


@dataclass
class Catalogue:
    """Every language's sentences; `language` is the one being shown."""

    sentences: dict[Language, dict[str, str | tuple[str, ...]]]
    language: Language = "zh"

    def has(self, key: str) -> bool:
        return key in self.sentences[self.language]

    def say(self, key: str, **arguments: object) -> str:
        """The sentence of a key, its {names} filled in."""
        found = self.sentences[self.language].get(key)
        if found is None:
            return self._general(key)
        sentence = found if isinstance(found, str) else found[-1]
        return sentence.format(**arguments) if arguments else sentence

    def count(self, key: str, number: int, **arguments: object) -> str:
        """The form of the sentence that fits the number; {n} is the number."""
        found = self.sentences[self.language].get(key)
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
        return "\n".join(self._plain(language, key) for language in self.sentences)

    def _plain(self, language: Language, key: str) -> str:
        sentence = self.sentences[language][key]
        return sentence if isinstance(sentence, str) else sentence[-1]

    def _general(self, key: str) -> str:
        """What is said for a code that nobody wrote a sentence for."""
        family = key.partition(".")[0]
        general = self.sentences[self.language].get(f"{family}.general")
        return general if isinstance(general, str) else ""


def load(folder: Path = STRINGS) -> Catalogue:
    return Catalogue({name: _read(folder / f"{name}.po") for name in get_args(Language)})


def _read(path: Path) -> dict[str, str | tuple[str, ...]]:
    with path.open("rb") as source:
        messages = [message for message in read_po(source) if message.id]
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        if isinstance(message.string, str)
        else tuple(message.string)
        for message in messages
    }
