"""The store's own health: what may be promised, what is backed up, who is erased, what bars a wipe.

Rule: no payment is begun that could not be recorded to its end; what was erased is in no copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from offline import gates
from offline.audit import Audit
from offline.ballast import FLOOR_BYTES, Ballast, PaymentsOff, free_bytes, wal_bytes
from offline.errors import StoreFull
from offline.exports import Exports, Listed
from offline.files import destroy
from offline.journal import Journal
from offline.mend import back_up, compared, damaged_files, needs_comparing
from offline.retention import Retention, StillNeeded
from offline.runs import Runs
from offline.settings import Settings
from offline.store import Store, Transaction

DAMAGED_KEEP_DAYS = 35
"""As long as accepted records stay: by then every ledger has been compared many times."""

DAY_MS = 24 * 3600 * 1000
PAD_KIND = "card"
ERASING = "erasing"
"""Set while copies of the store may still hold a person whose key is destroyed."""

PURPOSES = ("update", "reset", "enrol", "sign-out")
"""What wipes or replaces this terminal, or parts it from its gateway."""

T = TypeVar("T")


@dataclass(frozen=True)
class Erasure:
    """`why` empty: nothing of this person can be read here again.

    `exports`: fingerprints of all that were ever made of this store; copies that were carried away
    hold the person still. `strange`: exports in the folder that another store has left.
    """

    why: str = ""
    exports: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


class Keeping:
    """One store's health; safe to share between threads, like the store."""

    def __init__(
        self,
        store: Store,
        audit: Audit,
        ballast: Ballast,
        damaged: Path | None,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store, self._audit, self._ballast = store, audit, ballast
        self._random_bytes = random_bytes
        self._journal, self._settings = Journal(store), Settings(store)
        self._exports, self._runs = Exports(store), Runs(store, audit)
        self.damaged = damaged
        self._off = ""
        self._compared = not needs_comparing(store)
        if self._compared and self._settings.get(
            ERASING
        ):  # the run before did not come to the copies
            self._destroy_copies()

    # --- what may be promised --------------------------------------------------------------------

    def write(self, work: Callable[[Transaction], T]) -> T:
        """What has happened is recorded; on a full disk the ballast goes for it. StoreFull."""
        return self._ballast.write(work)

    def insist(self, act: Callable[[], T]) -> T:
        """As write(), for what keeps its own transactions and may be done again. StoreFull."""
        try:
            return act()
        except StoreFull:
            if not self._ballast.drop():
                raise
        return act()

    def admission(self, probe: bool = True) -> str:
        """Empty: a payment may be begun. Else why not, a code; once off, only a write proves on."""
        found = self._ballast.admission(probe or bool(self._off))
        self._off = found.cause if isinstance(found, PaymentsOff) else ""
        return self._off

    def note_payments(self, off: str) -> bool:
        """Tell the trail that payments stopped, or go on; False: no room for it, try later."""
        try:
            with self._store.transaction() as tx:
                if off:
                    self._audit.append(tx, "payments_off", cause=off)
                else:
                    self._audit.append(tx, "payments_on")
        except StoreFull:
            return False
        return True

    def check(self) -> None:
        """Read every page once, if this start has not yet. StoreCorrupt: the next start mends."""
        if not self._store.checked:
            self._store.check()

    # --- after mending ---------------------------------------------------------------------------

    def pad_looked(self, mark: str) -> bool:
        """The pad said what it remembers last: nothing, or a payment this journal knows.

        One payment is open at a time, so of what the pad charged only its last can be missing.
        False: it is missing, or there was nothing to compare.
        """
        if self._compared:
            return False
        trace = mark.partition("/")[2]
        if trace and not self._knows(trace):
            return False
        self.compared("pad")
        return True

    def compared(self, who: str) -> None:
        """The pad's ledger was gone through, by itself or by a member of staff."""

        def work(tx: Transaction) -> None:
            compared(tx)
            self._audit.append(tx, "ledgers_compared", who=who)

        self.write(work)
        self._compared = True

    def _knows(self, trace: str) -> bool:
        """While one is asked about, the pad's last payment may turn out to be that one."""
        wanted = re.compile(rf"\btrace {re.escape(trace)}\b".encode())
        newest = self._journal.newest(PAD_KIND)
        said = [move.evidence for payment in newest for move in payment.moves]
        return any(isinstance(words, bytes) and wanted.search(words) for words in said)

    # --- copies ----------------------------------------------------------------------------------

    def nightly(self) -> None:
        """Full check, backup, WAL emptied, old damaged files gone. StoreCorrupt, StoreFull."""
        self._store.check_whole()
        now_ms = self._store.clock.wall_ms()
        if self._compared:
            for path in damaged_files(self._store.path):
                if now_ms - path.stat().st_mtime * 1000 > DAMAGED_KEEP_DAYS * DAY_MS:
                    destroy(path)
        self._back_up()
        self._store.fold()

    def night_of(self) -> str:
        """The day that nightly() was done for, as done_for() said."""
        return self._settings.get("night") or ""

    def done_for(self, day: str) -> None:
        self.write(lambda tx: self._settings.set(tx, "night", day))

    def _back_up(self) -> None:
        if free_bytes(self._store.path.parent) < self._store.path.stat().st_size + FLOOR_BYTES:
            raise StoreFull("no room for a backup")
        back_up(self._store)

    def erase(self, number: str, who: str) -> Erasure:
        """Destroy a person's key, then every copy of the store that still holds it.

        Refused while something of theirs is unsent or unsettled, or a damaged store is compared.
        """
        if not self._compared:
            return Erasure("store_mended")
        person = self._store.vault.pseudonym(number)

        def work(tx: Transaction) -> StillNeeded | None:
            found = Retention(self._store, ()).erase(tx, person)
            if isinstance(found, StillNeeded):
                return found
            self._audit.append(tx, "person_erased", person=person, who=who)
            self._settings.set(tx, ERASING, "yes")
            return None

        needed = self.write(work)
        if needed is not None:
            return Erasure("unsent" if needed.waiting else "unsettled")
        self._destroy_copies()
        with suppress(StoreFull):  # the next night makes one; until then there is none
            self._back_up()
        made = tuple(one.fingerprint or one.name for one in self._exports.listed())
        return Erasure("", made, self._exports.strange())

    def _destroy_copies(self) -> None:
        """Until all are gone it is owed: a kill on the way leaves it to the next start."""
        self._store.fold()
        backup = self._store.path.with_name(self._store.path.name + ".backup")
        for path in (backup, *damaged_files(self._store.path)):
            destroy(path)
        count = len(self._exports.here())
        self._exports.drop()

        def work(tx: Transaction) -> None:
            if count:
                self._audit.append(tx, "exports_destroyed", count=count)
            self._settings.set(tx, ERASING, "")

        self.write(work)

    # --- gates -----------------------------------------------------------------------------------

    def gate(self, purpose: str) -> gates.Unsynced | None:
        """None: go ahead. Else what would be lost; both are kept in the trail."""
        assert purpose in PURPOSES, purpose
        found = gates.gate(self._store)
        outcome = "open" if isinstance(found, gates.Open) else "shut"
        kind = purpose.replace("-", "_")
        self.write(lambda tx: self._audit.append(tx, "gate_asked", kind=kind, outcome=outcome))
        return None if isinstance(found, gates.Open) else found.unsynced

    def override(self, purpose: str, roles: Sequence[str], key: bytes) -> Path | None:
        """Past the gate, with everything in a sealed export under the hospital's key; where it is.

        None: fewer than two roles asked for it.
        """
        assert purpose in PURPOSES, purpose
        if len(set(roles)) < gates.ROLES_NEEDED:
            return None
        kind, who = purpose.replace("-", "_"), "_".join(sorted(set(roles)))
        self._exports.folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{self._store.clock.wall_ms()}-{purpose}.export"
        listed = self._exports.listed()

        def begun(tx: Transaction) -> None:
            self._audit.append(tx, "gate_overridden", kind=kind, who=who)
            self._exports.begin(tx, listed, name)

        self.write(begun)
        path = self._exports.folder / name
        answer = gates.overridden(
            self._store, path, key, roles=roles, random_bytes=self._random_bytes
        )
        self.write(lambda tx: self._exports.finish(tx, (*listed, Listed(name, "")), name))
        assert isinstance(answer, gates.Open), "two roles asked"
        return path

    # --- runs of core ----------------------------------------------------------------------------

    def run_began(self, version: str) -> None:
        """Into the trail, and how the run before ended, if it could not say so. StoreFull."""
        before = self._runs.before()
        self.write(lambda tx: self._runs.begin(tx, version, before))

    def run_ended(self) -> None:
        """In order. StoreFull."""
        self.write(self._runs.end)

    # --- for `kiosk status` ----------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """No personal data; sizes in bytes."""
        path = self._store.path
        return {
            "payments_off": self._off,
            "checked": self._store.checked,
            "mended": self.damaged.name if self.damaged else "",
            "exports": len(self._exports.here()),
            "damaged_files": len([p for p in damaged_files(path) if not p.name.endswith("-wal")]),
            "backup_of": self.night_of(),
            "wal_bytes": wal_bytes(path),
            "free_bytes": free_bytes(path.parent),
        }
