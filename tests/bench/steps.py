"""The record of a payment's step as the core writes it, for benchmarks: one commit, four facts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from offline.audit import Audit
from offline.clock import Clock
from offline.journal import Journal, State
from offline.outbox import Outbox
from offline.store import Store, Transaction
from offline.vault import Pseudonym, Vault

WAY = (State.SENT, State.PAID, State.BOOKING, State.SETTLED)
EVIDENCE = b'{"trace":"004711","terminal":"60012345","receipt":"0815","card":"6222...0123"}'
BILL = {
    "quote": "Q-20260101-0042",
    "method": "card",
    "lines": [
        {"item": "门诊诊查费", "amount_fen": 2500, "insurance_fen": 2000, "own_fen": 500},
        {"item": "血常规（五分类）", "amount_fen": 2000, "insurance_fen": 1600, "own_fen": 400},
        {"item": "阿莫西林胶囊", "amount_fen": 1850, "insurance_fen": 1480, "own_fen": 370},
    ],
}
BODY = json.dumps(BILL, ensure_ascii=False).encode()
PEOPLE = 200


@dataclass
class Terminal:
    """A store on the real clock, with everything that a step writes to."""

    store: Store
    journal: Journal
    outbox: Outbox
    audit: Audit
    people: list[Pseudonym]

    @classmethod
    def open(cls, folder: Path) -> Terminal:
        first = not (folder / "kiosk.db").exists()
        vault = Vault.open(folder / "master.key", random_bytes=os.urandom, create=first)
        clock = Clock(time.time, time.monotonic, "bench")
        store = Store.open(folder / "kiosk.db", sealing=vault, clock=clock)
        audit = Audit.open(store, folder / "audit.key", random_bytes=os.urandom, create=first)
        people = [vault.pseudonym(f"bench {n}") for n in range(PEOPLE)]
        return cls(store, Journal(store), Outbox(store), audit, people)


class Steps:
    """One payment after another, step by step: intent, sent, paid, booking, settled."""

    def __init__(
        self, terminal: Terminal, numbers: Iterator[int] | None = None, seed: int = 1
    ) -> None:
        """`numbers`: where references are drawn from; producers of one terminal share it."""
        self._terminal = terminal
        self._numbers = count(1) if numbers is None else numbers
        self._chance = Random(seed)
        self._next = len(WAY)
        self.person = terminal.people[0]
        self.reference = ""

    def write(self, tx: Transaction) -> str:
        """Sealed fields, journal, outbox row and audit link of the next step; its outbox key."""
        if self._next == len(WAY):
            return self._open(tx)
        terminal, state = self._terminal, WAY[self._next]
        self._next += 1
        key = f"{self.reference}-{state.value}"
        terminal.journal.moved(tx, self.reference, state, EVIDENCE)
        terminal.outbox.queue(tx, key, kind="payment", body=BODY, person=self.person)
        terminal.audit.append(tx, "payment_moved", reference=self.reference, state=state.value)
        return key

    def _open(self, tx: Transaction) -> str:
        terminal = self._terminal
        self._next = 0
        self.person = self._chance.choice(terminal.people)
        reference = self.reference = f"T01-{next(self._numbers):08d}"
        terminal.journal.open_payment(
            tx, reference, kind="card", amount_fen=1270, subject=BODY, person=self.person
        )
        key = f"{reference}-intent"
        terminal.outbox.queue(tx, key, kind="payment", body=BODY, person=self.person)
        terminal.audit.append(
            tx, "payment_opened", reference=reference, amount_fen=1270, kind="card",
            person=self.person,
        )  # fmt: skip
        return key
