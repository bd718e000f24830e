"""Ten thousand terminals in one process: what each sends and when, and how long answers took.

Each keeps its connection, sends one request at a time, and rests as the product's own sending side
does (offline/sync): full jitter, never before Retry-After. Times count from the moment a request
was due, so that a queue before the gateway cannot hide.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from kiosk.hospital import contract as c
from offline.sync import WAIT_FIRST_S, WAIT_MAX_S
from tests.bench.sync import screening

MINUTE_S = 60.0
TWICE_SHARE = 0.02
"""So many batches are sent again although they were answered."""


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: nothing did, in time."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


@dataclass
class Times:
    """Answers by what was asked, in s since they were due."""

    hellos: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    unanswered: int = 0
    sent_away: int = 0
    wrong: int = 0


@dataclass
class Line:
    """One kept connection, opened when it is needed."""

    host: str
    port: int
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, head: bytes, body: bytes, timeout_s: float) -> Answer:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(path, head, body)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            return Answer(0, b"")

    async def _post(self, path: str, head: bytes, body: bytes) -> Answer:
        if self.streams is None or self.streams[0].at_eof():
            self.close()
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        line = f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
        writer.write(line + head + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        heads = dict(one.split(b": ", 1) for one in lines[1:] if b": " in one)
        length = int(heads.get(b"content-length", b"0"))
        answer = await reader.readexactly(length)
        return Answer(int(lines[0][9:12]), answer, float(heads.get(b"retry-after", b"0")))

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
        self.streams = None


class Terminal:
    """One terminal: its sequence, its line, its patience."""

    def __init__(self, number: int, token: str, line: Line, chance: Random) -> None:
        self.name = f"T{number:05d}"
        self.sequence = 0
        self.line, self.chance = line, chance
        self._turn = asyncio.Lock()
        self._token = token
        self._head = (
            f"Host: {line.host}\r\nX-Terminal: {self.name}\r\nAuthorization: Bearer {token}\r\n"
        ).encode()

    def beside(self) -> Terminal:
        """The same terminal on another connection, as its people's questions have."""
        line = Line(self.line.host, self.line.port)
        return Terminal(int(self.name[1:]), self._token, line, self.chance)

    def records(self, count: int) -> bytes:
        """The next records as a packed batch; bodies are what a terminal would unseal."""
        made = []
        for _ in range(count):
            self.sequence += 1
            at = datetime.now(UTC)
            body = screening(self.chance).decode()
            made.append(
                c.Record(self.sequence, f"{self.name}-{self.sequence}", "screening", at, body)
            )
        return gzip.compress(c.to_json(c.Outbox(tuple(made))), compresslevel=5)

    async def hello(self, due_s: float, times: Times) -> None:
        now = datetime.now(UTC)
        body = c.to_json(c.Hello(self.name, "0.1.0", now, waiting=0))
        async with self._turn:
            answer = await self.line.post("/v1/hello", self._head + b"\r\n", body, 3.0)
        times.hellos.append(time.monotonic() - due_s)
        times.unanswered += answer.status in (0, 503)  # too late, or refused for being late
        times.wrong += answer.status not in (0, 200, 503)

    async def deliver(self, batch: bytes, due_s: float, times: Times) -> None:
        """Until it is answered for, with the product's rests; sometimes once more."""
        async with self._turn:
            for failures in range(1, 1000):
                answer = await self._send(batch)
                if answer.status == 200:
                    break
                times.unanswered += answer.status == 0
                times.sent_away += answer.status == 503
                times.wrong += answer.status not in (0, 503)
                await asyncio.sleep(_rest_s(failures, answer.retry_after_s, self.chance))
            times.batches.append(time.monotonic() - due_s)
            times.wrong += not _all_accepted(answer)
            if self.chance.random() < TWICE_SHARE:
                again = await self._send(batch)
                times.wrong += again.status == 200 and not _all_accepted(again)

    async def _send(self, batch: bytes) -> Answer:
        head = self._head + b"Content-Encoding: gzip\r\n\r\n"
        return await self.line.post("/v1/outbox", head, batch, 15.0)


def _rest_s(failures: int, at_least_s: float, chance: Random) -> float:
    """As offline/sync rests."""
    if at_least_s:
        return at_least_s + chance.uniform(0, at_least_s)
    return chance.uniform(0, min(WAIT_MAX_S, WAIT_FIRST_S * 2.0 ** (failures - 1)))


def _all_accepted(answer: Answer) -> bool:
    if answer.status != 200:
        return False
    return all(one["state"] == "accepted" for one in json.loads(answer.body)["verdicts"])


Errand = Callable[[float], Awaitable[None]]


async def steady(terminals: list[Terminal], times: Times, seconds: float, chance: Random) -> None:
    """Each terminal says hello and sends one record a minute, at moments of its own."""
    began = time.monotonic()
    plan = sorted(_moments(terminals, seconds, chance), key=lambda one: one[0])
    running: set[asyncio.Task[None]] = set()
    for at_s, terminal, beat in plan:
        due_s = began + at_s
        if (early_s := due_s - time.monotonic()) > 0:
            await asyncio.sleep(early_s)
        if beat:
            work = terminal.hello(due_s, times)
        else:
            work = terminal.deliver(terminal.records(1), due_s, times)
        task = asyncio.create_task(work)
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running)


def _moments(
    terminals: list[Terminal], seconds: float, chance: Random
) -> Iterator[tuple[float, Terminal, bool]]:
    for terminal in terminals:
        for beat in (True, False):
            at_s = chance.uniform(0, MINUTE_S)
            while at_s < seconds:
                yield at_s, terminal, beat
                at_s += MINUTE_S


async def storm(terminals: list[Terminal], batches: list[bytes], times: Times) -> float:
    """Every terminal wants to be rid of its backlog at this moment; seconds until the last is."""
    began = time.monotonic()
    deliveries = (
        terminal.deliver(batch, began, times)
        for terminal, batch in zip(terminals, batches, strict=True)
    )
    await asyncio.gather(*deliveries)
    return time.monotonic() - began
