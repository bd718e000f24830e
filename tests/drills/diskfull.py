"""A disk that fills up at any moment: no charge without its record, nothing acknowledged lost.

    python -m tests.drills.diskfull --points 1000 [--seed S] [--json]

Runs on a small tmpfs in a mount namespace of its own. The pad's ledger is the pad's own list.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from offline.ballast import Ballast, PaymentsOff, free_bytes
from offline.clock import Clock
from offline.errors import StoreFull
from offline.journal import Journal, State
from offline.outbox import Outbox
from offline.store import Store, Transaction
from offline.vault import Vault
from tests.bench.report import Promise, report

DISK = "6m"
BALLAST_BYTES = 512 * 1024
FLOOR_BYTES = 256 * 1024
PAYMENTS_MAX = 250
MUTANTS = ("none", "no_admission", "no_ballast", "pad_first")
"""no_admission begins payments on a full disk; no_ballast has nothing to throw overboard;
pad_first charges before the record, and has no ballast either."""


@dataclass
class Pad:
    """The pad and its own ledger."""

    ledger: list[str] = field(default_factory=list)

    def charge(self, reference: str) -> None:
        self.ledger.append(reference)


@dataclass
class Trial:
    """One terminal on one disk, until payments go off or the disk is full beyond help."""

    folder: Path
    chance: Random
    mutant: str = "none"
    pad: Pad = field(default_factory=Pad)
    acknowledged: dict[str, list[State]] = field(default_factory=dict)
    stranded: int = 0

    def run(self) -> tuple[int, int]:
        """Charges without a record, acknowledged moves lost; `stranded` counts what they became.

        A charge is stranded when its outcome could not be written: found again by asking, but
        only because the record before it was durable.
        """
        store = self._open()
        filling = self.chance.randrange(5 * PAYMENTS_MAX)
        ballast = Ballast(store, size_bytes=BALLAST_BYTES, floor_bytes=FLOOR_BYTES)
        ballast.load()
        try:
            self._pay_until_full(store, ballast, filling)
        finally:
            store.close()
        (self.folder / "filler").unlink(missing_ok=True)
        return self._judge()

    def _pay_until_full(self, store: Store, ballast: Ballast, filling: int) -> None:
        journal, outbox = Journal(store), Outbox(store)
        for number in range(PAYMENTS_MAX):
            if self.mutant != "no_admission" and isinstance(ballast.admission(), PaymentsOff):
                return
            filled = self.chance.randrange(5)
            steps = self._steps(journal, outbox, f"R{number:05d}")
            for step, (state, work) in enumerate(steps):
                if number * 5 + step == filling or (number * 5 > filling and step == filled):
                    self._fill()
                if not self._record(ballast, f"R{number:05d}", state, work):
                    self.stranded += self.pad.ledger[-1:] == [f"R{number:05d}"]
                    return

    def _steps(
        self, journal: Journal, outbox: Outbox, reference: str
    ) -> list[tuple[State, Callable[[Transaction], object]]]:
        def opened(tx: Transaction) -> None:
            journal.open_payment(
                tx, reference, kind="card", amount_fen=1, subject=self.chance.randbytes(900)
            )

        def moved(state: State) -> Callable[[Transaction], object]:
            def work(tx: Transaction) -> None:
                journal.moved(tx, reference, state, b"e" * 80)
                outbox.queue(tx, f"{reference}/{state}", kind="payment", body=b"b" * 900)

            return work

        states = (State.SENT, State.PAID, State.BOOKING, State.SETTLED)
        return [(State.INTENT, opened), *((state, moved(state)) for state in states)]

    def _record(
        self, ballast: Ballast, reference: str, state: State, work: Callable[[Transaction], object]
    ) -> bool:
        """Record a step, then act on it. False: it could not be recorded, so nothing is done."""
        if self.mutant == "pad_first" and state is State.SENT:
            self.pad.charge(reference)
        try:
            if self.mutant in ("no_ballast", "pad_first"):
                ballast.drop()
                self._fill()
            ballast.write(work)
        except StoreFull:
            return False
        self.acknowledged.setdefault(reference, []).append(state)
        if self.mutant != "pad_first" and state is State.SENT:
            self.pad.charge(reference)
        return True

    def _fill(self) -> None:
        """Somebody else fills the disk, to the last block or nearly."""
        with open(self.folder / "filler", "ab", buffering=0) as filler:
            left = self.chance.choice([0, 4096, 12_000, 40_000])
            try:
                while (room := free_bytes(self.folder) - left) > 0:
                    filler.write(bytes(min(room, 65536)))
            except OSError:
                pass

    def _open(self) -> Store:
        vault = Vault.open(
            self.folder / "key", random_bytes=self.chance.randbytes, create=not self._made()
        )
        clock = Clock(lambda: 1e9, lambda: 1.0, "boot")
        return Store.open(self.folder / "kiosk.db", sealing=vault, clock=clock)

    def _made(self) -> bool:
        return (self.folder / "kiosk.db").exists()

    def _judge(self) -> tuple[int, int]:
        store = self._open()
        journal = Journal(store)
        found = {reference: journal.payment(reference) for reference in self.pad.ledger}
        unrecorded = sum(
            payment is None or payment.state is State.INTENT for payment in found.values()
        )
        lost = 0
        for reference, states in self.acknowledged.items():
            payment = journal.payment(reference)
            told = [] if payment is None else [move.state for move in payment.moves]
            lost += told[: len(states)] != states
        store.close()
        return unrecorded, lost


def inside(folder: Path, points: int, seed: int, mutant: str) -> dict[str, int]:
    """The drill proper, on the small disk mounted at folder."""
    keys = ("points", "charges", "charges_without_record", "acknowledged_lost", "stranded")
    results = dict.fromkeys(keys, 0)
    for point in range(points):
        home = folder / "terminal"
        home.mkdir()
        trial = Trial(home, Random(f"{seed}/{point}"), mutant)
        unrecorded, lost = trial.run()
        shutil.rmtree(home)
        results["points"] += 1
        results["charges"] += len(trial.pad.ledger)
        results["charges_without_record"] += unrecorded
        results["acknowledged_lost"] += lost
        results["stranded"] += trial.stranded
        if unrecorded or lost or trial.stranded:
            print(f"point {point} of seed {seed}: {unrecorded=} {lost=} {trial.stranded=}")
    return results


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", type=Path)
    options = parser.parse_args(arguments)
    if options.inside is None:
        return _in_namespace(sys.argv[1:] if arguments is None else arguments)
    results = inside(options.inside, options.points, options.seed, options.mutant)
    promises = [
        Promise(key, "==", 0) for key in ("charges_without_record", "acknowledged_lost", "stranded")
    ]
    return report(results, promises, as_json=options.json)


def _in_namespace(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="diskfull-") as folder:
        inner = [sys.executable, "-m", "tests.drills.diskfull", "--inside", folder, *arguments]
        script = f'mount -t tmpfs -o size={DISK} tmpfs "$0" && exec "$@"'
        rights = [] if os.geteuid() == 0 else ["-r"]
        command = ["unshare", *rights, "-m", "--propagation", "private", "sh", "-c", script]
        return subprocess.run([*command, folder, *inner], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
