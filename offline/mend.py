"""A damaged store is a designed state: put aside, and a whole one made of all that is legible.

What counts is what proves itself: sealed fields open only in their own row. A payment that may
have moved since is UNKNOWN, so it is asked about; and payments stay off until the pad's own ledger
was compared, since a payment may be missing altogether. The damaged file is kept.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offline.cache import PROMISES, drop_folder
from offline.clock import Clock
from offline.database import Database, Row, SqliteDatabase, legible_rows
from offline.errors import StoreCorrupt
from offline.files import destroy, sync_folder, write_durably
from offline.journal import FINAL, Journal, State, move_proves_itself, payment_proves_itself
from offline.migrations import PERSONS_IN_FRONT
from offline.outbox import Standing, recount
from offline.store import Reading, Store, Transaction, suspect_mark, take_lock
from offline.vault import Place, Pseudonym, Vault

MENDED = "mended_at"
"""The setting that keeps payments off until compared() was called."""


MENDING = b"mending "
"""In the suspect mark, before the name of the file that is being gone through."""

NUMBERS_SKIPPED = 1000
COUNTER_BELIEVED_MAX = 10**12
"""A counter beyond this is a flipped bit."""


@dataclass(frozen=True)
class Opened:
    """The store; and where the damaged one lies, if it had to be mended."""

    store: Store
    damaged: Path | None


def back_up(store: Store) -> Path:
    """A whole copy beside the store, for mending; nightly. Takes 1.3 s a GB, writers wait."""
    backup = store.path.with_name(store.path.name + ".backup")
    fresh, old = backup.with_name(backup.name + ".new"), backup.with_name(backup.name + ".old")
    destroy(fresh)
    try:
        with store.reading() as reading:
            reading.rows("vacuum into ?", str(fresh))
        descriptor = os.open(fresh, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        destroy(fresh)  # half a copy takes room and helps nobody
        raise
    if backup.exists():
        os.rename(backup, old)
    os.rename(fresh, backup)
    sync_folder(backup.parent)
    destroy(old)  # it may hold who was erased since
    return backup


def damaged_files(path: Path) -> tuple[Path, ...]:
    """What was put aside when the store at path was mended."""
    return tuple(sorted(path.parent.glob(f"{path.name}.damaged-*")))


def open_or_mend(
    path: Path,
    *,
    sealing: Vault,
    clock: Clock,
    connect: Callable[[Path], Database] = SqliteDatabase,
    check: bool = True,
) -> Opened:
    """Open the store; if it is damaged, mend it. Other faults of Store.open() pass.

    With check=False a sound-looking store opens at once, and Store.check() is still owed; what
    was mended has been checked. May be killed at any moment: the next start mends on.
    """

    def opened(at: Path, check: bool = True) -> Store:
        return Store.open(at, sealing=sealing, clock=clock, connect=connect, check=check)

    if _sound_so_far(path):
        try:
            return Opened(opened(path, check), None)
        except StoreCorrupt:
            pass
    lock = take_lock(path)
    try:
        damaged = _put_aside(path)
        _rebuild(path, damaged, opened)
    finally:
        os.close(lock)
    store = opened(path)
    suspect_mark(path).unlink(missing_ok=True)
    return Opened(store, damaged)


def _sound_so_far(path: Path) -> bool:
    """No word of damage, or a word that was left standing when its mending was done."""
    mark = suspect_mark(path)
    if not mark.exists():
        return True
    damaged = _named(path)
    if damaged is None or not (damaged.exists() and path.exists()):
        return False
    mark.unlink()
    return True


def _named(path: Path) -> Path | None:
    """The file that the word of damage says is being gone through."""
    mark = suspect_mark(path)
    said = mark.read_bytes() if mark.exists() else b""
    if not said.startswith(MENDING):
        return None
    return path.with_name(Path(said.removeprefix(MENDING).decode()).name)


def _rebuild(path: Path, damaged: Path, opened: Callable[[Path], Store]) -> None:
    """Make a whole store beside, of the backup and of what proves itself; then put it in place."""
    scratch = path.with_name(path.name + ".mending")
    _clear(scratch)
    backup = _latest_backup(path)
    if backup.exists():
        shutil.copyfile(backup, scratch)
    try:
        store = opened(scratch)
    except StoreCorrupt:  # the backup is damaged too
        _clear(scratch)
        store = opened(scratch)
    try:
        _fill(store, damaged)
    finally:
        store.close()
    os.rename(scratch, path)
    sync_folder(path.parent)
    _clear(scratch)


def _clear(scratch: Path) -> None:
    """Take away what an earlier mending left half made; it is no evidence of anything."""
    for suffix in ("", "-wal", ".suspect", ".lock"):
        scratch.with_name(scratch.name + suffix).unlink(missing_ok=True)


def _latest_backup(path: Path) -> Path:
    """The backup; after a cut between its two renames, the one before."""
    backup = path.with_name(path.name + ".backup")
    old = backup.with_name(backup.name + ".old")
    return old if old.exists() and not backup.exists() else backup


def needs_comparing(store: Store) -> bool:
    """Whether the store was mended and the pad's ledger not compared yet: payments off."""
    with store.reading() as reading:
        return reading.one("select 1 from settings where name = ?", MENDED) is not None


def adopt(tx: Transaction, journal: Journal, reference: str, amount_fen: int) -> None:
    """A payment that only the pad's ledger still knows: from here on it is asked about."""
    journal.open_payment(tx, reference, kind="adopted", amount_fen=amount_fen, subject=b"")
    journal.moved(tx, reference, State.SENT)
    journal.moved(tx, reference, State.UNKNOWN, b"found in the ledger of the pad")


def compared(tx: Transaction) -> None:
    """The pad's ledger was gone through: payments may be begun again."""
    tx.run("delete from settings where name = ?", MENDED)


def _put_aside(path: Path) -> Path:
    """Leave word, then rename the file and its WAL; nothing is ever deleted here.

    After a kill the word names the file, and what is still in its old place follows.
    """
    damaged = _named(path)
    if damaged is None:
        damaged = _free_name(path)
        write_durably(suspect_mark(path), MENDING + damaged.name.encode())
    for suffix in ("-wal", ""):
        found = path.with_name(path.name + suffix)
        if found.exists() and not damaged.exists():
            os.rename(found, damaged.with_name(damaged.name + suffix))
    sync_folder(path.parent)
    return damaged


def _free_name(path: Path) -> Path:
    number = 1
    while (damaged := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return damaged


def _fill(store: Store, damaged: Path) -> None:
    """Bring over every row that proves itself, then make the derived facts fit again."""
    with store.transaction() as tx:
        for table, key, proves in TABLES:
            for row in legible_rows(damaged, table, key):
                if proves(tx, row):
                    marks = ", ".join("?" * len(row))
                    tx.run(f"insert or replace into {table} values ({marks})", *row)
        _append_events(tx, damaged)
        _end_promises(tx)
        _ask_about_payments(store, tx)
        _skip_numbers(tx, damaged)
        recount(tx)
        tx.run("insert or replace into settings values (?, ?)", MENDED, tx.at_ms)


def _end_promises(tx: Transaction) -> None:
    """What may be promised once is promised no more: it may have been, since the backup.

    Free numbers stay lent and idle until their window is over. The gateway is not told of them:
    it would give to others what somebody here may have walked away with.
    """
    tx.run("update leased_numbers set state = 'returned' where state = 'free'")
    drop_folder(tx, PROMISES)


def _append_events(tx: Transaction, damaged: Path) -> None:
    """Audit links that continue the chain of the backup, with their names; verify() judges them."""
    [(last,)] = tx.rows("select coalesce(max(seq), 0) from audit")
    rows = {row[0]: row for row in legible_rows(damaged, "audit", "seq")}
    assert isinstance(last, int)
    while (row := rows.get(last + 1)) is not None and isinstance(row[1], bytes):
        tx.run("insert into audit values (?, ?, ?)", *row)
        last += 1
    tx.run("delete from names where room = 'audit' and seq > ?", last)
    for statement in PERSONS_IN_FRONT:  # the damaged file may be of an older schema
        tx.run(statement)
    for head in legible_rows(damaged, "audit_heads", "seq"):
        if isinstance(head[0], int) and head[0] <= last and isinstance(head[1], bytes):
            tx.run("insert or ignore into audit_heads values (?, ?, ?, ?)", *head)


def _skip_numbers(tx: Transaction, damaged: Path) -> None:
    """Counters go on well past anything they may have given out since the backup."""
    counters: dict[str, int] = {}
    rows = [*legible_rows(damaged, "settings", "name"), *tx.rows("select * from settings")]
    for name, value in rows:
        counted = isinstance(name, str) and name.startswith("count/")
        if counted and isinstance(value, int) and 0 <= value < COUNTER_BELIEVED_MAX:
            counters[str(name)] = max(value, counters.get(str(name), 0))
    for name, value in counters.items():
        tx.run("insert or replace into settings values (?, ?)", name, value + NUMBERS_SKIPPED)


def _ask_about_payments(store: Store, tx: Transaction) -> None:
    """Whatever is not final may have gone on: it is opened again and asked about."""
    journal = Journal(store)
    tx.run("delete from open_payments")
    for reference, moves in _payments(tx):
        good = _unbroken(moves)
        tx.run("delete from names where name = ? and room = 'move' and n > ?", reference, good)
        if good == 0:
            tx.run("delete from payments where reference = ?", reference)
            continue
        state = State(str(moves[good - 1][1]))
        if state not in FINAL:
            tx.run("insert into open_payments values (?)", reference)
        if state is State.INTENT:
            journal.moved(tx, reference, State.SENT, b"mended: perhaps sent")
            journal.moved(tx, reference, State.UNKNOWN, b"mended")


def _payments(tx: Transaction) -> Iterator[tuple[str, list[Row]]]:
    for (reference,) in tx.rows("select reference from payments"):
        yield (
            str(reference),
            tx.rows("select n, state from names where name = ? and room = 'move'", reference),
        )


def _unbroken(moves: Sequence[Row]) -> int:
    """How many moves there are from the first without a gap."""
    count = 0
    for n, _ in moves:
        if n != count + 1:
            break
        count += 1
    return count


def _opens(reading: Reading, person: object, place: Place, sealed: object) -> bool:
    if not isinstance(sealed, bytes) or not (person is None or isinstance(person, str)):
        return False
    try:
        reading.vault.unseal(reading, None if person is None else Pseudonym(person), place, sealed)
    except StoreCorrupt:
        return False
    return True


def _key_proves(reading: Reading, row: Row) -> bool:
    person, wrapped = row
    return (
        isinstance(person, str)
        and isinstance(wrapped, bytes)
        and reading.vault.unwraps(Pseudonym(person), wrapped)
    )


def _record_proves(reading: Reading, row: Row) -> bool:
    _, key, _, person, body, _, state, *_ = row
    if state not in set(Standing) or not isinstance(key, str):
        return False
    return body is None or _opens(reading, person, Place("outbox", key, "body"), body)


def _name_proves(reading: Reading, row: Row) -> bool:
    name, room, _, seq, *_ = row
    if room == "move":
        return move_proves_itself(reading, row)
    return room in ("outbox", "audit") and isinstance(name, str) and isinstance(seq, int)


def _number_proves(reading: Reading, row: Row) -> bool:
    lease, number, _, deadline, body, state, _ = row
    place = Place("leased_numbers", f"{lease!s}/{number!s}", "body")
    known = state in ("free", "given", "returned") and isinstance(deadline, int)
    return known and _opens(reading, None, place, body)


TABLES: tuple[tuple[str, str, Callable[[Reading, Row], bool]], ...] = (
    ("person_keys", "person", _key_proves),
    ("payments", "reference", payment_proves_itself),
    ("names", "name, room, n", _name_proves),
    ("outbox", "seq", _record_proves),
    ("leased_numbers", "lease, number", _number_proves),
)
"""In this order: a field is proved with its person's key, a move with its payment."""
