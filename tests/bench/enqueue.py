"""How long until the whole record of a step is durable, beside the least that a disk can do.

    python -m tests.bench.enqueue [--puts N] [--rows N] [--json]

The limit is measured in the same rounds: overwrite 4 kB of a preallocated file, then fdatasync.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from offline.group import GroupWriter
from offline.outbox import Accepted
from tests.bench.report import Promise, report
from tests.bench.steps import BODY, Steps, Terminal

PRODUCERS = 32
TURN_S = 0.25
"""How long 32 producers of one side write before the other's turn."""

ROWS_SMALL = 100

Sides = dict[str, Callable[[], object]]


def overwriter(path: Path, page_number: int = 0) -> Callable[[], None]:
    """The limit: 4 kB over the same preallocated bytes, then fdatasync."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(file, bytes(1 << 20), 0)
    os.fsync(file)
    page = os.urandom(4096)

    def put() -> None:
        os.pwrite(file, page, 4096 * page_number)
        os.fdatasync(file)

    return put


def interleaved_us(pairs: Sequence[Sides], puts: int) -> dict[str, float]:
    """Median µs of each side, one put at a time in turns; the first fifth warms up.

    Disks and neighbours change within milliseconds: in longer turns one side meets more of it.
    Every other turn the order in a pair is reversed, or the second would find the caches warm.
    """
    times: dict[str, list[float]] = {name: [] for pair in pairs for name in pair}
    orders = ([list(pair.items()) for pair in pairs], [list(pair.items())[::-1] for pair in pairs])
    for turn in range(puts):
        for order in orders[turn % 2]:
            for name, put in order:
                start = time.perf_counter()
                put()
                times[name].append(time.perf_counter() - start)
    return {name: median(found[len(found) // 5 :]) * 1e6 for name, found in times.items()}


def one_producer(folder: Path, puts: int) -> dict[str, float]:
    """ratio_to_overwrite, and the two times it comes from."""
    terminal = Terminal.open(folder)
    steps = Steps(terminal)

    def step() -> None:
        with terminal.store.transaction() as tx:
            steps.write(tx)

    found = interleaved_us([{"limit": overwriter(folder / "limit"), "step": step}], puts)
    terminal.store.close()
    return {
        "limit_us": round(found["limit"], 1),
        "step_us": round(found["step"], 1),
        "ratio_to_overwrite": round(found["limit"] / found["step"], 3),
    }


def per_second(works: list[Callable[[], object]], seconds: float) -> float:
    """Puts a second of one thread each, started together."""
    start = threading.Barrier(len(works) + 1)
    done = [0] * len(works)
    stop = False

    def produce(index: int) -> None:
        start.wait()
        while not stop:
            works[index]()
            done[index] += 1

    threads = [threading.Thread(target=produce, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    threading.Event().wait(seconds)
    finished, elapsed = sum(done), time.perf_counter() - began
    stop = True
    for thread in threads:
        thread.join()
    return finished / elapsed


def many_producers(folder: Path, seconds: float) -> dict[str, float]:
    """ratio_32: steps a second through one group-committing writer, over the limit's.

    Each side has `seconds` in short turns; the ratio is the middle one of all pairs of turns.
    """
    terminal = Terminal.open(folder)
    writer = GroupWriter(terminal.store)
    numbers = count(1)
    each = [Steps(terminal, numbers, seed=n) for n in range(PRODUCERS)]
    ours: list[Callable[[], object]] = [lambda s=steps: writer.write(s.write) for steps in each]
    limit: list[Callable[[], object]] = [
        overwriter(folder / "limit", page_number=n) for n in range(PRODUCERS)
    ]
    limit_s, ours_s = [], []
    for turn in range(max(2, round(seconds / TURN_S))):
        first, second = (limit, ours) if turn % 2 == 0 else (ours, limit)
        rates = per_second(first, TURN_S), per_second(second, TURN_S)
        limit_s.append(rates[turn % 2])
        ours_s.append(rates[1 - turn % 2])
    terminal.store.close()
    return {
        "limit_32_per_s": round(median(limit_s)),
        "steps_32_per_s": round(median(ours_s)),
        "ratio_32": round(median(o / one for o, one in zip(ours_s, limit_s, strict=True)), 3),
    }


@dataclass
class Queue:
    """A store with so many rows, put to and taken from one by one."""

    terminal: Terminal
    numbers: count[int]

    @classmethod
    def filled(cls, folder: Path, *, kept: int, pending: int) -> Queue:
        folder.mkdir()
        queue = cls(Terminal.open(folder), count())
        queue._fill(kept + pending)
        for _ in range(kept // 500):
            queue.take_and_acknowledge(500)
        return queue

    def _fill(self, rows: int) -> None:
        while rows > 0:
            with self.terminal.store.transaction() as tx:
                for _ in range(min(rows, 1000)):
                    self._queue(tx)
            rows -= 1000

    def _queue(self, tx) -> None:  # type: ignore[no-untyped-def]
        number = next(self.numbers)
        person = self.terminal.people[number % len(self.terminal.people)]
        key = f"T01-{number:09d}"
        self.terminal.outbox.queue(tx, key, kind="payment", body=BODY, person=person)

    def put(self) -> None:
        with self.terminal.store.transaction() as tx:
            self._queue(tx)

    def take_and_acknowledge(self, limit: int = 1) -> None:
        records = self.terminal.outbox.take(limit)
        with self.terminal.store.transaction() as tx:
            verdicts = [(record.key, Accepted()) for record in records]
            self.terminal.outbox.answered_all(tx, verdicts)


def growth(folder: Path, rows: int, puts: int) -> dict[str, float]:
    """p50 of put and of take + acknowledge with `rows` rows, over the same with a hundred."""
    found: dict[str, float] = {}
    for what in ("pending", "kept"):
        held = {"kept": 0, "pending": ROWS_SMALL}
        few = Queue.filled(folder / f"few-{what}", **held)
        many = Queue.filled(folder / f"many-{what}", **{**held, what: rows})
        os.sync()  # what the filling left to the disk is not the business of what follows
        times = interleaved_us(
            [
                {"put_few": few.put, "put_many": many.put},
                {"take_few": few.take_and_acknowledge, "take_many": many.take_and_acknowledge},
            ],
            puts,
        )
        depth_us = interleaved_us([{"depth": many.terminal.outbox.depth}], puts)["depth"]
        for verb in ("put", "take"):
            ratio = times[f"{verb}_many"] / times[f"{verb}_few"]
            found[f"growth_{verb}_{what}"] = round(ratio, 3)
        found[f"depth_us_{what}"] = round(depth_us, 1)
        few.terminal.store.close()
        many.terminal.store.close()
    found["growth"] = max(value for name, value in found.items() if name.startswith("growth_"))
    return found


def syncs_a_step(folder: Path, steps: int) -> float | None:
    """fdatasync and fsync calls a step, counted by strace; None where there is no strace."""
    program = (
        "import sys; from pathlib import Path; from tests.bench.steps import Steps, Terminal\n"
        "t = Terminal.open(Path(sys.argv[1])); s = Steps(t)\n"
        "for _ in range(int(sys.argv[2])):\n with t.store.transaction() as tx: s.write(tx)\n"
        "import os; os._exit(0)"
    )

    def counted(number: int) -> int:
        log = folder / f"strace-{number}"
        home = folder / f"store-{number}"
        home.mkdir()
        command = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", str(log)]
        command += [sys.executable, "-c", program, str(home), str(number)]
        subprocess.run(command, check=True)
        return sum("sync(" in line for line in log.read_text().splitlines())

    try:
        return round((counted(steps + 20) - counted(20)) / steps, 2)
    except FileNotFoundError:
        return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--puts", type=int, default=4000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    results: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory(prefix="enqueue-") as name:
        folder = Path(name)
        for part in ("one", "many", "growth", "syncs"):
            (folder / part).mkdir()
        results["syncs"] = syncs_a_step(folder / "syncs", 100)
        results |= one_producer(folder / "one", options.puts)
        results |= many_producers(folder / "many", options.seconds)
        results |= growth(folder / "growth", options.rows, options.puts // 4)
    return report(
        results,
        (
            Promise("syncs", "==", 1.0),
            Promise("ratio_to_overwrite", ">=", 0.55),
            Promise("ratio_32", ">=", 0.8),
            Promise("growth", "<=", 1.1),
        ),
        as_json=options.json,
    )


if __name__ == "__main__":
    sys.exit(main())
