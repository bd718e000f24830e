"""drivers/quality.toml claims nothing that a machine can see is not so."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.drivers.card_rows import CARD_ROWS
from tests.drivers.rows import ROWS

ROOT = Path(__file__).resolve().parents[2]
CLAIMS: dict[str, dict[str, dict[str, str]]] = tomllib.loads(
    (ROOT / "drivers" / "quality.toml").read_text("utf-8")
)
RULES = {
    "bench": {
        "hand_vectors",
        "any_cut_noise_bit_flip",
        "emulator",
        "contract_suite",
        "protocol_md",
        "deadline_on_every_exchange",
    },
    "ward": {
        "failure_matrix",
        "reconnect_and_look",
        "logged_once_lost_once_back",
        "probe",
        "redacted_diagnostics",
        "capabilities_declared",
        "known_limits",
        "status_words_in_all_languages",
    },
    "proven": {
        "captures_replay",
        "run_on_hardware",
        "quirks_traced_to_firmware",
        "unplugged_by_hand_20_times",
    },
}
DRIVERS = sorted(path.parent.name for path in (ROOT / "drivers").glob("*/driver.py"))


def source(driver: str) -> str:
    return "\n".join(
        path.read_text("utf-8") for path in sorted((ROOT / "drivers" / driver).glob("*.py"))
    )


def suite_of(driver: str) -> str:
    folder = ROOT / "tests" / "drivers" / driver
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("test_*.py")))


def protocol(driver: str) -> str:
    page = ROOT / "drivers" / driver / "PROTOCOL.md"
    return page.read_text("utf-8") if page.exists() else ""


def has_tests_named(driver: str, *words: str) -> bool:
    names = " ".join(re.findall(r"def (test_\w+)", suite_of(driver)))
    return all(re.search(word, names) for word in words)


def has_rows(driver: str) -> bool:
    return any(row.name.split()[0] == driver for row in (*ROWS, *CARD_ROWS))


def has_emulator(driver: str) -> bool:
    emulator = importlib.import_module(f"drivers.{driver}.emulator")
    return bool(emulator.MISBEHAVIOURS)


BY_NAME = frozenset({"failure_matrix", "reconnect_and_look", "logged_once_lost_once_back"})
"""Rules that are proved outside the driver's own folders: the claim names the test."""


def named_test(claim: str) -> re.Match[str] | None:
    """`done: tests/folder/test_file.py::test_name`."""
    return re.fullmatch(r"done: (tests/[\w/]+/test_\w+)\.py::(test_\w+)", claim)


def covered_by(claim: str) -> set[str]:
    """The drivers that the named test is run for; empty: there is no such test."""
    named = named_test(claim)
    assert named is not None
    if not (ROOT / f"{named[1]}.py").exists():
        return set()
    module = importlib.import_module(named[1].replace("/", "."))
    marks = getattr(getattr(module, named[2], None), "pytestmark", ())
    return {
        str(value)
        for mark in marks
        if mark.name == "parametrize" and mark.args[0] == "driver"
        for value in mark.args[1]
    }


CHECKS: dict[str, Callable[[str], bool]] = {
    "hand_vectors": lambda driver: "typed" in suite_of(driver) and "§" in suite_of(driver),
    "any_cut_noise_bit_flip": lambda driver: (
        has_tests_named(driver, "cut", "noise|garbage|rubbish")
        and (has_tests_named(driver, "flip") or has_rows(driver))
    ),
    "emulator": has_emulator,
    "contract_suite": has_rows,
    "protocol_md": lambda driver: "**Manual" in protocol(driver),
    "deadline_on_every_exchange": lambda driver: "Deadline" in source(driver),
    "failure_matrix": lambda driver: (ROOT / "tests/failures" / f"test_{driver}.py").exists(),
    "probe": lambda driver: "def probe(" in source(driver),
    "redacted_diagnostics": lambda driver: "repr" in suite_of(driver),
    "capabilities_declared": lambda driver: "CAPABILITIES" in source(driver),
    "known_limits": lambda driver: "**Known limits" in protocol(driver),
}


def test_every_driver_states_its_quality_and_no_other_is_named() -> None:
    assert set(CLAIMS) <= set(DRIVERS)
    # A driver is begun with its code and finished with its PROTOCOL.md.
    finished = {driver for driver in DRIVERS if protocol(driver)}
    assert finished <= set(CLAIMS)


@pytest.mark.parametrize("driver", CLAIMS)
def test_every_rule_is_done_or_exempt_with_a_reason(driver: str) -> None:
    assert {level: set(rules) for level, rules in CLAIMS[driver].items()} == RULES
    for level in CLAIMS[driver].values():
        for rule, claim in level.items():
            told = claim == "done" or re.fullmatch(r"exempt: .{10,}", claim) or named_test(claim)
            assert told, f"{rule}: {claim}"
            assert named_test(claim) or rule not in BY_NAME or claim != "done", f"{rule}: by name"


@pytest.mark.parametrize(
    ("driver", "rule"), [(driver, rule) for driver in CLAIMS for rule in CHECKS]
)
def test_what_is_claimed_done_can_be_seen(driver: str, rule: str) -> None:
    (claim,) = [rules[rule] for rules in CLAIMS[driver].values() if rule in rules]
    if claim.startswith("done"):
        assert CHECKS[rule](driver), f"{driver} claims {rule}"


@pytest.mark.parametrize(("driver", "rule"), [(d, rule) for d in CLAIMS for rule in BY_NAME])
def test_a_test_that_is_named_is_there_and_is_run_for_the_driver(driver: str, rule: str) -> None:
    claim = CLAIMS[driver]["ward"][rule]
    if not claim.startswith("exempt: "):
        assert driver in covered_by(claim), f"{driver}: {claim}"


def test_a_name_without_a_test_covers_nobody() -> None:
    there = CLAIMS["idcard"]["ward"]["reconnect_and_look"]
    assert "idcard" in covered_by(there) and "zork" not in covered_by(there)
    assert covered_by(there + "_too") == set()
    assert covered_by("done: tests/kiosk/test_nothing.py::test_it") == set()


def test_a_claim_without_its_work_is_caught() -> None:
    assert not CHECKS["failure_matrix"]("transports")
    assert not CHECKS["contract_suite"]("transports")
    assert not CHECKS["protocol_md"]("hosts")
