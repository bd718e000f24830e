"""A profile is read whole or not at all, and each mistake is told with its line and its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.profile import ProfileError, parse_profile, read_profile

GOOD = """version = "2026-11"

[hospital]
name = "市第一医院"
name_en = "First City Hospital"

[terminal]  # this very box
id = "K03"
place = "3号门"
folder = "/var/lib/kiosk"

[gateway]
url = "https://gateway.hospital.invalid:8443"
token_file = "/etc/kiosk/token"

[devices.id_reader]
port = "/dev/kiosk/id_reader"
baud = 115200

[devices.scanner]
port = "/dev/kiosk/scanner"

[devices.receipt_printer]
port = "/dev/kiosk/receipt"

[devices.a4_printer]
uri = "ipp://localhost/printers/a4"

[devices.payment_pad]
kind = "zvt"
link = "serial"
port = "/dev/kiosk/pad"

[screening]
version = "2026-1"
lookback_days = 14

[[screening.questions]]
id = "fever"
text = "发热、咳嗽"
text_en = "Fever or cough"
leads_to = "fever_clinic"

[[screening.questions]]
id = "contact"
text = "接触过确诊的人"
text_en = "Met a confirmed case"
leads_to = "fever_clinic"

[[screening.routes]]
id = "fever_clinic"
text = "发热门诊"
text_en = "Fever clinic"

[[volunteers]]
number = "01"
name = "张志愿"

[[volunteers]]
number = "02"
name = "李志愿"
"""


def line(words: str) -> int:
    """The line of the good profile where these words stand."""
    return next(n for n, one in enumerate(GOOD.splitlines(), 1) if words in one)


def test_a_good_profile_is_read_with_its_defaults() -> None:
    profile = parse_profile(GOOD)
    assert (profile.terminal.id, profile.terminal.elder_age) == ("K03", 60)
    assert profile.devices.scanner.baud == 115200
    assert [one.number for one in profile.volunteers] == ["01", "02"]
    assert profile.health_code.policy_file == "", "look-ups are off unless a policy is named"
    questions = profile.screening.questionnaire()
    assert [question.leads_to for question in questions.questions] == ["fever_clinic"] * 2


# What is changed, into what; the line and the field that must be named, and a word of the reason.
MISTAKES: dict[str, tuple[str, str, int, str, str]] = {
    "a number where words belong": ('place = "3号门"', "place = 3", 0, "terminal.place", "string"),
    "words where a number belongs": (
        "lookback_days = 14",
        'lookback_days = "two weeks"',
        0,
        "screening.lookback_days",
        "integer",
    ),
    "empty": ('name = "市第一医院"', 'name = ""', 0, "hospital.name", "character"),
    "out of bounds": ("lookback_days = 14", "lookback_days = 0", 0, "screening.lookback_days", ""),
    "a speed no port has": ("baud = 115200", "baud = 115201", 0, "devices.id_reader.baud", ""),
    "a serial reader without its port": (
        'port = "/dev/kiosk/id_reader"\nbaud',
        'kind = "sdt"\nbaud',
        0,
        "devices.id_reader.kind",
        "needs a port",
    ),
    "a PC/SC reader without its name": (
        'port = "/dev/kiosk/id_reader"',
        'kind = "pcsc"',
        0,
        "devices.id_reader.kind",
        "reader, its name",
    ),
    "a social card slot without its reader": (
        "[devices.scanner]",
        '[devices.card_slot]\nkind = "social_card"\n[devices.scanner]',
        1,
        "devices.card_slot.kind",
        "reader, its name",
    ),
    "a plug-in without its program": (
        "[devices.scanner]",
        '[devices.card_slot]\nkind = "plugin"\n[devices.scanner]',
        1,
        "devices.card_slot.kind",
        "needs command",
    ),
    "an unknown kind of card": (
        "[devices.scanner]",
        '[devices.card_slot]\nkind = "bank_card"\n[devices.scanner]',
        1,
        "devices.card_slot.kind",
        "plugin",
    ),
    "a wrong terminal id": ('id = "K03"', 'id = "k 03"', 0, "terminal.id", "pattern"),
    "no address": ('url = "https', 'url = "gopher', 0, "gateway.url", "pattern"),
    "a misspelt setting": ('place = "3号门"', 'plaice = "3号门"', 0, "terminal.plaice", "misspelt"),
    "a printer without address": ('uri = "ipp:', 'uri = "lpd:', 0, "devices.a4_printer.uri", ""),
    "an unknown kind of pad": (
        'kind = "zvt"',
        'kind = "telium"',
        0,
        "devices.payment_pad.kind",
        "mispos",
    ),
    "another pad's settings": (
        'kind = "zvt"',
        'kind = "zvt"\nmispos = { desk = "0001" }',
        1,
        "devices.payment_pad.mispos",
        "kind zvt",
    ),
    "a password that no such pad has": (
        'kind = "zvt"',
        'kind = "unionpay"\npassword = 1',
        1,
        "devices.payment_pad.password",
        "kind unionpay",
    ),
    "a result that is no eight digits": (
        'kind = "zvt"',
        'kind = "mispos"\nmispos = { cancel_results = ["17"] }',
        1,
        "devices.payment_pad.mispos.cancel_results[1]",
        "pattern",
    ),
    "an unknown line": (
        'link = "serial"',
        'link = "bluetooth"',
        0,
        "devices.payment_pad.link",
        "serial",
    ),
    "a pad without its port": (
        'port = "/dev/kiosk/pad"\n',
        "\n",
        -1,
        "devices.payment_pad.link",
        "needs a port",
    ),
    "a network pad without host": (
        'link = "serial"',
        'link = "tcp"',
        0,
        "devices.payment_pad.link",
        "host",
    ),
    "a question that leads nowhere": (
        'text_en = "Met a confirmed case"\nleads_to = "fever_clinic"',
        'text_en = "Met a confirmed case"\nleads_to = "moon"',
        1,
        "screening.questions[2].leads_to",
        "moon",
    ),
    "two volunteers of one number": (
        'number = "02"',
        'number = "01"',
        0,
        "volunteers[2].number",
        "twice",
    ),
    "a volunteer's number for nobody": (
        'number = "02"',
        'number = "00"',
        0,
        "volunteers[2].number",
        "pattern",
    ),
    "a time zone on no map": (
        'name_en = "First City Hospital"',
        'name_en = "First City Hospital"\ntime_zone = "Mars/Olympus"',
        1,
        "hospital.time_zone",
        "Mars/Olympus",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_its_line_and_its_field(mistake: str) -> None:
    """Broken profile: line and field named."""
    old, new, further, field, reason = MISTAKES[mistake]
    assert GOOD.count(old) == 1
    with pytest.raises(ProfileError) as told:
        parse_profile(GOOD.replace(old, new), "profile.toml")
    wanted = line(old.splitlines()[0]) + further
    assert f"profile.toml: line {wanted}: {field}: " in str(told.value)
    assert reason in str(told.value)


@pytest.mark.parametrize(
    ("cut", "field", "header"),
    [
        ('token_file = "/etc/kiosk/token"\n', "gateway.token_file", "[gateway]"),
        ('port = "/dev/kiosk/scanner"\n', "devices.scanner.port", "[devices.scanner]"),
        ('folder = "/var/lib/kiosk"\n', "terminal.folder", "[terminal]"),
    ],
)
def test_what_is_missing_is_told_at_the_table_it_belongs_to(
    cut: str, field: str, header: str
) -> None:
    with pytest.raises(ProfileError) as told:
        parse_profile(GOOD.replace(cut, ""), "profile.toml")
    number = line(header)
    assert f": {field}: is missing" in str(told.value)
    assert f"line {number}:" in str(told.value) or f"line {number + 1}:" in str(told.value)


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace('id = "K03"', 'id = ""').replace("baud = 115200", "baud = 1")
    with pytest.raises(ProfileError) as told:
        parse_profile(text)
    assert len(str(told.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [("[hospital\nname = 1", "line 1"), ('a = "', "line 1"), ("a = 1\na = 2", "line 2")],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        parse_profile(text, "profile.toml")


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"cannot be read.*give --profile"):
        read_profile(tmp_path / "nowhere.toml")
    broken = tmp_path / "profile.toml"
    broken.write_bytes(b'version = "\xff"')
    with pytest.raises(ProfileError, match="not UTF-8 at byte 11"):
        read_profile(broken)


def test_a_policy_without_its_key_is_refused() -> None:
    """Row 19: nothing is believed that nobody can verify."""
    text = GOOD + '\n[health_code]\npolicy_file = "/etc/kiosk/policy.json"\n'
    with pytest.raises(ProfileError, match=r"health_code\.policy_file: .*public_key"):
        parse_profile(text)
