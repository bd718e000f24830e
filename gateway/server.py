"""Running the gateway: TLS, signals, and an end that lets the last answers go out."""

from __future__ import annotations

import resource
import ssl
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

_BACKLOG = 2048
_LAST_ANSWERS_S = 5


@dataclass(frozen=True)
class Tls:
    """`client_ca`: terminals must show a certificate of this authority (mutual TLS)."""

    cert: Path
    key: Path
    client_ca: Path | None = None


def allow_connections() -> int:
    """Raise this process's limit of open files to what it may have: each terminal keeps one open.

    systemd gives services 1024 unless they ask for more.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def server(app: FastAPI, host: str, port: int, tls: Tls | None = None) -> uvicorn.Server:
    """A server that is not started yet; run() ends cleanly at SIGTERM and SIGINT."""
    secured: dict[str, object] = {}
    if tls is not None:
        secured = {"ssl_certfile": str(tls.cert), "ssl_keyfile": str(tls.key)}
        if tls.client_ca is not None:
            secured |= {"ssl_ca_certs": str(tls.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_config=None,
        backlog=_BACKLOG,
        timeout_keep_alive=75,  # longer than a terminal's heartbeat, so that connections are kept
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
        server_header=False,
        **secured,  # type: ignore[arg-type]
    )
    return uvicorn.Server(config)
