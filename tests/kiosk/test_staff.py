"""What staff do at the command line about records: look, retry, gates, exports, erasing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from kiosk.app import open_terminal_records
from kiosk.cli import app
from kiosk.clock import TerminalClock
from kiosk.flows.effects import KeepMove, KeepNote, KeepPayment, KeepQueued
from kiosk.flows.green_people import LANE, Case, Kept, Someone, to_note
from kiosk.flows.payment import Payment
from kiosk.hospital.contract import HandOverRecord, OutboxReply, Record, Verdict
from kiosk.keeping import ERASING
from kiosk.link import SOCKET_NAME, LinkServer
from kiosk.profile import read_profile
from kiosk.questions import answer
from kiosk.records import StoreRecords, open_records
from offline.clock import Clock
from offline.gates import fingerprint
from offline.retention import Retention
from offline.settings import Settings
from tests.flows.people import NOW, WANG_NUMBER
from tests.kiosk.test_profile import GOOD

RUN = CliRunner()
BODY = HandOverRecord("8K42", NOW, "王秀兰", "pay")
PINS = {"technician": "471100", "finance": "815200"}


@dataclass
class Staffed:
    """A terminal's folder and profile, its core stopped, two roles with PINs."""

    folder: Path
    profile: Path = field(init=False)

    def __post_init__(self) -> None:
        self.profile = self.folder / "profile.toml"
        self.profile.write_text(GOOD.replace("/var/lib/kiosk", str(self.folder)), encoding="utf-8")
        with self.opened() as records:
            for role, pin in PINS.items():
                records.set_pin(role, pin)

    def opened(self) -> Opened:
        clock = TerminalClock(NOW.tzinfo)  # type: ignore[arg-type]
        return Opened(open_terminal_records(read_profile(self.profile), clock))

    def run(self, *words: str, typed: str = "") -> tuple[int, str]:
        ran = RUN.invoke(app, [*words, "--profile", str(self.profile)], input=typed)
        assert "Traceback" not in ran.output and "王" not in ran.output
        return ran.exit_code, ran.output.strip()

    def events(self, name: str) -> list[str]:
        with self.opened() as records, records._store.reading() as reading:
            rows = reading.rows("select payload from audit order by seq")
        found = [json.loads(payload) for (payload,) in rows]  # type: ignore[arg-type]
        return [one for one in found if one["event"] == name]


@dataclass
class Opened:
    records: StoreRecords

    def __enter__(self) -> StoreRecords:
        return self.records

    def __exit__(self, *_: object) -> None:
        self.records.close()


@pytest.fixture
def staffed(tmp_path: Path) -> Staffed:
    (tmp_path / "terminal").mkdir()
    return Staffed(tmp_path / "terminal")


def queue(records: StoreRecords, key: str = "K-1") -> None:
    records.commit([KeepQueued("hand_over", key, WANG_NUMBER, BODY)], "s1")


def refuse(records: Sequence[Record]) -> OutboxReply:
    return OutboxReply(tuple(Verdict(one.key, "refused", "unknown_person") for one in records), 0)


def accept(records: Sequence[Record]) -> OutboxReply:
    return OutboxReply(tuple(Verdict(one.key, "accepted") for one in records), 0)


def begun(state: str) -> list[object]:
    payment = Payment("K03-1", "card", 4120, "P100", "Q1", NOW, WANG_NUMBER)
    ways = {
        "SENT": ("SENT",),
        "REFUND_DUE": ("SENT", "PAID", "BOOKING", "HIS_REJECTED", "REVERSING", "REFUND_DUE"),
    }
    return [KeepPayment(payment), *(KeepMove("K03-1", at) for at in ways[state])]  # type: ignore[arg-type]


# --- records that were refused -------------------------------------------------------------------


def test_a_refused_record_is_kept_shown_without_a_person_and_sent_again_by_a_persons_will(
    staffed: Staffed,
) -> None:
    """4xx deletes nothing; who sent it again stands in the trail."""
    with staffed.opened() as records:
        queue(records)
        records.send_round(refuse)
    code, listed = staffed.run("outbox", "list")
    assert code == 0 and listed.startswith("waiting 0, refused 1")
    assert listed.endswith("hand_over      K-1 unknown_person")
    code, shown = staffed.run("outbox", "show", "K-1")
    assert "fields: amount_fen at person purpose reference slip" in shown
    assert "pay" not in shown.replace("purpose", "")
    code, said = staffed.run("outbox", "retry", "K-1", "technician", typed="000000\n")
    assert code == 1 and "the PIN of technician is wrong" in said
    assert staffed.run("outbox", "list")[1].startswith("waiting 0, refused 1")
    code, said = staffed.run("outbox", "retry", "K-1", "technician", typed="471100\n")
    assert code == 0 and "will be sent again" in said
    assert staffed.run("outbox", "list", "waiting")[1].startswith("waiting 1, refused 0")
    [refused] = staffed.events("record_refused")
    [retried] = staffed.events("record_retried")
    [wrong] = staffed.events("pin_wrong")
    assert (refused["key"], refused["cause"]) == ("K-1", "unknown_person")  # type: ignore[index]
    assert (retried["key"], retried["who"]) == ("K-1", "technician")  # type: ignore[index]
    assert wrong["who"] == "technician"  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("outbox", "list", "lost"), "no record is lost; there are waiting, accepted, refused"),
        (("outbox", "show", "K-9"), "there is no record K-9"),
        (("outbox", "retry", "K-9", "technician"), "K-9 is not a refused record"),
        (("outbox", "retry", "K-9", "auditor"), "auditor has no PIN here yet: kiosk pin auditor"),
        (("outbox", "retry", "K-9", "patient"), "no role patient"),
        (("gate", "holiday"), "no gate for holiday; there are update, reset, enrol, sign-out"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    staffed: Staffed, words: tuple[str, ...], said: str
) -> None:
    code, output = staffed.run(*words, typed="471100\n")
    assert code == 1 and said in output.splitlines()[-1]


# --- gates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["update", "reset", "enrol", "sign-out"])
def test_each_gate_is_shut_while_anything_is_unsynced_and_says_what(
    staffed: Staffed, purpose: str
) -> None:
    """S4: asked of a core that does not run, as an update does."""
    assert staffed.run("gate", purpose) == (0, f"{purpose}: go ahead, nothing would be lost")
    with staffed.opened() as records:
        queue(records)
        records.commit(begun("SENT"), "s1")  # type: ignore[arg-type]
    code, said = staffed.run("gate", purpose)
    assert code == 1 and said == (
        f"{purpose}: NOT NOW, this would be lost: 1 records wait for the gateway, "
        "1 payments have not ended (kiosk status)"
    )
    outcomes = [event["outcome"] for event in staffed.events("gate_asked")]  # type: ignore[index]
    assert outcomes == ["open", "shut"]


def test_a_refund_that_finance_knows_of_holds_no_update_up(staffed: Staffed) -> None:
    with staffed.opened() as records:
        queue(records)
        records.commit(begun("REFUND_DUE"), "s1")  # type: ignore[arg-type]
    assert staffed.run("gate", "update")[0] == 1, "not while the record waits"
    with staffed.opened() as records:
        records.send_round(accept)
    assert staffed.run("gate", "update")[0] == 0


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    made = tmp_path / "hospital.key"
    assert RUN.invoke(app, ["outbox", "make-key", str(made)]).exit_code == 0
    return made


def test_two_roles_go_past_it_with_an_export_that_is_the_terminal_again(
    staffed: Staffed, key_file: Path, tmp_path: Path
) -> None:
    """S4: bit for bit, and what waited in it is sent from its new place."""
    with staffed.opened() as records:
        queue(records)
    export, next_one = tmp_path / "sealed", tmp_path / "next"
    past = ("--key-file", str(key_file), "--export", str(export), "--override")
    code, said = staffed.run("gate", "reset", *past, "technician", typed="471100\n")
    assert code == 1 and "two different roles" in said and not export.exists()
    code, said = staffed.run(
        "gate", "reset", *past, "technician,technician", typed="471100\n471100\n"
    )
    assert code == 1 and not export.exists()
    code, said = staffed.run("gate", "reset", *past, "technician,finance", typed="471100\n815200\n")
    assert code == 0 and f"go ahead, everything is in {export}" in said
    [event] = staffed.events("gate_overridden")
    assert (event["kind"], event["who"]) == ("reset", "finance_technician")  # type: ignore[index]
    words = ["outbox", "import", str(export), "--into", str(next_one), "--key-file", str(key_file)]
    ran = RUN.invoke(app, words)
    assert ran.exit_code == 0 and "keys/audit.key, keys/vault.key" in ran.output
    for name in ("keys/vault.key", "keys/audit.key"):
        assert (next_one / name).read_bytes() == (staffed.folder / name).read_bytes()
    again = RUN.invoke(app, words)
    assert again.exit_code == 1 and "never unpacked over a store" in again.output
    before = (next_one / "kiosk.db").read_bytes()
    backup = staffed.folder / "kiosk.db.backup"
    assert backup.read_bytes() == before
    moved = staffed.folder.parent / "moved.toml"
    moved.write_text(GOOD.replace("/var/lib/kiosk", str(next_one)), encoding="utf-8")
    ran = RUN.invoke(app, ["outbox", "list", "waiting", "--profile", str(moved)])
    assert "K-1" in ran.output


def test_an_export_under_another_key_opens_nothing(
    staffed: Staffed, key_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.key"
    RUN.invoke(app, ["outbox", "make-key", str(other)])
    with staffed.opened() as records:
        queue(records)
    past = ("--key-file", str(key_file), "--export", str(tmp_path / "e"), "--override")
    staffed.run("gate", "reset", *past, "technician,finance", typed="471100\n815200\n")
    into = ["--into", str(tmp_path / "n"), "--key-file", str(other)]
    ran = RUN.invoke(app, ["outbox", "import", str(tmp_path / "e"), *into])
    assert ran.exit_code == 1 and "cannot be opened with this key" in ran.output
    assert not list((tmp_path / "n").iterdir())


# --- erasing -------------------------------------------------------------------------------------


def key_of(records: StoreRecords) -> bytes:
    """Wang's wrapped key: with the master key it would open all that is sealed for her."""
    person = records._store.vault.pseudonym(WANG_NUMBER)
    with records._store.reading() as reading:
        row = reading.one("select wrapped from person_keys where person = ?", person)
    assert row is not None and isinstance(row[0], bytes)
    return row[0]


def test_who_is_erased_is_in_no_copy_either(staffed: Staffed, tmp_path: Path) -> None:
    """A7: the store, its WAL, the backup, a damaged one, and the blocks that they left."""
    with staffed.opened() as records:
        queue(records)
        records.keeping.nightly()
        wrapped = key_of(records)
        damaged = staffed.folder / "kiosk.db.damaged-1"
        damaged.write_bytes((staffed.folder / "kiosk.db.backup").read_bytes())
        blocks = [tmp_path / "backup-blocks", tmp_path / "damaged-blocks"]
        for path, kept in zip((staffed.folder / "kiosk.db.backup", damaged), blocks, strict=True):
            os.link(path, kept)
            assert wrapped in kept.read_bytes()
    typed = f"{WANG_NUMBER}\n{WANG_NUMBER}\n815200\n"
    code, said = staffed.run("erase", "finance", typed=typed)
    assert code == 1 and "not with the gateway yet" in said
    with staffed.opened() as records:
        records.send_round(accept)
    code, said = staffed.run("erase", "finance", typed=typed)
    assert code == 0 and WANG_NUMBER not in said
    assert not damaged.exists() and (staffed.folder / "kiosk.db.backup").exists()
    for path in (*staffed.folder.rglob("*"), *blocks):
        assert path.is_dir() or wrapped not in path.read_bytes(), path
    [event] = staffed.events("person_erased")
    assert event["who"] == "finance"  # type: ignore[index]
    assert RUN.invoke(app, ["check", "--profile", str(staffed.profile)]).exit_code == 0


def test_who_is_erased_is_in_no_export_that_lies_here_and_carried_ones_are_named(
    staffed: Staffed, key_file: Path, tmp_path: Path
) -> None:
    """A7: an export holds the whole store; the one left by another store is not ours to burn."""
    carried = tmp_path / "carried"
    with staffed.opened() as records:
        queue(records)
        records.send_round(refuse)
    past = ("--key-file", str(key_file), "--export", str(carried), "--override")
    code, said = staffed.run("gate", "reset", *past, "technician,finance", typed="471100\n815200\n")
    assert code == 0
    [export] = (staffed.folder / "exports").iterdir()
    content, blocks = export.read_bytes(), tmp_path / "blocks"
    os.link(export, blocks)
    earlier = export.with_name("1700000000000-reset.export")
    earlier.write_bytes(b"of the store before")
    with staffed.opened() as records:
        records.sending.retry("K-1", "technician")
        records.send_round(accept)
    typed = f"{WANG_NUMBER}\n{WANG_NUMBER}\n815200\n"
    code, said = staffed.run("erase", "finance", typed=typed)
    assert code == 0 and f"destroy each copy of {fingerprint(carried)}" in said
    assert f"an earlier store lie here and were left: {earlier.name}" in said
    assert not export.exists() and earlier.read_bytes() == b"of the store before"
    assert blocks.read_bytes() == bytes(len(content)), "its blocks are zeros"
    [event] = staffed.events("exports_destroyed")
    assert event["count"] == 1  # type: ignore[index]
    code, said = staffed.run("erase", "finance", typed=typed)
    assert f"destroy each copy of {fingerprint(carried)}" in said, "whoever is erased next is told"


def test_copies_that_a_killed_erasure_left_are_destroyed_at_the_next_start(
    staffed: Staffed, key_file: Path, tmp_path: Path
) -> None:
    with staffed.opened() as records:
        queue(records)
        path = records.keeping.override("reset", ("finance", "technician"), bytes(32))
        assert path is not None and path.exists()
        records.send_round(accept)
        with records._store.transaction() as tx:  # where a kill would leave it
            Retention(records._store, ()).erase(tx, records._store.vault.pseudonym(WANG_NUMBER))
            Settings(records._store).set(tx, ERASING, "yes")
    with staffed.opened():
        assert not path.exists() and not (staffed.folder / "kiosk.db.backup").exists()
    assert len(staffed.events("exports_destroyed")) == 1


def test_who_stands_in_the_green_channel_s_list_is_not_said_to_be_erased(staffed: Staffed) -> None:
    """That list is under the terminal's own key: destroying theirs would leave it readable."""
    typed = f"{WANG_NUMBER}\n{WANG_NUMBER}\n815200\n"
    case = Case("1", 1, NOW, people=(Someone(WANG_NUMBER, "王桂兰"),))
    with staffed.opened() as records:
        records.commit([KeepNote(LANE, to_note(Kept((case,))))], "s1")
    code, said = staffed.run("erase", "finance", typed=typed)
    assert code == 1 and "green channel" in said and WANG_NUMBER not in said
    with staffed.opened() as records:
        records.commit([KeepNote(LANE, to_note(Kept()))], "s1")
    assert staffed.run("erase", "finance", typed=typed)[0] == 0


@pytest.mark.parametrize(("state", "why"), [("REFUND_DUE", ""), ("SENT", "unsettled")])
def test_a_refund_that_finance_was_told_of_keeps_nobody_from_being_erased(
    staffed: Staffed, state: str, why: str
) -> None:
    """It never ends at a terminal: whoever was owed money once could not be erased for ever."""
    with staffed.opened() as records:
        records.commit(begun(state), "s1")  # type: ignore[arg-type]
        assert records.keeping.erase(WANG_NUMBER, "finance").why == why
        assert len(records.open_payments()) == (why != ""), "and a start stumbles over nothing"


@pytest.mark.parametrize(
    ("what", "asked", "words"),
    [
        ("erase", {"roles": [["finance", "815200"]], "number": "  "}, "no ID number"),
        ("erase", {"roles": [["finance", "815200"]]}, "no ID number"),
        ("erase", {"roles": [["finance"]], "number": WANG_NUMBER}, "role's PIN"),
        ("erase", {"roles": 5, "number": WANG_NUMBER}, "role's PIN"),
        ("compared", {"roles": None}, "role's PIN"),
    ],
)
def test_a_question_without_sense_is_answered_with_a_sentence(
    staffed: Staffed, what: str, asked: dict[str, Any], words: str
) -> None:
    """It is asked of a running core: a slip of the fingers ended it, with whoever was paying."""
    with staffed.opened() as records:
        said = answer(records, what, asked)
    assert said is not None and words in str(said["error"])


# --- runs of core --------------------------------------------------------------------------------


def test_the_trail_says_of_each_run_whether_it_ended_cleanly_was_killed_or_lost_its_power(
    tmp_path: Path,
) -> None:
    """Whoever is killed cannot say so: the next run does."""
    boot = ["one"]

    def opened() -> StoreRecords:
        clock = Clock(lambda: 1.8e9, lambda: 5.0, boot[0])
        zone: Any = NOW.tzinfo
        chance = Random(1)
        return open_records(
            tmp_path, {}, clock=clock, zone=zone, random_bytes=chance.randbytes, chance=chance
        )

    for of_boot, ends in (("one", True), ("one", False), ("one", False), ("two", True)):
        boot[0] = of_boot
        records = opened()
        records.keeping.run_began("1.0")
        if ends:
            records.keeping.run_ended()
        records.close()
    records = opened()
    told = [event for event in _events(records) if event["event"].startswith("terminal_")]
    records.close()
    assert [(one["event"][9:], one.get("cause", one.get("boot"))) for one in told] == [
        *(("started", "one"), ("stopped", "clean")),
        *(("started", "one"), ("stopped", "killed")),
        *(("started", "one"), ("stopped", "power")),
        *(("started", "two"), ("stopped", "clean")),
    ]


def _events(records: StoreRecords) -> list[dict[str, str]]:
    with records._store.reading() as reading:
        rows = reading.rows("select payload from audit order by seq")
    return [json.loads(payload) for (payload,) in rows]  # type: ignore[arg-type]


# --- a running core ------------------------------------------------------------------------------


@pytest.fixture
def running(staffed: Staffed) -> Iterator[StoreRecords]:
    with staffed.opened() as records:
        server = LinkServer(
            staffed.folder / SOCKET_NAME,
            lambda touch: None,
            lambda what, asked: answer(records, what, asked) or {"error": "unknown"},
        )
        server.start()
        yield records
        server.stop()


def test_a_running_core_answers_itself(staffed: Staffed, running: StoreRecords) -> None:
    queue(running)
    assert staffed.run("gate", "update")[0] == 1
    assert "K-1" in staffed.run("outbox", "list", "waiting")[1]
    running.send_round(refuse)
    assert staffed.run("outbox", "retry", "K-1", "finance", typed="815200\n")[0] == 0
    running.send_round(accept)
    assert staffed.run("gate", "sign-out")[0] == 0


# --- what is missing is one sentence -------------------------------------------------------------


def lost_key(staffed: Staffed, name: str) -> None:
    (staffed.folder / "keys" / name).unlink()


MISSING = {
    "no token": (lambda s: None, r"gateway\.token_file: .*/token: No such file.*enrol"),
    "an empty token": (
        lambda s: (s.folder / "token").write_text("\n"),
        r"gateway\.token_file: .*holds no token.*enrol",
    ),
    "a folder for a token": (
        lambda s: (s.folder / "token").mkdir(),
        r"gateway\.token_file: .*Is a directory",
    ),
    "no vault key": (lambda s: _token(s, "vault.key"), r"vault\.key: the key file is missing; put"),
    "no audit key": (lambda s: _token(s, "audit.key"), r"audit\.key: the key file is missing; put"),
    "a key for all": (lambda s: _open_key(s), r"may be read by others; .*0600"),
    "a file for a folder": (lambda s: _no_folder(s), r"keys: cannot be made: .*terminal\.folder"),
}


def _token(staffed: Staffed, lost: str = "") -> None:
    (staffed.folder / "token").write_text("secret-token\n")
    if lost:
        (staffed.folder / "keys" / lost).unlink()


def _open_key(staffed: Staffed) -> None:
    _token(staffed)
    (staffed.folder / "keys" / "vault.key").chmod(0o644)


def _no_folder(staffed: Staffed) -> None:
    _token(staffed)
    text = staffed.profile.read_text().replace(f'folder = "{staffed.folder}"', 'folder = "FILE"')
    file = staffed.folder / "a-file"
    file.write_bytes(b"")
    staffed.profile.write_text(text.replace("FILE", str(file)), encoding="utf-8")


@pytest.mark.parametrize("name", MISSING)
def test_core_without_one_of_its_files_says_which_and_what_to_do(
    staffed: Staffed, name: str
) -> None:
    spoil, words = MISSING[name]
    text = staffed.profile.read_text()
    token = f'token_file = "{staffed.folder}/token"'
    staffed.profile.write_text(re.sub(r'token_file = ".*"', token, text), encoding="utf-8")
    spoil(staffed)  # type: ignore[no-untyped-call]
    code, said = staffed.run("core")
    assert code == 1 and re.search(words, said), said
    assert len(said.splitlines()) == 1 and "secret-token" not in said
