"""HTTP: one route an endpoint of the contract, the documents, the console. No rule lives here.

503 means that definitely nothing was done; 504 that nobody knows, and the same key will tell.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import ValidationError

from gateway import metrics, openapi
from gateway.adapters.port import AnswerLost, Away, Refused
from gateway.gate import Crowded, Gate
from gateway.operations import KeyReused
from gateway.service import Gateway
from gateway.store import CommitUnknown, StoreAway
from kiosk.hospital import contract as c

BATCH_BYTES_MAX = 4 * 1024 * 1024  # a batch of 250 records is about 250 kB
BODY_BYTES_MAX = 256 * 1024  # of any other message; the longest is some kB
THREADS = 24
BATCHES_AT_ONCE = 8  # on threads of their own: whoever stands before a terminal is never behind
BATCHES_WAITING = 400  # of up to 250 records each: some seconds
BODY_S = 15.0  # no request of the contract has more time than this
PATIENT_FOR = 0.5  # of its time may a request wait: later its answer might find nobody
_OTHERS_WAITING = 1_000_000  # a request of a terminal; how many come is bounded by how many it has


_Route = Callable[[Request], Awaitable[Response]]


class _Desk:
    """Who waits here with how large a message, and the threads that do the work."""

    def __init__(self, gate: Gate, threads: int, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.gate, self.threads = gate, ThreadPoolExecutor(threads, "answer")


class TooLarge(Exception):
    """The body is larger than any message of the contract."""


def make(
    gateway: Gateway,
    *routers: APIRouter,
    waiting: int = BATCHES_WAITING,
    patient_for: float = PATIENT_FOR,
) -> FastAPI:
    """The application. `routers`: the console's, the demo controls' when they are wanted.

    `waiting`: so many batches may wait for their turn, the next are told to come again; and so is
    whatever has waited for a share of `patient_for` of the time that its terminal gives it.
    """
    title = "Hospital gateway"
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    described = openapi.document(title)
    page = openapi.page(described)

    @app.get("/openapi.json", include_in_schema=False)
    def _openapi() -> JSONResponse:
        return JSONResponse(described)

    @app.get("/docs", include_in_schema=False)
    def _docs() -> HTMLResponse:
        return HTMLResponse(page)

    @app.get("/metrics", include_in_schema=False)
    def _metrics() -> Response:
        return Response(gateway.metrics.text(), media_type=metrics.MEDIA_TYPE)

    @app.get("/healthz", include_in_schema=False)
    def _healthz() -> JSONResponse:
        return _healthy(gateway)

    @app.exception_handler(Exception)
    def _bug(_request: Request, _bug: Exception) -> JSONResponse:
        return JSONResponse({"code": "server_error"}, 500)

    chance = Random()
    # A turn is a thread: who has one begins at once.
    batches = _Desk(
        Gate(BATCHES_AT_ONCE, waiting, time.monotonic, chance), BATCHES_AT_ONCE, BATCH_BYTES_MAX
    )
    others = _Desk(Gate(THREADS, _OTHERS_WAITING, time.monotonic, chance), THREADS, BODY_BYTES_MAX)
    for endpoint in c.ENDPOINTS:
        desk = batches if endpoint.request is c.Outbox else others
        route = _route(gateway, endpoint, desk, endpoint.timeout_s * patient_for)
        # Starlette's own route: FastAPI's would look for parameters in each request.
        app.add_route(endpoint.path, route, methods=["POST"])
    for router in routers:
        app.include_router(router)
    return app


def _healthy(gateway: Gateway) -> JSONResponse:
    try:
        with gateway.store.reading():
            return JSONResponse({"state": "well"})
    except StoreAway:
        return JSONResponse({"state": "store_away"}, 503)


def _route(gateway: Gateway, endpoint: c.Endpoint, desk: _Desk, patience_s: float) -> _Route:
    async def route(request: Request) -> Response:
        began = time.monotonic()
        terminal = request.headers.get(c.TERMINAL_HEADER, "")[:80]
        more: dict[str, str] = {}
        try:
            with desk.gate.entered():
                body, token = await _read(request, desk.bytes_max)
                async with desk.gate.turn(patience_s):
                    loop = asyncio.get_running_loop()
                    status, code, reply = await loop.run_in_executor(
                        desk.threads, _answer, gateway, endpoint, terminal, token, body
                    )
        except Crowded as crowded:
            status, code, reply = 503, "crowded", b""
            more["Retry-After"] = str(crowded.retry_after_s)
        except TooLarge:
            status, code, reply = 413, "too_large", b""
        except TimeoutError:
            status, code, reply = 408, "too_slow", b""
        except zlib.error:
            status, code, reply = 422, "not_understood", b""
        took_s = time.monotonic() - began
        gateway.metrics.answered(endpoint.name, status, took_s)
        gateway.log.info(
            "answered",
            endpoint=endpoint.name,
            terminal=terminal,
            status=status,
            code=code,
            duration_ms=round(took_s * 1000, 1),
        )
        if status == 200:
            return Response(reply, media_type="application/json")
        return JSONResponse({"code": code}, status, more)

    return route


async def _read(request: Request, bytes_max: int) -> tuple[bytes, str]:
    """The body and the token. TimeoutError when it drips."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    async with asyncio.timeout(BODY_S):
        return await _body(request, bytes_max), token


def _answer(
    gateway: Gateway, endpoint: c.Endpoint, terminal: str, token: str, body: bytes
) -> tuple[int, str, bytes]:
    """Status, code and reply. What a fault means is translated here, once."""
    try:
        return 200, "", gateway.answer_to(terminal, token, endpoint, body)
    except ValidationError:
        return 422, "not_understood", b""
    except Refused as refused:
        return refused.status, refused.code, b""
    except KeyReused:
        return 409, "key_reused", b""
    except Away:
        return 503, "hospital_away", b""
    except StoreAway:
        return 503, "store_away", b""
    except AnswerLost:
        return 504, "answer_lost", b""
    except CommitUnknown:
        return 504, "commit_unknown", b""


async def _body(request: Request, bytes_max: int) -> bytes:
    """The body, unpacked if it came as gzip; never more than `bytes_max` of either."""
    unpack: Any = None
    if request.headers.get("content-encoding") == "gzip":
        unpack = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        part = chunk if unpack is None else unpack.decompress(chunk, bytes_max + 1 - size)
        size += len(part)
        if size > bytes_max:
            raise TooLarge
        parts.append(part)
    if unpack is not None and not unpack.eof:
        raise zlib.error("the packed body ends early")
    return b"".join(parts)
