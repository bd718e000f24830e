"""The least a server can do: one record a request, one row, one commit, `ok`.

python -m tests.bench.bare_server URL PORT
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

Insert = Callable[[bytes], None]


def inserting(url: str) -> Insert:
    """Insert and commit one body; URL as the gateway's."""
    if url.startswith("sqlite"):
        lite = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
        lite.execute("pragma journal_mode=wal")
        lite.execute("pragma synchronous=full")
        lite.execute("create table if not exists bare (id integer primary key, body blob)")
        return lambda body: void(lite.execute("insert into bare (body) values (?)", (body,)))
    pg = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)
    pg.execute("create table if not exists bare (id bigserial primary key, body bytea)")
    return lambda body: void(pg.execute("insert into bare (body) values (%s)", (body,)))


def void(_value: object) -> None:
    """Drops a result."""


def app(insert: Insert) -> Callable[[Any, Any, Any], Any]:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if body:
            insert(body)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    return serve


if __name__ == "__main__":
    made = app(inserting(sys.argv[1]))
    uvicorn.run(made, port=int(sys.argv[2]), log_level="error", access_log=False, lifespan="off")
