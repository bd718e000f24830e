"""Each run of the terminal's program in the trail: begun, and ended cleanly, killed, or cut off.

Rule: who was killed cannot say so; the next run says it for the one before, by the mark that a
clean end takes away.
"""

from __future__ import annotations

from offline.audit import Audit
from offline.settings import Settings
from offline.store import Store, Transaction

MARK = "run"
"""The machine's start in which a run began; empty once it has ended cleanly."""


class Runs:
    """Begun and ended by whoever owns the store; a look at it from outside is no run."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._audit, self._settings = audit, Settings(store)
        self._boot = store.clock.boot_id

    def before(self) -> str:
        """How the run before ended, if nobody has told yet: killed or power; else empty."""
        boot = self._settings.get(MARK)
        if not boot:
            return ""
        return "killed" if boot == self._boot else "power"

    def begin(self, tx: Transaction, version: str, before: str) -> None:
        """`before`: as before() said, outside of this transaction."""
        if before:
            self._audit.append(tx, "terminal_stopped", disposition="failed", cause=before)
        self._audit.append(tx, "terminal_started", version=version, boot=self._boot)
        self._settings.set(tx, MARK, self._boot)

    def end(self, tx: Transaction) -> None:
        """In order, nothing left half done."""
        self._audit.append(tx, "terminal_stopped", disposition="done", cause="clean")
        self._settings.set(tx, MARK, "")
