"""HTTP: one route an endpoint of the contract, the documents, the console. No rule lives here.

503 means that definitely nothing was done; 504 that nobody knows, and the same key will tell.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import ValidationError

from gateway import openapi
from gateway.adapters.port import AnswerLost, Away, Refused
from gateway.operations import KeyReused
from gateway.service import Gateway
from gateway.store import CommitUnknown, StoreAway
from kiosk.hospital import contract as c

BODY_BYTES_MAX = 4 * 1024 * 1024  # a batch of 100 records is about 100 kB


class TooLarge(Exception):
    """The body is larger than any message of the contract."""


def make(gateway: Gateway, *routers: APIRouter) -> FastAPI:
    """The application. `routers`: the console's, the demo controls' when they are wanted."""
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

    @app.get("/healthz", include_in_schema=False)
    def _healthz() -> JSONResponse:
        return _healthy(gateway)

    @app.exception_handler(Exception)
    def _bug(_request: Request, _bug: Exception) -> JSONResponse:
        return JSONResponse({"code": "server_error"}, 500)

    for endpoint in c.ENDPOINTS:
        app.add_api_route(
            endpoint.path, _route(gateway, endpoint), methods=["POST"], include_in_schema=False
        )
    for router in routers:
        app.include_router(router)
    return app


def _healthy(gateway: Gateway) -> JSONResponse:
    try:
        with gateway.store.reading():
            return JSONResponse({"state": "well"})
    except StoreAway:
        return JSONResponse({"state": "store_away"}, 503)


def _route(gateway: Gateway, endpoint: c.Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        began = time.monotonic()
        terminal = request.headers.get(c.TERMINAL_HEADER, "")[:80]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            body = await _body(request)
            status, code, reply = await run_in_threadpool(
                _answer, gateway, endpoint, terminal, token, body
            )
        except TooLarge:
            status, code, reply = 413, "too_large", b""
        except zlib.error:
            status, code, reply = 422, "not_understood", b""
        gateway.log.info(
            "answered",
            endpoint=endpoint.name,
            terminal=terminal,
            status=status,
            code=code,
            duration_ms=round((time.monotonic() - began) * 1000, 1),
        )
        if status == 200:
            return Response(reply, media_type="application/json")
        return JSONResponse({"code": code}, status)

    return route


def _answer(
    gateway: Gateway, endpoint: c.Endpoint, terminal: str, token: str, body: bytes
) -> tuple[int, str, bytes]:
    """Status, code and reply. What a fault means is translated here, once."""
    try:
        return 200, "", gateway.answer(gateway.known(terminal, token), endpoint, body)
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


async def _body(request: Request) -> bytes:
    """The body, unpacked if it came as gzip; never more than BODY_BYTES_MAX of either."""
    unpack: Any = None
    if request.headers.get("content-encoding") == "gzip":
        unpack = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        part = chunk if unpack is None else unpack.decompress(chunk, BODY_BYTES_MAX + 1 - size)
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise TooLarge
        parts.append(part)
    if unpack is not None and not unpack.eof:
        raise zlib.error("the packed body ends early")
    return b"".join(parts)
