"""Planted differences between three books: each is found, in its class, and nothing else is.

    python -m tests.drills.reconcile --payments 100000 --planted 500 [--seed S] [--json]

The terminals' records, the provider's file and the hospital's ledger are written as each of the
three would, apart from each other; what was planted is known to the drill alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from gateway.adapters.demo.hospital import DemoHospital
from gateway.adapters.demo.knobs import Knobs
from gateway.adapters.demo.tables import his_ledger
from gateway.cli import open_store
from gateway.daily_file import Channel, FileRow, Moved, read, write
from gateway.matching import Difference
from gateway.reconcile import Outcome, run, take_file
from gateway.store import Store
from gateway.tables import payment_states, to_us
from tests.bench.report import Promise, report

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMINALS = 50


@dataclass
class Books:
    """The three books, as lists of what each side would have written."""

    chance: Random
    file: list[FileRow] = field(default_factory=list)
    file_before: list[FileRow] = field(default_factory=list)
    hospital: list[dict[str, object]] = field(default_factory=list)
    journal: list[dict[str, object]] = field(default_factory=list)

    def charge(self, reference: str, fen: int, *, before: bool = False) -> None:
        rows = self.file_before if before else self.file
        rows.append(FileRow(Moved.CHARGED, reference, f"4200{reference}", fen))

    def give_back(self, reference: str, fen: int) -> None:
        self.file.append(FileRow(Moved.REVERSED, reference, f"4200{reference}", fen))

    def book(self, reference: str, fen: int, at: datetime | None = None) -> None:
        moment = at or self.moment()
        row = {"at": to_us(moment), "kind": "settled", "subject": reference, "person": "P0001"}
        row |= {"terminal": "T1", "amount_fen": fen, "detail": "Q1 payer_code"}
        self.hospital.append(row)

    def say(self, reference: str, state: str, fen: int) -> None:
        sequence = len(self.journal) + 1
        row = {"terminal": f"T{sequence % TERMINALS}", "sequence": sequence, "evidence": ""}
        row |= {"reference": reference, "state": state, "amount_fen": fen}
        self.journal.append({**row, "at": to_us(self.moment())})

    def moment(self) -> datetime:
        return NOON + timedelta(seconds=self.chance.uniform(-11 * 3600, 11 * 3600))


Plant = Callable[[Books, str, int], None]


def agreed(books: Books, reference: str, fen: int) -> None:
    """What a day mostly is: paid and booked, declined, reversed, refunded, paid by insurance."""
    kind = books.chance.random()
    if kind < 0.9:
        books.charge(reference, fen)
        books.book(reference, fen)
        books.say(reference, "SETTLED", fen)
    elif kind < 0.95:
        books.say(reference, "DECLINED", fen)
    elif kind < 0.99:
        books.charge(reference, fen)
        books.give_back(reference, fen)
        books.say(reference, books.chance.choice(["REVERSED", "REFUNDED"]), fen)
    else:
        books.book(reference, 0)
        books.say(reference, "SETTLED", 0)


def charged_twice(books: Books, reference: str, fen: int) -> None:
    agreed_settled(books, reference, fen)
    books.charge(reference, fen)


def agreed_settled(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.book(reference, fen)
    books.say(reference, "SETTLED", fen)


def booked_twice(books: Books, reference: str, fen: int) -> None:
    agreed_settled(books, reference, fen)
    books.book(reference, fen)


def refunded_too_much(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    for _ in range(2):
        books.give_back(reference, fen)
    books.say(reference, "REFUNDED", fen)


def reversed_but_booked(books: Books, reference: str, fen: int) -> None:
    agreed_settled(books, reference, fen)
    books.give_back(reference, fen)


def amount_differs(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.book(reference, fen + books.chance.choice([-1, 1, 100]))
    books.say(reference, "SETTLED", fen)


def booked_not_taken(books: Books, reference: str, fen: int) -> None:
    books.book(reference, fen)
    books.say(reference, "SETTLED", fen)


def declined_but_taken(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.say(reference, "DECLINED", fen)


def open_at_terminal(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.say(reference, books.chance.choice(["UNKNOWN", "REFUND_DUE", "MANUAL"]), fen)


def taken_not_booked(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.say(reference, "PAID", fen)


def settled_nowhere_else(books: Books, reference: str, fen: int) -> None:
    books.say(reference, "SETTLED", fen)


def not_in_journal(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.book(reference, fen)


def across_day_cut(books: Books, reference: str, fen: int) -> None:
    books.charge(reference, fen)
    books.book(reference, fen, NOON + timedelta(hours=12, seconds=books.chance.randint(1, 900)))
    books.say(reference, "SETTLED", fen)


PLANTS: dict[Difference, Plant] = {
    Difference.CHARGED_TWICE: charged_twice,
    Difference.BOOKED_TWICE: booked_twice,
    Difference.REFUNDED_TOO_MUCH: refunded_too_much,
    Difference.REVERSED_BUT_BOOKED: reversed_but_booked,
    Difference.AMOUNT_DIFFERS: amount_differs,
    Difference.BOOKED_NOT_TAKEN: booked_not_taken,
    Difference.DECLINED_BUT_TAKEN: declined_but_taken,
    Difference.OPEN_AT_TERMINAL: open_at_terminal,
    Difference.TAKEN_NOT_BOOKED: taken_not_booked,
    Difference.SETTLED_NOWHERE_ELSE: settled_nowhere_else,
    Difference.NOT_IN_JOURNAL: not_in_journal,
    Difference.ACROSS_DAY_CUT: across_day_cut,
}


def plant(books: Books, payments: int, planted: int) -> dict[str, Difference]:
    """Fill the books; what was planted, by reference."""
    classes = list(PLANTS)
    wrong = dict(zip(books.chance.sample(range(payments), planted), range(planted), strict=True))
    truth: dict[str, Difference] = {}
    for place in range(payments):
        reference = f"K{place:08d}"
        fen = books.chance.randint(200, 500_000)
        if place in wrong:
            truth[reference] = classes[wrong[place] % len(classes)]
            PLANTS[truth[reference]](books, reference, fen)
        else:
            agreed(books, reference, fen)
    return truth


def write_books(store: Store, books: Books) -> None:
    """Each side's book into its own tables; the provider's by way of its file, in GBK."""
    with store.writing() as connection:
        connection.execute(his_ledger.insert(), books.hospital)
        connection.execute(payment_states.insert(), books.journal)
    for rows, day in ((books.file, DAY), (books.file_before, DAY - timedelta(days=1))):
        take_file(store, read(write(Channel.CODES, day, rows).encode("gb18030")), NOON)
    take_file(store, read(write(Channel.CODES, DAY + timedelta(days=1), []).encode()), NOON)


def drill(folder: Path, payments: int, planted: int, seed: int) -> dict[str, object]:
    store = open_store(f"sqlite:///{folder}/reconcile.db")
    hospital = DemoHospital(Knobs(), lambda _: "", UTC)
    store.create(*hospital.schemas())
    books = Books(Random(seed))
    truth = plant(books, payments, planted)
    began = time.monotonic()
    write_books(store, books)
    outcome = run(store, hospital, DAY, NOON)
    seconds = time.monotonic() - began
    store.close()
    return {**compared(outcome, truth), "seconds": round(seconds, 1), "payments": payments}


def compared(outcome: Outcome, truth: dict[str, Difference]) -> dict[str, object]:
    found = {one.payment.reference: one.difference for one in outcome.found}
    return {
        "planted": len(truth),
        "found": sum(reference in found for reference in truth),
        "wrong_class": sum(found.get(reference, kind) != kind for reference, kind in truth.items()),
        "false": sum(reference not in truth for reference in found),
        "classes": len(set(found.values())),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--planted", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        results = drill(Path(folder), given.payments, given.planted, given.seed)
    promises = [
        Promise("found", "==", given.planted),
        Promise("wrong_class", "==", 0),
        Promise("false", "==", 0),
        Promise("seconds", "<=", 60),
    ]
    return report(results, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
