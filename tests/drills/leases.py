"""Fifty terminals lend and give out numbers, off and on the network, under jumping clocks.

    python -m tests.drills.leases --steps 1000000 [--seed S] [--mutant NAME] [--json]

Terminals keep their leases in their own stores, the gateway in its own; requests and answers get
lost and come twice, terminals are killed and opened again, every clock is turned back and forth.
The drill notes each number when a person walks away with it: nobody may walk away with another's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import update

from gateway import fleet, slots
from gateway.adapters.demo import places
from gateway.adapters.demo.crowd import everybody
from gateway.adapters.port import Refused
from gateway.cli import DemoParts, demo_parts, open_store
from gateway.policy import PolicyFile
from gateway.sealing import Keys
from gateway.tables import claims, to_us
from kiosk.hospital import contract as c
from kiosk.logs import logger
from offline import outbox as queue
from offline.clock import Clock
from offline.leases import Given, Lease, LeasedNumber, Leases
from offline.outbox import Outbox
from offline.store import Store
from offline.sync import Answered, Batch, Reply, Sync, Unreachable
from offline.vault import Vault
from tests.bench.report import Promise, report

TERMINALS = 50
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=timezone(timedelta(hours=8)))
STEP = timedelta(seconds=20)
PEOPLE = [person.id for person in everybody()[20:]]
WARDS = [ward.id for ward in places.WARDS if ward.on_site]
MUTANTS = ("none", "reclaims_by_clock", "keeps_what_it_returned")


@dataclass
class Truth:
    """What a bystander sees: who walked away with which number."""

    given: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused: int = 0

    @property
    def given_twice(self) -> int:
        return sum(times - 1 for times in self.given.values())


class Hospital:
    """The gateway, its true time, and its own clock that may be wrong."""

    def __init__(self, folder: Path) -> None:
        self.now, self._off = MONDAY, timedelta(0)
        store = open_store(f"sqlite:///{folder}/gateway.db")
        rules = PolicyFile(None, "")
        keys = Keys(bytes(32))
        self.parts: DemoParts = demo_parts(
            store,
            keys,
            self.clock,
            pay_page="https://pay.invalid/",
            rules=rules,
            log=logger("gateway", self.clock, sys.stderr),
        )
        for place in range(TERMINALS):
            fleet.add_terminal(store, name_of(place), self.now, "token")

    def clock(self) -> datetime:
        return self.now + self._off

    def turn_clock(self, chance: Random) -> None:
        self._off = timedelta(hours=chance.choice([0, 0, 0, -30, -3, 3, 30]))

    def ask(self, terminal: str, request: Any) -> Any:
        shape: Any = type(request)
        endpoint = c.endpoint_of(shape)
        answer = self.parts.gateway.answer(terminal, endpoint, c.to_json(request))
        return c.from_json(endpoint.reply, answer)

    def reclaim_by_clock(self) -> None:
        """The mutant: what ran out by the gateway's clock goes back without the terminal's word."""
        with self.parts.store.writing() as connection:
            over = (claims.c.state == "leased") & (claims.c.until <= to_us(self.clock()))
            connection.execute(update(claims).where(over).values(state="released"))


class Terminal:
    """One terminal: its store, its clock, its network."""

    def __init__(self, place: int, folder: Path, hospital: Hospital, chance: Random) -> None:
        self.name, self._chance, self._hospital = name_of(place), chance, hospital
        self._path = folder / f"{self.name}.db"
        self._off, self.online, self._serial = timedelta(0), True, 0
        self._open()

    def _open(self) -> None:
        self.store = Store.open(
            self._path,
            sealing=Vault(b"\1" * 32, random_bytes=os.urandom),
            clock=Clock(lambda: self._now().timestamp(), time.monotonic, "drill"),
        )
        self.leases, self.outbox = Leases(self.store), Outbox(self.store)
        self._sync = Sync(self.store, self.outbox, chance=self._chance)

    def _now(self) -> datetime:
        return self._hospital.now + self._off

    def turn_clock(self) -> None:
        self._off = timedelta(hours=self._chance.choice([0, 0, -400, -5, -1, 1, 5, 400]))

    def restart(self) -> None:
        """Killed and opened again: what is not in the store is forgotten."""
        self.store.close()
        self._open()

    def key(self, what: str) -> str:
        """Never used twice, whatever the clock shows; a product reserves them on disk."""
        self._serial += 1
        return f"{self.name}-{what}-{self._serial}"

    def ask_for_lease(self) -> None:
        """A block for today; the answer may be lost, then the same key asks again."""
        if not self.online:
            return
        ward, numbers = self._chance.choice(WARDS), self._chance.randint(1, 6)
        ask = c.GrantLease(self.key("lease"), ward, self._hospital.clock().date(), numbers)
        for _ in range(self._chance.choice([1, 1, 2])):
            with suppress(Refused):
                lease: c.Lease = self._hospital.ask(self.name, ask)
                self._keep(lease)

    def _keep(self, lease: c.Lease) -> None:
        numbers = tuple(
            LeasedNumber(str(number), lease.slot.id.encode())
            for number in range(lease.first, lease.first + lease.count)
        )
        if numbers:
            deadline = round(lease.until.timestamp() * 1000)
            with self.store.transaction() as tx:
                self.leases.granted(
                    tx, Lease(lease.id, lease.slot.department_id, deadline, numbers)
                )

    def give(self, truth: Truth) -> None:
        """Somebody registers: number and record are one transaction; some change their mind."""
        key, person = self.key("reg"), self._chance.choice(PEOPLE)
        now_ms = round(self._now().timestamp() * 1000)
        with self.store.transaction() as tx:
            given = self.leases.take(tx, self._chance.choice(WARDS), taken_for=key, now_ms=now_ms)
            if not isinstance(given, Given):
                return
            if self._chance.random() < 0.2:
                assert self.leases.put_back(tx, given, taken_for=key)
                return
            number = int(given.number)
            body = c.RegistrationRecord(given.lease, number, self._now().astimezone(), key, person)
            self.outbox.queue(tx, key, kind="registration", body=c.to_json(body))
        truth.given[given.body.decode(), number] += 1

    def return_overdue(self, mutant: str) -> None:
        """Free numbers past their deadline are given up, in the transaction that says so."""
        now_ms = round(self._now().timestamp() * 1000)
        for lease in self.leases.overdue(now_ms)[:3]:
            with self.store.transaction() as tx:
                numbers = tuple(int(number) for number in self.leases.ended(tx, lease))
                if mutant == "keeps_what_it_returned":
                    tx.run("update leased_numbers set state = 'free' where state = 'returned'")
                body = c.LeaseReturnedRecord(lease, numbers, self._now().astimezone())
                key = self.key("return")
                self.outbox.queue(tx, key, kind="lease_returned", body=c.to_json(body))

    def sync(self, truth: Truth) -> None:
        if self.online:
            self._sync.nudge()
            self._sync.round(lambda batch: self._carried(batch, truth))

    def _carried(self, batch: Batch, truth: Truth) -> Reply:
        fate = self._chance.random()
        if fate < 0.1:
            return Unreachable()  # the request was lost
        sent = c.Outbox(tuple(map(outgoing, batch.records)))
        for _ in range(2 if fate < 0.2 else 1):
            reply: c.OutboxReply = self._hospital.ask(self.name, sent)
        if fate > 0.9:
            return Unreachable()  # the answer was lost
        kinds = {record.key: record.kind for record in batch.records}
        verdicts: list[tuple[str, queue.Verdict]] = []
        for verdict in reply.verdicts:
            if verdict.state == "accepted":
                verdicts.append((verdict.key, queue.Accepted()))
                continue
            truth.refused += kinds[verdict.key] == "registration"
            verdicts.append((verdict.key, queue.Refused(verdict.reason)))
        return Answered(tuple(verdicts))


def outgoing(record: queue.Record) -> c.Record:
    assert isinstance(record.body, bytes)
    at = datetime.fromtimestamp(record.at_ms / 1000, MONDAY.tzinfo)
    return c.Record(record.seq, record.key, record.kind, at, record.body.decode())


def name_of(place: int) -> str:
    return f"K{place:02d}"


def walk_in(hospital: Hospital, chance: Random, truth: Truth, step: int) -> None:
    """Somebody at an online terminal or a window: held, then booked or left."""
    day = hospital.clock().date()
    listed = hospital.ask("K00", c.AskSlots(chance.choice(WARDS), day)).slots
    free = [slot.id for slot in listed if slot.left]
    if not free:
        return
    key, person = f"walk-in-{step}", chance.choice(PEOPLE)
    held = hospital.ask("K00", c.HoldSlot(key, chance.choice(free[:5]), person))
    if not isinstance(held, c.Held) or chance.random() < 0.3:
        return
    with hospital.parts.store.writing() as connection:
        booked = slots.book(connection, key, person, hospital.clock())
    if booked is not None:
        truth.given[booked.slot_id, booked.number] += 1


def drill(folder: Path, steps: int, seed: int, mutant: str = "none") -> dict[str, object]:
    """All steps, then the network comes back and everything is sent."""
    chance, truth = Random(seed), Truth()
    hospital = Hospital(folder)
    terminals = [Terminal(place, folder, hospital, chance) for place in range(TERMINALS)]
    for step in range(steps):
        hospital.now += STEP
        one_step(hospital, chance.choice(terminals), truth, (step, mutant))
    for terminal in terminals:
        terminal.online = True
        while terminal.outbox.depth().waiting:
            terminal.sync(truth)
        terminal.store.close()
    hospital.parts.store.close()
    return {
        "numbers": len(truth.given),
        "given_twice": truth.given_twice,
        "refused_at_sync": truth.refused,
        "steps": steps,
    }


def one_step(hospital: Hospital, terminal: Terminal, truth: Truth, at: tuple[int, str]) -> None:
    """One thing happens somewhere."""
    step, mutant = at
    chance = terminal._chance
    rare: list[tuple[float, Callable[[], None]]] = [
        (0.030, terminal.ask_for_lease),
        (0.070, lambda: terminal.sync(truth)),
        (0.030, lambda: walk_in(hospital, chance, truth, step)),
        (0.030, lambda: terminal.return_overdue(mutant)),
        (0.004, terminal.turn_clock),
        (0.001, lambda: hospital.turn_clock(chance)),
        (0.001, terminal.restart),
    ]
    if mutant == "reclaims_by_clock" and step % 50 == 0:
        hospital.reclaim_by_clock()
    if chance.random() < 0.01:
        terminal.online = not terminal.online
    lot = chance.random()
    for share, act in rare:
        lot -= share
        if lot < 0:
            act()
            return
    terminal.give(truth)


def fast_folder() -> str | None:
    """Durability is not what is tried here: in memory, where there is such a folder."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        results = drill(Path(folder), given.steps, given.seed, given.mutant)
    promises = [Promise("given_twice", "==", 0), Promise("refused_at_sync", "==", 0)]
    return report({**results, "seed": given.seed}, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
