"""A damaged store: mended and back in service, and after asking the ledgers no fen differs.

    python -m tests.drills.corrupt --corruptions 1000 [--seed S] [--json]

Bits flip, pages are zeroed or swapped, the WAL is cut or gone, the file is cut. The terminal is
started again, at most three times, and settles what is open by asking the pad's own ledger and the
hospital's own, which is all that the real recovery does.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from offline.clock import Clock
from offline.errors import StoreCorrupt
from offline.journal import FINAL, Journal, Payment, State
from offline.mend import Opened, adopt, back_up, compared, needs_comparing, open_or_mend
from offline.outbox import Accepted, Outbox
from offline.store import Store, suspect_mark
from offline.vault import Vault
from tests.bench.report import Promise, report

STARTS_MAX = 3
SERVICE_S_MAX = 60.0
PAYMENTS = 40
MUTANTS = ("none", "intent_was_never_sent", "does_not_compare", "starts_again_as_it_is")
"""An intent whose SENT went with the WAL is declined unasked; payments that only the pad knows are
not looked for; a store found damaged in use is opened again as it is."""


@dataclass
class Ledgers:
    """What the pad charged, and what the hospital booked: neither is ours."""

    pad: dict[str, int] = field(default_factory=dict)
    hospital: set[str] = field(default_factory=set)


def _vault(seed: int) -> Vault:
    return Vault(b"\1" * 32, random_bytes=Random(seed).randbytes)


CLOCK = Clock(lambda: 1.8e9, lambda: 5.0, "boot")


def lived(folder: Path, seed: int) -> Ledgers:
    """A terminal's day, with a backup at noon, killed in the afternoon."""
    chance, ledgers = Random(seed), Ledgers()
    store = Store.open(folder / "kiosk.db", sealing=_vault(seed), clock=CLOCK)
    for number in range(PAYMENTS):
        _pay(store, ledgers, f"R{number:03d}", chance)
        if number == PAYMENTS // 2:
            back_up(store)
            store.fold()
    shutil.copytree(folder, folder.with_name("killed"))
    store.close()
    return ledgers


def _pay(store: Store, ledgers: Ledgers, reference: str, chance: Random) -> None:
    journal, outbox = Journal(store), Outbox(store)
    amount_fen = chance.randint(1, 99999)
    person = store.vault.pseudonym(str(chance.randrange(8)))
    with store.transaction() as tx:
        journal.open_payment(
            tx, reference, kind="card", amount_fen=amount_fen, subject=b"bill" * 30, person=person
        )
    states = [State.SENT, State.PAID, State.BOOKING, State.SETTLED]
    for state in states[: chance.choice([0, 1, 2, 3, 4, 4, 4, 4, 4])]:
        with store.transaction() as tx:
            journal.moved(tx, reference, state, b"evidence")
            outbox.queue(tx, f"{reference}-{state}", kind="payment", body=b"b" * 400, person=person)
        if state is State.SENT:
            ledgers.pad[reference] = amount_fen
        if state is State.SETTLED:
            ledgers.hospital.add(reference)
    with store.transaction() as tx:
        outbox.answered_all(tx, [(record.key, Accepted()) for record in outbox.take(2)])


Damage = Callable[[Path, Random], None]


def _flip(folder: Path, chance: Random) -> None:
    file = chance.choice([folder / "kiosk.db", folder / "kiosk.db-wal"])
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 20])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def _zero_page(folder: Path, chance: Random) -> None:
    file = chance.choice([folder / "kiosk.db", folder / "kiosk.db-wal"])
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 2])):
        at = chance.randrange(len(content) // 4096) * 4096
        content[at : at + 4096] = bytes(4096)
    file.write_bytes(content)


def _swap_pages(folder: Path, chance: Random) -> None:
    file = folder / "kiosk.db"
    content = bytearray(file.read_bytes())
    one, other = (chance.randrange(len(content) // 4096) * 4096 for _ in range(2))
    first, second = content[one : one + 4096], content[other : other + 4096]
    content[one : one + 4096], content[other : other + 4096] = second, first
    file.write_bytes(content)


def _cut_wal(folder: Path, chance: Random) -> None:
    file = folder / "kiosk.db-wal"
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def _lose_wal(folder: Path, chance: Random) -> None:
    (folder / "kiosk.db-wal").unlink()


def _cut_file(folder: Path, chance: Random) -> None:
    file = folder / "kiosk.db"
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def _lose_the_backup_too(folder: Path, chance: Random) -> None:
    (folder / "kiosk.db.backup").unlink()
    _flip(folder, chance)


DAMAGES: tuple[Damage, ...] = (
    *(_flip, _flip, _zero_page, _swap_pages, _cut_wal, _lose_wal, _cut_file),
    _lose_the_backup_too,
)


@dataclass
class Verdict:
    """What became of one damaged terminal."""

    crash_loop: bool = False
    money_differences: int = 0
    mended: bool = False
    seconds: float = 0.0


def trial(folder: Path, ledgers: Ledgers, seed: int, mutant: str) -> Verdict:
    """Start the damaged terminal until it has settled everything, and compare."""
    verdict = Verdict()
    for start in range(STARTS_MAX):
        began = time.monotonic()
        opened = _start(folder, seed + start, mutant)
        if opened is None:
            continue
        verdict.seconds = max(verdict.seconds, time.monotonic() - began)
        verdict.mended |= opened.damaged is not None
        try:
            verdict.money_differences = _settle_and_compare(opened.store, ledgers, mutant)
        except StoreCorrupt:
            if mutant == "starts_again_as_it_is":
                suspect_mark(folder / "kiosk.db").unlink(missing_ok=True)
            continue
        finally:
            opened.store.close()
        return verdict
    verdict.crash_loop = True
    return verdict


def _start(folder: Path, seed: int, mutant: str) -> Opened | None:
    path = folder / "kiosk.db"
    with suppress(StoreCorrupt):
        if mutant == "starts_again_as_it_is":
            return Opened(Store.open(path, sealing=_vault(seed), clock=CLOCK), None)
        return open_or_mend(path, sealing=_vault(seed), clock=CLOCK)
    return None


def _settle_and_compare(store: Store, ledgers: Ledgers, mutant: str) -> int:
    """What the engine does at a start, with the ledgers as the far side; then the comparison."""
    journal = Journal(store)
    if mutant != "does_not_compare":
        # The WAL may have gone without a trace, so the pad's day is gone through at every start.
        _compare_with_pad(store, journal, ledgers)
    for payment in journal.open_payments():
        unasked = mutant == "intent_was_never_sent" and payment.state is State.INTENT
        _ask(store, journal, payment, Ledgers() if unasked else ledgers)
    found = {reference: journal.payment(reference) for reference in ledgers.pad}
    wrong = 0
    for reference, amount_fen in ledgers.pad.items():
        payment = found[reference]
        right = payment is not None and payment.amount_fen == amount_fen
        wrong += not (right and payment is not None and payment.state is State.SETTLED)
    return wrong


def _compare_with_pad(store: Store, journal: Journal, ledgers: Ledgers) -> None:
    for reference, amount_fen in ledgers.pad.items():
        if journal.payment(reference) is None:
            with store.transaction() as tx:
                adopt(tx, journal, reference, amount_fen)
    if needs_comparing(store):
        with store.transaction() as tx:
            compared(tx)


def _ask(store: Store, journal: Journal, payment: Payment, ledgers: Ledgers) -> None:
    """Settle one open payment by asking: the pad has it or not; the hospital books it once."""
    charged = payment.reference in ledgers.pad
    ways = {
        State.INTENT: [State.SENT, State.UNKNOWN, State.PAID] if charged else [State.DECLINED],
        State.SENT: [State.UNKNOWN, State.PAID] if charged else [State.UNKNOWN, State.DECLINED],
        State.UNKNOWN: [State.PAID] if charged else [State.DECLINED],
        State.PAID: [],
        State.BOOKING: [],
    }
    booking = {State.PAID: [State.BOOKING, State.SETTLED], State.BOOKING: [State.SETTLED]}
    way = list(ways[payment.state])
    last = way[-1] if way else payment.state
    way += booking.get(last, [])
    with store.transaction() as tx:
        for state in way:
            journal.moved(tx, payment.reference, state)
    assert way[-1] in FINAL
    if State.SETTLED in way:
        ledgers.hospital.add(payment.reference)


def run(corruptions: int, seed: int, mutant: str) -> dict[str, object]:
    """So many damages, each to a fresh copy of a killed terminal."""
    results = {"corruptions": 0, "crash_loops": 0, "money_differences": 0, "mended": 0}
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="corrupt-") as name:
        home = Path(name) / "terminal"
        home.mkdir()
        ledgers = lived(home, seed)
        for number in range(corruptions):
            chance = Random(f"{seed}/{number}")
            folder = Path(name) / f"damaged-{number}"
            shutil.copytree(Path(name) / "killed", folder)
            damage = DAMAGES[number % len(DAMAGES)]
            damage(folder, chance)
            hospital = Ledgers(dict(ledgers.pad), set(ledgers.hospital))
            verdict = trial(folder, hospital, seed + number, mutant)
            shutil.rmtree(folder)
            results["corruptions"] += 1
            results["crash_loops"] += verdict.crash_loop
            results["money_differences"] += verdict.money_differences
            results["mended"] += verdict.mended
            slowest = max(slowest, verdict.seconds)
            if verdict.crash_loop or verdict.money_differences:
                print(f"seed {seed}, damage {number} ({damage.__name__}): {verdict}")
    return {**results, "service_s_max": round(slowest, 3)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corruptions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    results = run(options.corruptions, options.seed, options.mutant)
    promises = [
        Promise("crash_loops", "==", 0),
        Promise("money_differences", "==", 0),
        Promise("service_s_max", "<=", SERVICE_S_MAX),
    ]
    return report(results, promises, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
