"""One HTTP POST over a byte stream, under one deadline.

Rule: the standard library reads the answer, but each byte it waits for waits on our deadline, so a
printer that dribbles cannot hold us.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from typing import cast

from drivers.deadline import Deadline
from drivers.errors import DeviceLost, DeviceRefused, ProtocolError
from drivers.transport import ByteStream

ANSWER_BYTES_MAX = 1 << 20
WRITE_BYTES = 16384


def post(
    stream: ByteStream, host: str, path: str, body: Sequence[bytes], deadline: Deadline
) -> bytes:
    """Send `body` as application/ipp; the body of the answer.

    DeviceRefused: an HTTP status that says no. ProtocolError: not HTTP, or too much of it.
    """
    length = sum(map(len, body))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/ipp\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    stream.write(head.encode("ascii"), deadline)
    for part in body:
        for at in range(0, len(part), WRITE_BYTES):
            stream.write(part[at : at + WRITE_BYTES], deadline)
    return _answer(stream, deadline)


def _answer(stream: ByteStream, deadline: Deadline) -> bytes:
    source = _Source(stream, deadline)
    # HTTPResponse asks a socket for nothing but makefile.
    response = HTTPResponse(cast("io.socket.socket", source))  # type: ignore[name-defined]
    try:
        response.begin()
        body = response.read(ANSWER_BYTES_MAX + 1)
    except (HTTPException, ValueError) as fault:
        if source.hung_up:
            raise DeviceLost("the printer hung up before its answer was whole") from fault
        raise ProtocolError(f"no HTTP answer: {type(fault).__name__}") from fault
    if len(body) > ANSWER_BYTES_MAX:
        raise ProtocolError("an HTTP answer of more than a megabyte")
    if response.status in (401, 403, 404, 426):
        raise DeviceRefused(f"the printer answers HTTP {response.status}")
    if response.status != 200:
        raise ProtocolError(f"the printer answers HTTP {response.status}")
    if source.hung_up and response.length:
        raise DeviceLost("the printer hung up before its answer was whole")
    return body


class _Source(io.RawIOBase):
    """The stream as a file that can only be read; the end of the line is the end of the file."""

    def __init__(self, stream: ByteStream, deadline: Deadline) -> None:
        self.hung_up = False
        self._stream = stream
        self._deadline = deadline
        self._left = b""

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left and not self.hung_up:
            try:
                self._left = self._stream.read(self._deadline)
            except DeviceLost:
                self.hung_up = True
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
