"""Words: complete in each language, used, short, and never those of an office."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po

import ui
from kiosk.views import Language
from ui.words import STRINGS, Catalogue, keys_page, read_sentences

HERE = Path(ui.__file__).parent
LANGUAGES: tuple[Language, ...] = get_args(Language)
HANZI = re.compile(r"[\u3400-\u9fff]")
DATA = {"samples.py"}  # invented people and bills: data, as the hospital sends it


CODES_OF_FLOWS = """
notice: put_again card_reversed card_unreadable card_not_supported card_expired code_unknown
    code_not_for_this code_expired code_garbled not_a_number paper_near_end no_receipt_paper
    no_report_paper receipt_printer_away a4_printer_away id_reader_away scanner_away pad_away
    hospital_away slot_gone already_registered nothing_to_pay split_changed wrong_pin pin_locked
    not_known_here second_factor declined declined_funds cancelled_at_pad no_departments
    card_removed printer_jam cover_open code_too_dark code_glare
    no_toner output_full a4_printer_stopped a4_printer_busy
problem: hospital_away pad_away no_slots check_in_not_today check_in_too_early check_in_too_late
    check_in_cancelled check_in_unknown quote_already_paid quote_hold_ended
    quote_insurer_refused quote_insurer_away quote_unknown_bill a4_printer_away no_report_paper
    report_unavailable payment_pending not_entitled
busy: identifying asking holding quoting checking_in booking printing looking_up leaving
"""
"""Typed from what the flows were promised; they use these and may use more."""

CODES = {
    family: codes.split()
    for family, codes in re.findall(r"(?m)^(\w+):((?:.+\n)(?:    .+\n)*)", CODES_OF_FLOWS)
}


def _catalogue(language: Language) -> Catalogue:
    return Catalogue(language=language)


def _sources() -> list[Path]:
    found = [path for path in HERE.rglob("*") if path.suffix in (".py", ".kv")]
    return [path for path in found if "bench" not in path.parts]  # it has words of its own


def test_every_language_has_every_key() -> None:
    keys = [set(read_sentences(STRINGS / f"{language}.po")) for language in LANGUAGES]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_doubtful(language: Language) -> None:
    with (STRINGS / f"{language}.po").open("rb") as source:
        messages = [message for message in read_po(source) if message.id]
    keys = [message.id if isinstance(message.id, str) else message.id[0] for message in messages]
    assert not [message.id for message in messages if message.fuzzy]
    said = {key: message.string for key, message in zip(keys, messages, strict=True)}
    empty = [key for key, one in said.items() if not all([one] if isinstance(one, str) else one)]
    assert empty == (["sentence_gap"] if language == "zh" else [])  # Chinese sentences just join
    assert len(set(keys)) == len(keys)


def test_sentences_of_both_languages_take_the_same_arguments() -> None:
    zh, en = (read_sentences(STRINGS / f"{language}.po") for language in LANGUAGES)

    def names(sentence: str | tuple[str, ...]) -> set[str | None]:
        forms = (sentence,) if isinstance(sentence, str) else sentence
        return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}

    assert [key for key in zh if names(zh[key]) - {"n"} != names(en[key]) - {"n"}] == []


def test_every_key_in_the_sources_is_in_the_catalogue() -> None:
    keys = set(read_sentences(STRINGS / "zh.po"))
    saying = r"""(?:\.say|\.count|\btr\._|\.both|\.either)\(['"]([a-z_0-9]+\.[a-z_0-9.]+)['"]"""
    asked = {key for path in _sources() for key in re.findall(saying, _read(path))}
    assert asked - keys == set()


def test_no_key_is_left_over() -> None:
    text = "\n".join(_read(path) for path in _sources())
    left_over = [
        key
        for key in read_sentences(STRINGS / "zh.po")
        if f'"{key}"' not in text and f"'{key}'" not in text and not re.search(_made(key), text)
    ]
    assert left_over == []


def _made(key: str) -> str:
    """A key put together in code: f"family.{…}" or f"family.start_{…}"."""
    family, _, rest = key.partition(".")
    starts = [rest[:at] for at in range(len(rest) + 1)]
    ends = "|".join(re.escape(start) for start in sorted(starts, key=len, reverse=True))
    return rf'"{family}\.(?:{ends})\{{'


def test_no_chinese_stands_in_code_or_layout() -> None:
    found = {
        str(path.relative_to(HERE)): [line for line in _code_lines(path) if HANZI.search(line)]
        for path in _sources()
        if path.name not in DATA
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def _code_lines(path: Path) -> list[str]:
    """Lines without comments and docstrings: those may quote what a page says."""
    text = re.sub(r'"""[\s\S]*?"""', "", _read(path))
    return [line.partition("#")[0] for line in text.splitlines()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_sentences_are_short_enough_for_a_market_stall() -> None:
    """At most 14 hanzi a sentence, three sentences; SCREENS U4."""
    too_long = {}
    for key, sentence in read_sentences(STRINGS / "zh.po").items():
        said = sentence if isinstance(sentence, str) else sentence[0]
        parts = [part for part in re.split(r"[。？！]", said) if part]
        if len(parts) > 3 or any(len(HANZI.findall(part)) > 14 for part in parts):
            too_long[key] = said
    assert too_long == {}


@pytest.mark.parametrize("word", ["自费金额", "就诊区域", "冲正", "单边账", "预结算", "统筹"])
def test_no_word_of_an_office_is_said(word: str) -> None:
    said = [str(one) for one in read_sentences(STRINGS / "zh.po").values()]
    assert not [one for one in said if word in one]


def test_chinese_uses_full_width_punctuation() -> None:
    said = {key: str(one) for key, one in read_sentences(STRINGS / "zh.po").items()}
    wrong = re.compile(r"[\u3400-\u9fff][,?!;:]|[,?!;:][\u3400-\u9fff]")
    assert {key: one for key, one in said.items() if wrong.search(one)} == {}


@pytest.mark.parametrize("family", CODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_flows_use_has_a_sentence(family: str, language: Language) -> None:
    words = _catalogue(language)
    assert [code for code in CODES[family] if not words.has(f"{family}.{code}")] == []
    if family == "problem":
        assert [code for code in CODES[family] if not words.has(f"problem_do.{code}")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_code_says_something_safe(language: Language) -> None:
    words = _catalogue(language)
    for family in ("notice", "problem", "problem_do", "busy"):
        assert words.say(f"{family}.nobody_knows_this") == words.say(f"{family}.general") != ""
    assert words.fill("notice.nobody_knows_this", ("a", "b")) == words.say("notice.general")


def test_english_knows_one_and_many() -> None:
    words = _catalogue("en")
    assert words.count("task.items", 1) == "1 item"
    assert words.count("task.items", 2) == "2 items"


def test_the_page_of_codes_is_up_to_date() -> None:
    assert (STRINGS / "KEYS.md").read_text() == keys_page()
