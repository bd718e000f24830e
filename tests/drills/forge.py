"""An insider with root at the audit trail: whatever is done to what the gateway has seen, shows.

    python -m tests.drills.forge --tamperings 10000 [--seed S] [--json]

Edits, deletions, reorderings, insertions, truncations, changed heads and indexes, and whole
histories written and signed anew with the stolen present key; genuine lines, shown to an auditor
as standing elsewhere in the trail. What came after the last witnessed
head (at most a minute) can vanish unseen: no chain can know it, so it is not tampered with here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import offline.audit
import offline.chain_check
from offline.audit import Audit
from offline.catalogue import Catalogue
from offline.chain import Head, Intact, link_hash
from offline.clock import Clock
from offline.store import Store, Transaction
from offline.vault import Vault
from tests.bench.report import Promise, report

MUTANTS = ("none", "link_without_previous", "no_witness", "index_unchecked")
SESSIONS = 12


class Undone(Exception):
    """Ends a tampering's transaction, so that the next finds the trail whole."""


class Trail:
    """A trail of a morning, its heads as the gateway holds them, and the stolen key."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = Random(seed)
        vault = Vault(b"\1" * 32, random_bytes=self.chance.randbytes)
        self.now_ms = 1_800_000_000_000
        clock = Clock(lambda: self.now_ms / 1000, lambda: 1.0, "boot")
        self.store = Store.open(folder / "kiosk.db", sealing=vault, clock=clock)
        self.key = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
        self.audit = Audit(self.store, self.key, Catalogue.read())
        for number in range(SESSIONS):
            self._session(number)
        self.witnessed = self.audit.heads()
        self.end = self.witnessed[-1].seq

    def _session(self, number: int) -> None:
        audit, name = self.audit, f"s-{number}"
        person = self.store.vault.pseudonym(str(number % 5))
        with self.store.transaction() as tx:
            audit.append(tx, "session_begun", session=name)
            audit.append(
                tx, "payment_opened", reference=f"R{number}", amount_fen=number + 1, kind="card",
                person=person,
            )  # fmt: skip
            for state in self.chance.sample(["sent", "paid", "booking", "settled"], 3):
                audit.append(tx, "payment_moved", reference=f"R{number}", state=state)
            audit.append(tx, "session_ended", session=name, disposition="done")
            if number % 3 == 2:
                audit.sign_head(tx)
        self.now_ms += 20_000

    def resign(self, tx: Transaction, since: int, key: Ed25519PrivateKey) -> None:
        """Make links and heads from event `since` on fit what the payloads now say."""
        link = self.audit.first_hash()
        if since > 1:
            [(found,)] = tx.rows("select hash from audit where seq = ?", since - 1)
            assert isinstance(found, bytes)
            link = found
        for seq, payload in tx.rows(
            "select seq, payload from audit where seq >= ? order by seq", since
        ):
            assert isinstance(seq, int) and isinstance(payload, bytes)
            link = link_hash(link, seq, payload)
            tx.run("update audit set hash = ? where seq = ?", link, seq)
            for (at,) in tx.rows("select at from audit_heads where seq = ?", seq):
                assert isinstance(at, int)
                signature = key.sign(Head(seq, link, at, b"").signed())
                tx.run(
                    "update audit_heads set hash = ?, signature = ? where seq = ?",
                    *(link, signature, seq),
                )


Tampering = Callable[[Trail, Transaction, Random], bool]
"""Do it; False when this draw would change nothing."""


def _edit(trail: Trail, tx: Transaction, chance: Random) -> bool:
    seq = chance.randint(1, trail.end)
    [(payload,)] = tx.rows("select payload from audit where seq = ?", seq)
    assert isinstance(payload, bytes)
    changed = bytearray(payload)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    tx.run("update audit set payload = ? where seq = ?", bytes(changed), seq)
    return True


def _delete(trail: Trail, tx: Transaction, chance: Random) -> bool:
    first = chance.randint(1, trail.end)
    last = min(trail.end, first + chance.randint(0, 5))
    tx.run("delete from audit where seq between ? and ?", first, last)
    if chance.random() < 0.5:
        tx.run("delete from names where room = 'audit' and n between ? and ?", first, last)
    return True


def _delete_and_close_up(trail: Trail, tx: Transaction, chance: Random) -> bool:
    seq = chance.randint(1, trail.end - 1)
    tx.run("delete from audit where seq = ?", seq)
    for (later,) in tx.rows("select seq from audit where seq > ? order by seq", seq):
        tx.run("update audit set seq = seq - 1 where seq = ?", later)
    if chance.random() < 0.5:
        trail.resign(tx, seq, trail.key)
    return True


def _truncate(trail: Trail, tx: Transaction, chance: Random) -> bool:
    seq = chance.randint(1, trail.end)
    tx.run("delete from audit where seq >= ?", seq)
    tx.run("delete from names where room = 'audit' and n >= ?", seq)
    if chance.random() < 0.7:
        tx.run("delete from audit_heads where seq >= ?", seq)
    return True


def _swap(trail: Trail, tx: Transaction, chance: Random) -> bool:
    one, other = chance.sample(range(1, trail.end + 1), 2)
    rows = dict(tx.rows("select seq, payload from audit where seq in (?, ?)", one, other))
    tx.run("update audit set payload = ? where seq = ?", rows[other], one)
    tx.run("update audit set payload = ? where seq = ?", rows[one], other)
    if chance.random() < 0.3:
        hashes = dict(tx.rows("select seq, hash from audit where seq in (?, ?)", one, other))
        tx.run("update audit set hash = ? where seq = ?", hashes[other], one)
        tx.run("update audit set hash = ? where seq = ?", hashes[one], other)
    return rows[one] != rows[other]


def _forge_event(trail: Trail, tx: Transaction, chance: Random) -> bool:
    """Another payload, with a link that fits its own predecessor: only the next one is wrong."""
    seq = chance.randint(1, trail.end)
    payload = b'{"at":1,"event":"payments_on"}'
    previous = trail.audit.first_hash()
    for (found,) in tx.rows("select hash from audit where seq = ?", seq - 1):
        assert isinstance(found, bytes)
        previous = found
    link = offline.audit.link_hash(previous, seq, payload)
    tx.run("delete from names where room = 'audit' and n = ?", seq)
    tx.run("update audit set payload = ?, hash = ? where seq = ?", payload, link, seq)
    return True


def _rewrite_with_the_stolen_key(trail: Trail, tx: Transaction, chance: Random) -> bool:
    seq = chance.randint(1, trail.end)
    [(payload,)] = tx.rows("select payload from audit where seq = ?", seq)
    assert isinstance(payload, bytes)
    changed = payload.replace(b"0", b"1") if b"0" in payload else payload.replace(b"1", b"2")
    tx.run("update audit set payload = ? where seq = ?", changed, seq)
    trail.resign(tx, seq, trail.key)
    return changed != payload


def _sign_with_another_key(trail: Trail, tx: Transaction, chance: Random) -> bool:
    trail.resign(tx, 1, Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)))
    return True


def _change_head(trail: Trail, tx: Transaction, chance: Random) -> bool:
    head = chance.choice(trail.witnessed)
    column = chance.choice(["hash", "at", "signature"])
    value = {"hash": chance.randbytes(32), "at": head.at_ms + 60_000, "signature": bytes(64)}
    tx.run(f"update audit_heads set {column} = ? where seq = ?", value[column], head.seq)
    return True


def _change_index(trail: Trail, tx: Transaction, chance: Random) -> bool:
    names = tx.rows("select name, n from names where room = 'audit' and n <= ?", trail.end)
    name, n = chance.choice(names)
    if chance.random() < 0.5:
        return tx.run("delete from names where name = ? and room = 'audit' and n = ?", name, n) == 1
    sql = "update names set name = ? where name = ? and room = 'audit' and n = ?"
    return tx.run(sql, f"R{chance.randint(900, 999)}", name, n) == 1


TAMPERINGS: tuple[Tampering, ...] = (
    *(_edit, _delete, _delete_and_close_up, _truncate, _swap, _forge_event),
    *(_rewrite_with_the_stolen_key, _sign_with_another_key, _change_head, _change_index),
)


def undetected(trail: Trail, tampering: Tampering, chance: Random, mutant: str) -> bool | None:
    """Whether the trail still verifies after the tampering; None when nothing was changed."""
    answer: bool | None = None
    try:
        with trail.store.transaction() as tx:
            if tampering(trail, tx, chance):
                witnessed = [] if mutant == "no_witness" else trail.witnessed
                answer = isinstance(trail.audit.verify(witnessed), Intact)
            raise Undone
    except Undone:
        return answer


def believed_elsewhere(trail: Trail, chance: Random) -> bool:
    """A few genuine lines with their links, handed out under other numbers: does each still fit?

    Whoever holds an extract and not the whole trail has nothing but the links to tell the place.
    """
    first = chance.randint(2, trail.end)
    shift = chance.choice((chance.randint(1, 50), -chance.randint(1, first - 1)))
    with trail.store.reading() as reading:
        rows = reading.rows(
            "select seq, payload, hash from audit where seq between ? and ? order by seq",
            *(first - 1, min(trail.end, first + chance.randint(0, 5))),
        )
    fits = []
    for (_, _, previous), (seq, payload, link) in pairwise(rows):
        assert isinstance(seq, int) and isinstance(payload, bytes) and isinstance(previous, bytes)
        fits.append(offline.audit.link_hash(previous, seq + shift, payload) == link)
    return all(fits)


@contextmanager
def planted(mutant: str) -> Iterator[None]:
    """Break the product in one way, in this process, for a while."""
    links = offline.audit.link_hash, offline.chain_check.link_hash
    check = offline.chain_check.Verification._check_names
    try:
        _plant(mutant)
        yield
    finally:
        offline.audit.link_hash, offline.chain_check.link_hash = links
        offline.chain_check.Verification._check_names = check  # type: ignore[method-assign]


def _plant(mutant: str) -> None:
    if mutant == "link_without_previous":

        def alone(previous: bytes, seq: int, payload: bytes) -> bytes:
            return link_hash(bytes(32), seq, payload)

        offline.audit.link_hash = alone
        offline.chain_check.link_hash = alone
    if mutant == "index_unchecked":
        offline.chain_check.Verification._check_names = lambda self, end: None  # type: ignore[method-assign]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tamperings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", choices=MUTANTS, default="none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with planted(options.mutant):
        return drill(options.tamperings, options.seed, options.mutant, options.json)


def _tampered(trail: Trail, number: int, chance: Random, mutant: str) -> tuple[str, bool | None]:
    """One of all ways in turn: its name, and whether it went unseen."""
    which = number % (len(TAMPERINGS) + 1)
    if which == len(TAMPERINGS):
        return believed_elsewhere.__name__, believed_elsewhere(trail, chance)
    tampering = TAMPERINGS[which]
    return tampering.__name__, undetected(trail, tampering, chance, mutant)


def drill(tamperings: int, seed: int, mutant: str, as_json: bool) -> int:
    """So many tamperings, each undone before the next; the exit code."""
    began = time.monotonic()
    results: dict[str, object] = {"tamperings": 0}
    missed: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="forge-") as folder:
        trail = Trail(Path(folder), seed)
        number = done = 0
        while done < tamperings:
            number += 1
            chance = Random(f"{seed}/{number}")
            name, found = _tampered(trail, number, chance, mutant)
            done += found is not None
            if found:
                missed[name] = missed.get(name, 0) + 1
        assert trail.audit.verify(trail.witnessed) == Intact(trail.end, 0), "undone each time"
        trail.store.close()
    results |= {"tamperings": done, "undetected": sum(missed.values()), "missed": missed}
    results["seconds"] = round(time.monotonic() - began, 1)
    return report(results, [Promise("undetected", "==", 0)], as_json=as_json)


if __name__ == "__main__":
    sys.exit(main())
