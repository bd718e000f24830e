"""What a scanned text is: forms as their publishers give them, look-alikes, and hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.domain.codes import (
    CODE_BYTES_MAX,
    HealthCode,
    IdNumberCode,
    InsuranceCode,
    NotForThis,
    PayerCode,
    Purpose,
    classify,
)
from kiosk.domain.identity import check_character

HEX = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD0"[:64]
INSURANCE = "33000000000000000000001234AB"
ID_NUMBER = "11010519491231002X"  # the standard's own example


def whole(first_17: str) -> str:
    return first_17 + check_character(first_17)


def other_check(number: str) -> str:
    """The same 17 digits with a digit at the end that does not fit."""
    return number[:17] + ("1" if number[17] != "1" else "2")


IDENTITY = [
    (f"{HEX}:0", HealthCode(f"{HEX}:0", dynamic=False)),
    (f"{HEX}:1", HealthCode(f"{HEX}:1", dynamic=True)),
    (f"{HEX}:1:Q:130000", HealthCode(f"{HEX}:1:Q:130000", dynamic=True)),
    (INSURANCE, InsuranceCode(INSURANCE)),
    (other_check(ID_NUMBER), NotForThis("payment_code")),
    ("134567890123456789", NotForThis("payment_code")),
    ("2812345678901234", NotForThis("payment_code")),
    ("6212345678901234567", NotForThis("payment_code")),
    ("https://example.com/a?b=c", NotForThis("address")),
    (f"{HEX}:2", NotForThis("unknown")),
    (f"{HEX[:-1]}:1", NotForThis("unknown")),
    ("", NotForThis("unknown")),
    ("1' or '1'='1' --", NotForThis("unknown")),
]

PAYMENT = [
    ("134567890123456789", "wechat"),
    ("101234567890123456", "wechat"),
    ("159999999999999999", "wechat"),
    ("2512345678901234", "alipay"),
    ("301234567890123456789012", "alipay"),
    ("6212345678901234567", "unionpay"),
]

NO_PAYMENT = [
    ("164567890123456789", "unknown"),
    ("241234567890123456", "unknown"),
    ("3112345678901234", "unknown"),
    ("251234567890123", "unknown"),
    ("3012345678901234567890123", "unknown"),
    ("621234567890123456", "unknown"),
    ("62123456789012345678", "unknown"),
    ("0112345678901234567", "unknown"),
    (INSURANCE, "identity_code"),
    (f"{HEX}:1", "identity_code"),
    ("weixin://wxpay/bizpayurl?pr=a", "address"),
]


@pytest.mark.parametrize(("text", "code"), IDENTITY)
def test_an_identity_page_takes_identity_forms_only(text: str, code: object) -> None:
    """Rows 1 and 10. Forms: the scanners' protocol notes, code table."""
    assert classify(text, "identity") == code


def test_a_printed_id_number_is_taken_when_region_date_and_check_fit() -> None:
    """Row 2: the number is the index, in whatever hand it comes."""
    code = classify(ID_NUMBER.lower(), "identity")
    assert isinstance(code, IdNumberCode)
    assert code.number.text == ID_NUMBER


@pytest.mark.parametrize(("text", "provider"), PAYMENT)
def test_a_payment_page_takes_each_payers_code(text: str, provider: str) -> None:
    code = classify(text, "payment")
    assert isinstance(code, PayerCode)
    assert (code.provider, code.value) == (provider, text)


@pytest.mark.parametrize(("text", "reason"), NO_PAYMENT)
def test_a_payment_page_takes_nothing_else(text: str, reason: str) -> None:
    assert classify(text, "payment") == NotForThis(reason)  # type: ignore[arg-type]


def test_a_wechat_code_that_is_also_an_id_number_is_what_the_page_asks_for() -> None:
    """Beijing's ID numbers begin with 11, as WeChat codes may."""
    firsts = (f"1101051949123100{last}" for last in range(10))
    text = next(one for one in map(whole, firsts) if one.isdigit())
    assert isinstance(classify(text, "identity"), IdNumberCode)
    assert isinstance(classify(text, "payment"), PayerCode)


HOSTILE = [
    f"{HEX}:1\x00",
    f"{HEX}:1\n",
    "\x1b@" + ID_NUMBER,
    "\u202e" + ID_NUMBER,
    ID_NUMBER + "\u200b",
    "\ufeff" + INSURANCE,
    "\u2066" + INSURANCE + "\u2069",
    "\ud800",
]


@pytest.mark.parametrize("purpose", ["identity", "payment"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hidden_characters_make_any_code_unreadable(text: str, purpose: Purpose) -> None:
    assert classify(text, purpose) == NotForThis("unreadable")


@pytest.mark.parametrize("text", ["1" * (CODE_BYTES_MAX + 1), "中" * 1366])
def test_more_bytes_than_a_code_can_hold_is_no_code(text: str) -> None:
    assert classify(text, "identity") == NotForThis("too_long")


@pytest.mark.parametrize("digits", ["１３４５６７８９０１２３４５６７８９", "١٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩"])
def test_only_ascii_digits_are_digits(digits: str) -> None:
    assert classify(digits, "payment") == NotForThis("unknown")


@given(st.text(max_size=200), st.sampled_from(["identity", "payment"]))
@example("\ud800" * 30, "identity")
@example("a://" + "x" * 100, "payment")
def test_any_text_is_something_and_nothing_of_it_is_shown(text: str, purpose: Purpose) -> None:
    code = classify(text, purpose)
    if len(text) > 12:  # shorter texts may be part of a class's name
        assert text not in repr(code)


@given(st.from_regex(r"[1-6][0-9]{16}[0-9X]", fullmatch=True))
def test_eighteen_characters_are_an_id_number_only_if_all_of_it_fits(text: str) -> None:
    if isinstance(classify(text, "identity"), IdNumberCode):
        assert check_character(text[:17]) == text[17]
        assert 1 <= int(text[10:12]) <= 12
        assert 1 <= int(text[12:14]) <= 31


@given(st.binary(max_size=300))
def test_a_scanners_noise_never_becomes_a_payment(noise: bytes) -> None:
    code = classify(noise.decode("latin-1"), "payment")
    assert isinstance(code, NotForThis) or noise.strip(b" ").isdigit()
