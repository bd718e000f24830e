"""From SIGKILL to the first pending record in hand, with a year behind and a backlog ahead.

    python -m tests.bench.restart [--history N] [--pending N] [--json]

Each side writes its rows, is killed, and is opened by a new process that says how long it took;
interpreter and imports are not counted. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.bench.report import Promise, report

STORE_FILL = """
from offline.outbox import Accepted
from tests.bench.steps import Steps, Terminal
terminal = Terminal.open(folder)
steps = Steps(terminal)
def write(rows):
    for first in range(0, rows, 1000):
        with terminal.store.transaction() as tx:
            keys = [steps.write(tx) for _ in range(min(1000, rows - first))]
            if answered:
                terminal.outbox.answered_all(tx, [(key, Accepted()) for key in keys])
answered = True
write(history)
answered = False
write(pending)
"""

STORE_OPEN = """
import offline.audit, offline.outbox, tests.bench.steps
from offline.store import Store
from offline.vault import Vault
from offline.clock import Clock
from offline.outbox import Outbox
began = time.perf_counter()
vault = Vault.open(folder / "master.key", random_bytes=os.urandom, create=False)
clock = Clock(time.time, time.monotonic, "bench")
store = Store.open(folder / "kiosk.db", sealing=vault, clock=clock, check=False)
[record] = Outbox(store).take(1)
took("ms")
assert isinstance(record.body, bytes)
began = time.perf_counter()
store.check()
took("check_ms")
began = time.perf_counter()
assert Outbox(store).depth().waiting == pending
took("depth_ms")
"""

PERSIST_FILL = """
import persistqueue
queue = persistqueue.SQLiteAckQueue(str(folder / "q"), auto_commit=False)
for number in range(history + pending):
    queue.put(body)
queue.task_done()
"""

PERSIST_OPEN = """
import persistqueue
began = time.perf_counter()
queue = persistqueue.SQLiteAckQueue(str(folder / "q"))
assert queue.get() == body
took("ms")
"""

LITE_FILL = """
import litequeue
queue = litequeue.LiteQueue(str(folder / "q.db"))
with queue.transaction():
    for number in range(history + pending):
        queue.put(body.decode())
"""

LITE_OPEN = """
import litequeue
began = time.perf_counter()
queue = litequeue.LiteQueue(str(folder / "q.db"))
assert queue.pop().data == body.decode()
took("ms")
"""

HEAD = """
import json, os, signal, sys, time
from pathlib import Path
folder, history, pending = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
body = b"x" * 800
found = {}
def took(name):
    found[name] = (time.perf_counter() - began) * 1000
"""

SIDES = {
    "store": (STORE_FILL, STORE_OPEN),
    "persistqueue": (PERSIST_FILL, PERSIST_OPEN),
    "litequeue": (LITE_FILL, LITE_OPEN),
}


def filled_and_killed(folder: Path, program: str, history: int, pending: int) -> bool:
    """Run a filling program that ends by SIGKILL; False when its library is not there."""
    ended = _python(folder, program + "\nos.kill(os.getpid(), signal.SIGKILL)\n", history, pending)
    if ended.returncode == -signal.SIGKILL:
        return True
    assert "ModuleNotFoundError" in ended.stderr, ended.stderr
    return False


def opened_ms(folder: Path, program: str, history: int, pending: int) -> dict[str, float]:
    """What an opening program measured. It is killed too, so that the next finds the same."""
    tail = "\nprint(json.dumps(found), flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    ended = _python(folder, program + tail, history, pending)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _python(
    folder: Path, program: str, history: int, pending: int
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HEAD + program, str(folder), str(history), str(pending)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--pending", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    sizes = options.history, options.pending
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="restart-", dir=os.environ.get("BENCH_DIR")) as name:
        there = []
        for side in SIDES if options.peers else ["store"]:
            (Path(name) / side).mkdir()
            if filled_and_killed(Path(name) / side, SIDES[side][0], *sizes):
                there.append(side)
        for _ in range(options.rounds):
            for side in there:
                for key, value in opened_ms(Path(name) / side, SIDES[side][1], *sizes).items():
                    times.setdefault(f"{side}_{key}", []).append(value)
    results = {key: round(median(values), 1) for key, values in times.items()}
    return report(results, [Promise("store_ms", "<=", 20)], as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
