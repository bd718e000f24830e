"""The terminal's side of the contract: one request, one reply, one deadline; no retry, no sleep.

A fault says what is known about the request: nothing left this machine, or nobody knows what became
of it. Which of the two it was is seen at the socket, not guessed from an exception's name. One
object serves one worker thread: it keeps one connection, and is dropped whole with it.
"""

from __future__ import annotations

import gzip
import select
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from pydantic import ValidationError
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from kiosk.hospital.contract import (
    TERMINAL_HEADER,
    Endpoint,
    Quoted,
    endpoint_of,
    from_json,
    to_json,
)
from kiosk.hospital.faults import (
    HospitalAnsweredBadly,
    HospitalBusy,
    HospitalError,
    HospitalOutcomeUnknown,
    HospitalRefused,
    HospitalUnreachable,
)

ANSWER_BYTES_MAX = 20 * 1024 * 1024  # the largest report is a few MB
CONNECT_S = 3.0  # a gateway in the same building answers in milliseconds
SILENT_S = 6  # a connection over which nothing comes back for so long is dead
_ASK_AFTER_S, _ASK_EVERY_S = 3, 1  # an idle connection is asked, until SILENT_S have passed
RETRY_AFTER_MAX_S = 300
_PACK_FROM_BYTES = 1024  # below this gzip only costs
_PACK_LEVEL = 3  # a batch is a twelfth less at 6, at three times the work
_ECHOED = ("reference", "key", "report_id")  # a reply that has it says whose answer it is
_CODE_CHARS_MAX = 40
_CHUNK_BYTES = 64 * 1024


class HospitalClient:
    """Asks one gateway. `ca`: the authority to trust; `cert`: our certificate and its key.

    `timeout_max_s` bounds an exchange below what its endpoint allows.
    """

    def __init__(
        self,
        base_url: str,
        terminal: str,
        token: str,
        *,
        ca: Path | None = None,
        cert: tuple[Path, Path] | None = None,
        session: requests.Session | None = None,
        timeout_max_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url, self._timeout_max_s = base_url.rstrip("/"), timeout_max_s
        self._exchange = _Exchange(clock)
        self._session = session or requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc from the environment
        self._session.verify = True if ca is None else str(ca)
        self._session.cert = None if cert is None else (str(cert[0]), str(cert[1]))
        self._carrier = _Carrier(self._exchange)
        self._session.mount("http://", self._carrier)
        self._session.mount("https://", self._carrier)
        self._ready: dict[str, requests.PreparedRequest] = {}
        self._headers = {
            TERMINAL_HEADER: terminal,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # the size limit is then the limit of what we hold
        }

    def ask(self, request: Any) -> Any:
        """The reply to one of the contract's requests, or a HospitalError.

        HospitalAnsweredBadly to a request that changes something says nothing about whether it
        was done: as with HospitalOutcomeUnknown, only the same key may ask again.
        """
        shape: Any = type(request)
        endpoint = endpoint_of(shape)
        status, data, wait_s = self._carried(endpoint, to_json(request))
        if status == 200:
            return _reply(endpoint, request, data)
        if status == 503 and wait_s is not None:
            raise HospitalBusy(f"{endpoint.name}: come again later", wait_s)
        raise _fault(endpoint, status, data)

    def connected(self) -> bool:
        """Whether the kept connection still stands, as far as this machine's network knows.

        A peer that went without a word is noticed within SILENT_S, whether anything is asked or
        not: the network code of this machine asks it by itself, and closes the connection.
        """
        sock = self._exchange.sock
        if sock is None or sock.fileno() < 0:
            return False
        watch = select.poll()
        watch.register(sock, select.POLLIN)
        return not watch.poll(0)  # between two requests, anything to read is its end

    def close(self) -> None:
        self._session.close()

    def _carried(self, endpoint: Endpoint, body: bytes) -> tuple[int, bytes, float | None]:
        """Status, body and Retry-After, within the endpoint's time for the whole exchange."""
        packed = len(body) >= _PACK_FROM_BYTES
        if packed:
            body = gzip.compress(body, compresslevel=_PACK_LEVEL, mtime=0)
        timeout_s = min(endpoint.timeout_s, self._timeout_max_s)
        self._exchange.begin(timeout_s)
        try:
            with self._session.send(
                self._request(endpoint, body, packed=packed),
                timeout=(min(CONNECT_S, timeout_s), timeout_s),
                proxies={},
                allow_redirects=False,
                stream=True,
            ) as response:
                data = _read(response)
                return response.status_code, data, _retry_after_s(response)
        except (requests.RequestException, HTTPError, OSError) as fault:
            self._carrier.close()  # drop the connection whole
            raise self._lost(endpoint) from fault

    def _request(
        self, endpoint: Endpoint, body: bytes, *, packed: bool
    ) -> requests.PreparedRequest:
        """As requests.post() would make it; what all of one endpoint share is made once."""
        ready = self._ready.get(endpoint.name)
        if ready is None:
            url = f"{self._base_url}{endpoint.path}"
            plain = requests.Request("POST", url, headers=self._headers)
            ready = self._ready[endpoint.name] = self._session.prepare_request(plain)
        request = ready.copy()
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        if packed:
            request.headers["Content-Encoding"] = "gzip"
        return request

    def _lost(self, endpoint: Endpoint) -> HospitalError:
        if self._exchange.left and endpoint.changes:
            return HospitalOutcomeUnknown(f"{endpoint.name}: no answer")
        return HospitalUnreachable(f"{endpoint.name}: not reached")


def _read(response: requests.Response) -> bytes:
    """All of the body, or HospitalAnsweredBadly as soon as it is larger than any answer."""
    parts: list[bytes] = []
    size = 0
    while chunk := response.raw.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise HospitalAnsweredBadly("the answer has no end")
        parts.append(chunk)
    return b"".join(parts)


def _reply(endpoint: Endpoint, request: Any, data: bytes) -> Any:
    """The reply, if it is one of the contract's and answers this very request."""
    try:
        reply = from_json(endpoint.reply, data)
    except ValidationError:
        # The error quotes what came, which may name a patient.
        raise HospitalAnsweredBadly(f"{endpoint.name}: not the contract's answer") from None
    if hasattr(reply, "kind") and b'"kind"' not in data:
        raise HospitalAnsweredBadly(f"{endpoint.name}: an object without a kind")
    if isinstance(reply, Quoted) and reply.quote.bill_ids != request.bill_ids:
        raise HospitalAnsweredBadly(f"{endpoint.name}: another bill's quote")
    for name in _ECHOED:
        if getattr(reply, name, None) not in (None, getattr(request, name, None)):
            raise HospitalAnsweredBadly(f"{endpoint.name}: another {name}")
    return reply


def _fault(endpoint: Endpoint, status: int, data: bytes) -> HospitalError:
    """503 is the gateway's word that nothing was done; other 5xx leave a change in doubt."""
    if status == 503:
        return HospitalUnreachable(f"{endpoint.name}: the hospital is away")
    if 200 <= status < 400:
        return HospitalAnsweredBadly(f"{endpoint.name}: status {status}")
    if status >= 500 and endpoint.changes:
        return HospitalOutcomeUnknown(f"{endpoint.name}: status {status}")
    return HospitalRefused(status, _code(data))


def _retry_after_s(response: requests.Response) -> float | None:
    """The header's seconds; None when it is not there or no plain number."""
    told = response.headers.get("Retry-After", "")
    return float(min(int(told), RETRY_AFTER_MAX_S)) if told.isdecimal() and len(told) < 9 else None


def _code(data: bytes) -> str:
    """The gateway's word for why; anything else is not repeated."""
    try:
        code: dict[str, str] = from_json(dict[str, str], data)
    except ValidationError:
        return "unnamed"
    word = code.get("code", "unnamed")
    plain = word.isascii() and word.replace("_", "").isalnum() and len(word) <= _CODE_CHARS_MAX
    return word if plain else "unnamed"


# --- below: how time and sent bytes are seen at the socket ----------------------------------------


class _Exchange:
    """The deadline of the exchange that runs now, and whether a byte of it has left."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._ends = clock, 0.0
        self.left = False
        self.sock: socket.socket | None = None  # the kept connection's

    def begin(self, timeout_s: float) -> None:
        self._ends, self.left = self._clock() + timeout_s, False

    def remaining(self) -> float:
        """Seconds left; raises TimeoutError at the end, since 0 would mean *do not wait*."""
        remaining = self._ends - self._clock()
        if remaining <= 0:
            raise TimeoutError("the exchange has had its time")
        return remaining


class _Socket(socket.socket):
    """Each read waits only for what the exchange has left, so a dripping answer ends too."""

    exchange: _Exchange

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.exchange.remaining())
        return super().recv_into(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    exchange: _Exchange

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.exchange.remaining())
        return super().recv_into(*args, **kwargs)


def _notice_silence(sock: socket.socket) -> None:
    """Let the system end a connection whose other side is gone; see tcp(7)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ASK_AFTER_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASK_EVERY_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)


class _Connection(HTTPConnection):
    exchange: _Exchange

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        sock = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        sock.settimeout(timeout)
        sock.exchange = self.exchange
        _notice_silence(sock)
        self.exchange.sock = sock
        return sock

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.exchange.left = True
        super().send(data)


class _TlsConnection(HTTPSConnection):
    exchange: _Exchange

    def connect(self) -> None:
        super().connect()
        sock: Any = self.sock
        sock.exchange = self.exchange
        _notice_silence(sock)
        self.exchange.sock = sock

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.exchange.left = True
        super().send(data)


class _Carrier(HTTPAdapter):
    """requests' adapter, with connections that know the exchange."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _TlsSocket
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        knowing = {"exchange": self._exchange}
        plain = type("_KnowingConnection", (_Connection,), knowing)
        tls = type("_KnowingTlsConnection", (_TlsConnection,), knowing)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }
