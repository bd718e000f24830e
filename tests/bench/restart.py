"""From SIGKILL to the first pending record in hand, with a year behind and a backlog ahead.

    python -m tests.bench.restart [--history N] [--pending N] [--json]

Each side writes its rows, is killed, and is opened by a new process that says how long it took;
interpreter and imports are not counted. `seconds` counts them: from the start of the real core
process on that store until `kiosk status`, a process too, has printed its answer. Devices and
gateway are away. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from kiosk.link import SOCKET_NAME, LinkClient, LinkLost
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
queue = persistqueue.SQLiteAckQueue(str(folder / "q"))
queue.put(body)
queue.ack(queue.get())
queue.close()
multiply(folder / "q" / "data.db", "ack_queue_default", "data, timestamp, status")
queue = persistqueue.SQLiteAckQueue(str(folder / "q"))
for number in range(pending):
    queue.put(body)
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
queue.put(body.decode())
queue.done(queue.pop().message_id)
queue.close()
columns = "status, in_time, lock_time, done_time"
multiply(folder / "q.db", "Queue", "data, message_id, " + columns,
         "data, substr(message_id, 1, 24) || printf('%012x', n), " + columns)
queue = litequeue.LiteQueue(str(folder / "q.db"))
for number in range(pending):
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
import json, os, signal, sqlite3, sys, time
from pathlib import Path
folder, history, pending = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
body = b"x" * 800
found = {}
def took(name):
    found[name] = (time.perf_counter() - began) * 1000
def multiply(path, table, columns, values=None):
    # A peer's history: its one finished row, as it wrote it, as often as wanted, folded in.
    # Through its put() each row would be a sync, and a WAL left that its opening had to read.
    connection = sqlite3.connect(path)
    connection.execute(
        "with recursive numbers(n) as (select 1 union all select n + 1 from numbers limit ?) "
        f"insert into {table} ({columns}) select {values or columns} from {table}, numbers",
        (history - 1,),
    )
    connection.commit()
    connection.close()
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


PROFILE = """
version = "bench"
[hospital]
name = "市第一医院"
name_en = "First City Hospital"
[terminal]
id = "T01"
place = "3号门"
folder = "{folder}"
[gateway]
url = "http://127.0.0.1:9"
token_file = "{folder}/token"
[devices.id_reader]
port = "{folder}/absent"
[devices.scanner]
port = "{folder}/absent"
[devices.receipt_printer]
port = "{folder}/absent"
[devices.a4_printer]
uri = "ipp://127.0.0.1:9/"
[devices.payment_pad]
kind = "zvt"
link = "serial"
port = "{folder}/absent"
[screening]
version = "2026-1"
lookback_days = 14
[[screening.questions]]
id = "fever"
text = "发热"
text_en = "Fever"
icon = "thermometer"
leads_to = "fever_clinic"
[[screening.routes]]
id = "fever_clinic"
text = "请去发热门诊"
text_en = "Fever clinic"
"""

CORE_DEADLINE_S = 60.0
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Set, every start would compile all modules again, which takes longer than the start itself."""


def furnished(folder: Path) -> Path:
    """The profile of a terminal that lives in the folder of the filled store."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    shutil.copy(folder / "master.key", keys / "vault.key")
    shutil.copy(folder / "audit.key", keys / "audit.key")
    (folder / "token").write_text("bench")
    profile = folder / "profile.toml"
    profile.write_text(PROFILE.format(folder=folder))
    return profile


def compiled(folder: Path) -> dict[str, str]:
    """An environment in which modules are compiled once, as an installed terminal's are."""
    environment = dict(os.environ)
    if environment.pop(NO_BYTECODE, ""):
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    return environment


def core_seconds(profile: Path, pending: int) -> dict[str, float]:
    """Start core, ask it once it listens, and kill it; the two moments counted from its start."""
    kiosk = [sys.executable, "-m", "kiosk"]
    environment = compiled(profile.parent)
    socket_path = profile.parent / SOCKET_NAME
    began = time.perf_counter()
    with (profile.parent / "core.log").open("ab") as log:
        start = [*kiosk, "core", "--profile", str(profile)]
        core = subprocess.Popen(start, stderr=log, env=environment)
    try:
        _until_listening(socket_path, began + CORE_DEADLINE_S)
        listening = time.perf_counter() - began
        status = [*kiosk, "status", "--json", "--profile", str(profile)]
        answer = subprocess.run(status, capture_output=True, check=True, env=environment)
        seconds = time.perf_counter() - began
    finally:
        core.kill()
        core.wait()
        socket_path.unlink(missing_ok=True)
    queued = json.loads(answer.stdout)["queued"]
    assert queued >= pending, f"{queued} records wait, {pending} were left"
    return {"seconds": seconds, "listening_s": listening}


def _until_listening(socket_path: Path, until: float) -> None:
    while time.perf_counter() < until:
        try:
            LinkClient(socket_path, "cli").close()
        except LinkLost:
            time.sleep(0.005)
        else:
            return
    raise TimeoutError("core did not come up")


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
        profile = furnished(Path(name) / "store")
        core_seconds(profile, options.pending)  # compiles, and is not counted
        for _ in range(options.rounds):
            for key, value in core_seconds(profile, options.pending).items():
                times.setdefault(key, []).append(value)
    results = {key: round(median(values), 2) for key, values in times.items()}
    promises = [Promise("store_ms", "<=", 20), Promise("seconds", "<=", 1.5)]
    return report(results, promises, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
