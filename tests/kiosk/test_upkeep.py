"""What core does for its records without being asked, and how `kiosk audit verify` finds them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from kiosk.cli import app
from kiosk.flows.effects import KeepAudit, KeepQueued
from kiosk.hospital import faults
from kiosk.hospital.contract import (
    AuditHeadRecord,
    OutboxReply,
    PrintedRecord,
    Record,
    Verdict,
    from_json,
)
from kiosk.link import SOCKET_NAME, LinkServer
from kiosk.questions import verified
from kiosk.records import StoreRecords, open_records
from kiosk.upkeep import PURGE_EVERY_S, WITNESS_EVERY_S, Upkeep
from offline.audit import HEAD_EVENTS
from offline.database import SqliteDatabase
from offline.errors import StoreCorrupt
from offline.outbox import Standing
from offline.store import PAGE_BYTES, suspect_mark
from tests.engine.desk import HandClock
from tests.flows.people import NOW, WANG_NUMBER

ROOT = Path(__file__).resolve().parents[2]
BODY = PrintedRecord("P100", "R1", NOW)
EVENT = KeepAudit("volunteer_unlocked", fields=(("who", "volunteer_01"),))
DAY_S = 24 * 3600.0


@dataclass
class Terminal:
    folder: Path
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        chance = Random(3)
        self.records = open_records(
            self.folder,
            {},
            clock=self.clock.store_clock(),
            zone=NOW.tzinfo,  # type: ignore[arg-type]
            random_bytes=chance.randbytes,
            chance=chance,
        )
        self.upkeep = Upkeep(self.records, 14, self.clock.monotonic_s, self.clock.now)

    def queue(self, key: str, number: str = WANG_NUMBER) -> None:
        self.records.commit([KeepQueued("screening", key, number, BODY)], "")

    def look(self, after_s: float = 0.0) -> None:
        self.clock.pass_s(after_s)
        self.upkeep.look()

    def on_disk(self, secret: bytes) -> bool:
        return any(secret in one.read_bytes() for one in self.folder.glob("kiosk.db*"))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.records.close()


def accept(records: Sequence[Record]) -> OutboxReply:
    return OutboxReply(tuple(Verdict(one.key, "accepted") for one in records), 0)


def refuse(records: Sequence[Record]) -> OutboxReply:
    return OutboxReply(tuple(Verdict(one.key, "refused", "no") for one in records), 0)


EMPTY_INDEX_PAGE = bytes.fromhex("0a 0000 0000 1000 00").ljust(PAGE_BYTES, b"\0")
"""SQLite's file format, b-tree page header: a leaf of an index without a cell."""


class Line:
    """A gateway that keeps what was sent."""

    def __init__(self) -> None:
        self.got: list[Record] = []

    def __call__(self, records: Sequence[Record]) -> OutboxReply:
        self.got.extend(records)
        return accept(records)


# --- erasing -------------------------------------------------------------------------------------


def test_screenings_are_erased_at_the_start_and_daily_while_the_gateway_is_away(
    terminal: Terminal,
) -> None:
    """Row 28: only what the gateway has; the purge is told in the trail; nobody has to send."""
    terminal.queue("old")
    terminal.records.send_round(accept)
    terminal.queue("waiting")
    [sealed] = _sealed(terminal, "old")
    terminal.look()
    terminal.look(13 * DAY_S)
    assert (terminal.on_disk(sealed), _purged(terminal)) == (True, [])
    terminal.look(DAY_S + 1)
    assert (terminal.on_disk(sealed), _purged(terminal)) == (False, [1])
    assert terminal.records.sending.waiting_keys()[0] == "waiting"
    terminal.look(PURGE_EVERY_S)
    assert _purged(terminal) == [1], "once"


def test_it_is_looked_for_once_a_day_only(terminal: Terminal) -> None:
    terminal.look()
    terminal.queue("young")
    terminal.records.send_round(accept)
    terminal.clock.at = terminal.clock.at.replace(year=terminal.clock.at.year + 1)
    terminal.look(PURGE_EVERY_S - 1)
    assert _purged(terminal) == []
    terminal.look(1)
    assert _purged(terminal) == [1]


def _rows(terminal: Terminal, sql: str, *values: str) -> list[bytes]:
    with terminal.records._store.reading() as reading:
        return [body for (body,) in reading.rows(sql, *values) if isinstance(body, bytes)]


def _sealed(terminal: Terminal, key: str) -> list[bytes]:
    return _rows(terminal, "select body from outbox where key = ?", key)


def _purged(terminal: Terminal) -> list[int]:
    told = [json.loads(payload) for payload in _rows(terminal, "select payload from audit")]
    return [one["count"] for one in told if one["event"] == "records_purged"]


# --- nights --------------------------------------------------------------------------------------


def backup(terminal: Terminal) -> Path:
    return terminal.folder / "kiosk.db.backup"


def test_each_night_the_store_is_checked_copied_and_its_wal_emptied(terminal: Terminal) -> None:
    terminal.clock.at = terminal.clock.at.replace(hour=2, minute=59)
    terminal.queue("evening")
    terminal.look()
    assert not backup(terminal).exists(), "not before three"
    terminal.look(60)
    assert (terminal.folder / "kiosk.db-wal").stat().st_size < 20_000
    first = backup(terminal).read_bytes()
    assert _in_backup(terminal) == ["evening"]
    terminal.queue("morning")
    terminal.look(6 * 3600)
    assert backup(terminal).read_bytes() == first, "once a night"
    terminal.look(DAY_S)
    assert _in_backup(terminal) == ["evening", "morning"]
    assert terminal.records.keeping.status()["backup_of"] == "2026-11-23"


def _in_backup(terminal: Terminal) -> list[str]:
    """Keys of handed-in records that a terminal restored from the backup would have."""
    database = SqliteDatabase(backup(terminal))
    rows = database.rows("select key from outbox where kind = 'screening' order by seq")
    database.close()
    return [str(key) for (key,) in rows]


def test_a_terminal_that_was_off_at_night_does_it_in_the_morning_and_not_again_at_a_restart(
    terminal: Terminal,
) -> None:
    terminal.look()
    made = backup(terminal).stat().st_mtime_ns
    again = Upkeep(terminal.records, 14, terminal.clock.monotonic_s, terminal.clock.now)
    again.look()
    assert backup(terminal).stat().st_mtime_ns == made


def test_damage_that_only_the_whole_check_sees_is_mended_by_the_next_start(
    terminal: Terminal,
) -> None:
    """An index that lost an entry: quick_check is content, and the queue would skip a record."""
    terminal.queue("K")
    terminal.records.send_round(refuse)
    path = terminal.folder / "kiosk.db"
    with terminal.records._store.reading() as reading:
        row = reading.one("select rootpage from sqlite_master where name = 'outbox_refused'")
    terminal.records.close()
    assert row is not None and isinstance(row[0], int)
    content = bytearray(path.read_bytes())
    content[(row[0] - 1) * PAGE_BYTES : row[0] * PAGE_BYTES] = EMPTY_INDEX_PAGE
    path.write_bytes(content)
    found = Terminal(terminal.folder)
    with pytest.raises(StoreCorrupt):
        found.look()
    found.records.close()
    assert suspect_mark(terminal.folder / "kiosk.db").exists()
    terminal.__post_init__()
    assert terminal.records.keeping.status()["mended"] == "kiosk.db.damaged-1"
    assert [record.key for record in terminal.records.sending.records_of(Standing.REFUSED)] == ["K"]


def test_a_damaged_copy_goes_when_it_has_been_of_no_use_for_long(terminal: Terminal) -> None:
    old, young = (terminal.folder / f"kiosk.db.damaged-{n}" for n in (1, 2))
    for path, age_s in ((old, 36 * DAY_S), (young, DAY_S)):
        path.write_bytes(b"evidence")
        at = terminal.clock.at.timestamp() - age_s
        os.utime(path, (at, at))
    terminal.look()
    assert (old.exists(), young.exists()) == (False, True)


# --- the witness ---------------------------------------------------------------------------------


def heads(terminal: Terminal) -> list[int]:
    """How long the trail was at each head that waits for the gateway."""
    return [
        int(key.removeprefix("audit/").split("-")[0])
        for key in terminal.records.sending.waiting_keys()
        for key in terminal.records.sending.waiting_keys()
    ]


def test_a_head_is_queued_once_a_minute_and_only_when_something_happened(
    terminal: Terminal,
) -> None:
    terminal.look()
    assert heads(terminal) == []
    terminal.records.commit([EVENT], "")
    terminal.look(WITNESS_EVERY_S - 1)
    assert heads(terminal) == []
    terminal.look(1)
    assert heads(terminal) == [1]
    terminal.look(WITNESS_EVERY_S)
    assert heads(terminal) == [1]


def test_a_thousand_events_do_not_wait_for_the_minute(terminal: Terminal) -> None:
    terminal.look()
    terminal.records.commit([EVENT] * (HEAD_EVENTS - 1), "")
    terminal.look(1)
    assert heads(terminal) == []
    terminal.records.commit([EVENT], "")
    terminal.look(1)
    assert heads(terminal) == [HEAD_EVENTS]


def test_what_is_queued_is_the_contracts_record(terminal: Terminal) -> None:
    terminal.records.commit([EVENT], "")
    terminal.look()
    line = Line()
    terminal.records.send_round(line)
    [sent] = line.got
    body = from_json(AuditHeadRecord, sent.body)
    assert (sent.kind, body.sequence, body.at) == ("audit_head", 1, terminal.clock.at)


# --- a record that fells the gateway -------------------------------------------------------------


def test_a_record_that_fells_the_gateway_is_found_by_halving(terminal: Terminal) -> None:
    """Sent, and no answer came: the others arrive all the same, and it goes alone ever after."""
    for number in range(8):
        terminal.queue(f"K{number}", "")
    got: list[str] = []

    def falls(records: Sequence[Record]) -> OutboxReply:
        if "K5" in {one.key for one in records}:
            raise faults.HospitalOutcomeUnknown("outbox: no answer")
        got.extend(one.key for one in records)
        return accept(records)

    for _ in range(20):
        terminal.clock.pass_s(terminal.records.send_round(falls))
    assert sorted(got) == ["K0", "K1", "K2", "K3", "K4", "K6", "K7"]
    assert terminal.records.sending.waiting_keys() == ("K5",)


# --- kiosk audit verify --------------------------------------------------------------------------


@pytest.fixture
def profile(terminal: Terminal) -> Iterator[Path]:
    """A profile whose core answers from the terminal's own trail."""
    server = LinkServer(
        terminal.folder / SOCKET_NAME,
        lambda touch: None,
        lambda what, asked: verified(terminal.records.verify_audit()),
    )
    server.start()
    text = (ROOT / "kiosk/demo/profile.toml").read_text(encoding="utf-8")
    pad = f'kind = "zvt"\nlink = "serial"\nport = "{terminal.folder}/pad"'
    for name, fact in {
        "{pad}": pad,
        "{scanner_baud}": "9600",
        "{a4}": "ipp://a4",
        "{card_slot}": "",
    }.items():
        text = text.replace(name, fact)
    text = text.replace("{folder}", str(terminal.folder)).replace("{ports}", "/dev/kiosk")
    text = text.replace("{gateway}", "https://gateway.hospital.invalid")
    path = terminal.folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    yield path
    server.stop()


def run(profile: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "verify", "--profile", str(profile), *more])
    return done.exit_code, done.output.strip()


def _spoil(records: StoreRecords) -> None:
    with records._store.transaction() as tx:
        tx.run(
            "update audit set payload = cast(replace(payload, '01', '02') as blob) where seq = 2"
        )


def test_an_intact_trail_is_said_to_be_so(terminal: Terminal, profile: Path) -> None:
    terminal.records.commit([EVENT] * 3, "")
    terminal.look()
    terminal.records.commit([EVENT], "")
    assert run(profile) == (0, "intact: 4 events, 1 since the last head")
    code, text = run(profile, "--json")
    assert (code, json.loads(text)) == (0, {"intact": True, "events": 4, "unsigned": 1})


def test_a_trail_that_was_changed_is_told_with_the_place(terminal: Terminal, profile: Path) -> None:
    terminal.records.commit([EVENT] * 3, "")
    _spoil(terminal.records)
    code, text = run(profile)
    assert code == 1
    assert text.startswith("TAMPERED at event 2: ")
    code, text = run(profile, "--json")
    assert (code, json.loads(text)["seq"]) == (1, 2)


def test_a_head_signed_by_another_key_is_told(terminal: Terminal, profile: Path) -> None:
    """Row 112; A5: each head's signature is held against this terminal's own key."""
    terminal.records.commit([EVENT] * 3, "")
    terminal.look()
    with terminal.records._store.transaction() as tx:
        tx.run("update audit_heads set signature = zeroblob(64)")
    code, text = run(profile)
    assert code == 1 and text == "TAMPERED at event 3: a head is not signed by this terminal"
