"""The server's half of HTTP/1.1 as far as IPP clients use it; pure, any cut of the bytes.

Rule: lengths are capped before anything is kept, and what is not a POST of IPP is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator

HEAD_BYTES_MAX = 8192
BODY_BYTES_MAX = 64 << 20
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer(body: bytes) -> bytes:
    """The body with its HTTP head."""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class HttpRequests:
    """feed() gives the bodies that are whole; interim() what a waiting client must hear first."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: dict[str, str] | None = None
        self._chunks = bytearray()
        self._owes_continue = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while (body := self._next()) is not None:
            yield body

    def interim(self) -> bytes:
        owed, self._owes_continue = self._owes_continue, False
        return CONTINUE if owed else b""

    def _next(self) -> bytes | None:
        if self._head is None and not self._take_head():
            return None
        assert self._head is not None
        if self._head.get("transfer-encoding", "").lower() == "chunked":
            body = self._take_chunks()
        else:
            body = self._take(_length(self._head))
        if body is not None:
            self._head = None
        return body

    def _take_head(self) -> bool:
        """The next POST's; whatever else is asked is passed over."""
        lines = [""]
        while not lines[0].startswith("POST "):
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > HEAD_BYTES_MAX:
                    self._buffer.clear()
                return False
            lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
            del self._buffer[: end + 4]
        pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
        self._head = {name.strip().lower(): value.strip() for name, value in pairs}
        self._owes_continue = self._head.get("expect", "").lower() == "100-continue"
        return True

    def _take(self, count: int) -> bytes | None:
        if len(self._buffer) < count:
            return None
        body = bytes(self._buffer[:count])
        del self._buffer[:count]
        return body

    def _take_chunks(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = _size(bytes(self._buffer[:end]))
            if len(self._buffer) < end + 2 + size + 2:
                return None
            self._chunks += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 2 + size + 2]
            if size == 0 or len(self._chunks) > BODY_BYTES_MAX:
                body = bytes(self._chunks)
                self._chunks.clear()
                return body
        return None


def _length(head: dict[str, str]) -> int:
    text = head.get("content-length", "0")
    return min(int(text), BODY_BYTES_MAX) if text.isascii() and text.isdigit() else 0


def _size(line: bytes) -> int:
    try:
        return min(max(int(line.split(b";")[0], 16), 0), BODY_BYTES_MAX)
    except ValueError:
        return 0
