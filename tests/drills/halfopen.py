"""A line that falls silent: how long until the terminal's own sender says that nobody is there.

    python -m tests.drills.halfopen [--trials N] [--seed S] [--json]

Nobody closes anything; packets vanish (nftables in a namespace), once a quiet connection, once in
the middle of a batch. With a small fleet's hello of 5 s, and with ten thousand terminals' of 60 s,
where only the system's own look at the idle connection can notice.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from random import Random
from typing import Any

from kiosk.engine.workers import Sender, Stop
from kiosk.hospital import contract as c
from kiosk.hospital import faults
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.pace import Pace
from kiosk.ports import HospitalStood
from tests.bench.report import Promise, report
from tests.drills.line import bad_line
from tests.hospital.servers import raw_server, read_request

PROMISED_S = 15.0
"""RELIABILITY B6."""
PATIENCE_S = 60.0


@dataclass
class Waiting:
    """Records that never end, or none: all the sender asks of its store."""

    some: bool

    def waiting(self) -> int:
        return int(self.some)

    def send_round(self, send: Any) -> float:
        try:
            send(())
        except faults.HospitalError:
            return 1.0
        return 0.05


class Terminal:
    """The terminal's sender with its client and its pace, as core puts them together."""

    def __init__(self, url: str, enter: Any, *, sending: bool) -> None:
        self._client = HospitalClient(url, "T1", "token")
        self._enter, self._inside = enter, False
        self._pace = Pace(time.monotonic, Random(1))
        self.told: SimpleQueue[Any] = SimpleQueue()
        self.stop = Stop()
        records: Any = Waiting(sending)
        self.sender = Sender(records, self._send, self._beat, tell=self.told.put, stop=self.stop)

    def _beat(self, waiting: int) -> None:
        if not self._inside:
            self._enter()
            self._inside = True
        if not self._pace.due:
            if self._pace.away:
                raise faults.HospitalUnreachable("asked a moment ago")
            if self._client.connected():
                return
        try:
            reply = self._client.ask(c.Hello("T1", "drill", datetime.now(UTC), waiting))
        except faults.HospitalError:
            self._pace.lost()
            raise
        self._pace.heard(reply.beat_s)

    def _send(self, batch: Sequence[c.Record]) -> c.OutboxReply:
        reply: c.OutboxReply = self._client.ask(c.Outbox(tuple(batch)))
        return reply


def noticed_s(beat_s: float, after_s: float, *, sending: bool) -> float:
    """Seconds from silence to HospitalStood(False)."""
    line = bad_line(0, Random(7))
    try:
        with raw_server(answering(beat_s), host=line.host) as server:
            terminal = Terminal(line.url(server.port), line.enter, sending=sending)
            terminal.sender.start()
            while terminal.told.get(timeout=PATIENCE_S) != HospitalStood(True):
                continue
            time.sleep(after_s)
            line.silence()
            began = time.monotonic()
            while terminal.told.get(timeout=PATIENCE_S) != HospitalStood(False):
                continue
            took_s = time.monotonic() - began
            terminal.stop.set()
            terminal.sender.join(PATIENCE_S)
            return took_s
    finally:
        line.close()


def answering(beat_s: float) -> Any:
    """A gateway that says when it wants the next hello."""
    hello = c.HelloReply(datetime.now(UTC), "医院", "Hospital", beat_s=beat_s)
    answers = {b"hello": c.to_json(hello), b"outbox": c.to_json(c.OutboxReply((), 0))}

    def behave(peer: Any) -> None:
        while True:
            name = read_request(peer).split(b" ")[1].rpartition(b"/")[2]
            body = answers[name]
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            peer.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return behave


def drill(trials: int, seed: int) -> dict[str, object]:
    chance = Random(seed)
    found: dict[str, list[float]] = {}
    threads = []
    for beat_s in (5.0, 60.0):
        for sending in (False, True):
            for _ in range(trials):
                name = f"beat_{beat_s:.0f}_{'sending' if sending else 'quiet'}_s"
                after_s = chance.uniform(0, 6)
                took = found.setdefault(name, [])

                def measure(
                    beat_s: float = beat_s,
                    after_s: float = after_s,
                    sending: bool = sending,
                    took: list[float] = took,
                ) -> None:
                    took.append(noticed_s(beat_s, after_s, sending=sending))

                threads.append(threading.Thread(target=measure))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slowest = {name: round(max(times), 1) for name, times in found.items()}
    measured = sum(len(times) for times in found.values())
    return {
        "trials": len(threads),
        "unmeasured": len(threads) - measured,
        **slowest,
        "slowest_s": max(slowest.values()),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    results = drill(given.trials, given.seed)
    promises = [Promise("slowest_s", "<=", PROMISED_S), Promise("unmeasured", "==", 0)]
    return report({**results, "seed": given.seed}, promises, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
