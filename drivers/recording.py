"""What travels on a cable, into a file, for as long as a technician wants to look at it.

Rule: of what a person shows, owns or has printed on paper only length and time are written. What
may be kept stands in KEEPS, by the kind of device; a kind that is not there keeps nothing.

A turn is what one side said before the other spoke. Each line of the file is one piece of it:
`{"t": seconds, "to": "device" | "host", "bytes": 7, "hex": "…"}`; `hex` may be shorter than
`bytes`: the rest is withheld. What is no byte is an event: `{"t": seconds, "event": "scanned",
"bytes": 18}`; its words come from this program, never from a card or a code.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded
from drivers.escpos.emulator import REAL_TIME
from drivers.idcard.codec import PREAMBLE
from drivers.transport import ByteStream

Side = Literal["device", "host"]
"""Whom the bytes go to."""

FILE_BYTES_MAX = 16 << 20
TURN_BYTES_MAX = 4096
"""A turn is judged whole; of a longer one nothing is kept."""

CARD_HEADER_BYTES = 10  # preamble, length, status
CARD_STATUS_BYTES = 27  # the longest answer that tells nothing of a card: the reader's own number
PAD_HEADER_BYTES = 3  # control field and length; on a serial line DLE STX and a half of it
APDU_HEADER_BYTES = 4  # class, instruction, two parameters: of a command that may carry a secret
APDU_STATUS_BYTES = 2
APDU_READS = (b"\xa4", b"\xb0", b"\xb2", b"\xc0")  # select, read binary, read record, get response
PLUGIN_QUESTIONS = ("hello", "look", "read")
WEB_HEADER_BYTES = 16  # HTTP/1.1 200 OK, or POST / HTTP/1.1


def _idcard(to: Side, turn: bytes) -> int:
    if to == "device":
        return len(turn)
    if not turn.startswith(PREAMBLE):
        return 0  # the rest of something: it may be a name
    return len(turn) if len(turn) <= CARD_STATUS_BYTES else CARD_HEADER_BYTES


def _scanner(to: Side, turn: bytes) -> int:
    """Commands, and answers to them: those begin with STX, codes never do."""
    if to == "device":
        return len(turn)
    return len(turn) if turn.startswith(b"\x02") and len(turn) <= CARD_STATUS_BYTES else 0


def _escpos(to: Side, turn: bytes) -> int:
    """What the printer says of itself, and the questions after it; never a slip."""
    if to == "host":
        return len(turn)
    rest = turn
    while rest:
        question = next((known for known in REAL_TIME if rest.startswith(known)), None)
        if question is None:
            return 0
        rest = rest[len(question) :]
    return len(turn)


def _apdu(to: Side, turn: bytes) -> int:
    """Commands that only choose and read, whole; of an answer its status, if that is all of it."""
    if to == "host":
        return len(turn) if len(turn) == APDU_STATUS_BYTES else 0
    return len(turn) if turn[1:2] in APDU_READS else min(APDU_HEADER_BYTES, len(turn))


def _plugin(_to: Side, turn: bytes) -> int:
    """Questions without arguments, and answers of nothing but yes, no and small numbers."""
    for line in turn.splitlines():
        try:
            told: Any = json.loads(line)
        except ValueError:
            return 0
        if not isinstance(told, dict) or not _tells_nothing(told):
            return 0
    return len(turn)


def _tells_nothing(told: dict[str, Any]) -> bool:
    if told.keys() == {"id", "ask"}:
        return told["ask"] in PLUGIN_QUESTIONS and _is_small(told["id"])
    if told.keys() != {"id", "ok"} or not isinstance(told["ok"], dict):
        return False
    known = set(told["ok"]) <= {"card", "put"}
    return known and all(_is_small(value) for value in (told["id"], *told["ok"].values()))


def _is_small(value: object) -> bool:
    """Too small for anybody's number."""
    return isinstance(value, int) and 0 <= value < 10**6


def _first(count: int) -> Callable[[Side, bytes], int]:
    return lambda _to, turn: min(count, len(turn))


KEEPS: Mapping[str, Callable[[Side, bytes], int]] = MappingProxyType(
    {
        "idcard": _idcard,
        "scanner": _scanner,
        "escpos": _escpos,
        "zvt": _first(PAD_HEADER_BYTES),
        "ipp": _first(WEB_HEADER_BYTES),
        "idcard_pcsc": _apdu,
        "social_card": _apdu,
        "plugin": _plugin,
        "cashbox": lambda _to, turn: len(turn),  # notes have no owner
    }
)
"""How many bytes from a turn's beginning may be kept."""


@dataclass(frozen=True)
class Piece:
    """Bytes that were written, or came, at once; `data` shorter than `count`: withheld."""

    at_s: float
    to: Side
    count: int
    data: bytes

    def line(self) -> bytes:
        """As it stands in the file."""
        told = {"t": round(self.at_s, 4), "to": self.to, "bytes": self.count}
        return json.dumps({**told, "hex": self.data.hex()}).encode() + b"\n"


Seal = Callable[[bytes], None]
"""Puts a whole recording away so that only the key's owner reads it. OSError: it cannot."""


class Recording:
    """One file, 0600, closed after `seconds` whatever happens. Not for two threads at once.

    With `seal` every byte is kept, in memory alone (FILE_BYTES_MAX bounds it), and handed over at
    the end: nothing of it ever lies open on a disk, and a core that dies has recorded nothing.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        begun: datetime,
        clock: Clock,
        seconds: float,
        *,
        seal: Seal | None = None,
    ) -> None:
        """OSError: the file cannot be made, or is there already."""
        self.path = path
        self._seal = seal
        self._keeps = KEEPS.get(kind, _first(0))
        self._clock, self._begun_s, self._end_s = clock, clock(), clock() + seconds
        self._turn: list[Piece] = []
        self._turn_bytes = 0
        self._left = FILE_BYTES_MAX
        self._fd = self._open()
        head = {"kind": kind, "begun": begun.isoformat(timespec="seconds"), "seconds": seconds}
        os.write(self._fd, json.dumps(head).encode() + b"\n")

    @property
    def over(self) -> bool:
        """Closed, or past its time."""
        return self._fd < 0 or self._clock() >= self._end_s

    def note(self, to: Side, data: bytes) -> None:
        """These bytes went this way just now; nothing after the end."""
        if self.over:
            self.close()
            return
        if self._seal is not None or (self._turn and self._turn[-1].to != to):
            self._finish_turn()
        self._turn_bytes += len(data)
        if self._seal is None and self._turn_bytes > TURN_BYTES_MAX:
            # Nothing of it will be kept: no need to hold what a person has shown, nor each piece.
            at_s = self._turn[0].at_s if self._turn else self._clock() - self._begun_s
            self._turn = [Piece(at_s, to, self._turn_bytes, b"")]
            return
        self._turn.append(Piece(self._clock() - self._begun_s, to, len(data), data))

    def tell(self, event: str, facts: Mapping[str, str | int]) -> None:
        """This happened just now, in words of our own."""
        if self.over:
            self.close()
            return
        self._finish_turn()
        at_s = round(self._clock() - self._begun_s, 4)
        line = json.dumps({"t": at_s, "event": event, **facts}).encode() + b"\n"
        self._left -= len(line)
        if self._fd >= 0 and self._left >= 0:
            self._wrote(line)

    def close(self) -> None:
        """May be called twice."""
        if self._fd >= 0:
            self._finish_turn()
        if self._fd >= 0:
            self._put_away()
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> int:
        if self._seal is None:
            return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if self.path.exists():
            raise FileExistsError(errno.EEXIST, "there is such a recording", str(self.path))
        return os.memfd_create("recording", os.MFD_CLOEXEC)

    def _put_away(self) -> None:
        if self._seal is None:
            return
        # A full disk ends what a technician wanted, never what the device does.
        with suppress(OSError):
            self._seal(os.pread(self._fd, os.fstat(self._fd).st_size, 0))

    def _finish_turn(self) -> None:
        pieces, self._turn, self._turn_bytes = self._turn, [], 0
        whole = b"".join(piece.data for piece in pieces)
        total = sum(piece.count for piece in pieces)
        kept = self._keeps(pieces[0].to, whole) if pieces and len(whole) == total else 0
        kept = total if self._seal is not None else kept
        for piece in pieces:
            line = Piece(piece.at_s, piece.to, piece.count, piece.data[: max(0, kept)]).line()
            kept -= piece.count
            self._left -= len(line)
            if self._left >= 0 and not self._wrote(line):
                return

    def _wrote(self, line: bytes) -> bool:
        try:
            os.write(self._fd, line)
        except OSError:  # a full disk ends what a technician wanted, never what the device does
            os.close(self._fd)
            self._fd = -1
        return self._fd >= 0


class Tap:
    """Sits on a device's cable for ever, and costs nothing until it is turned on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._recording: Recording | None = None
        self.heard_s: float | None = None
        """When bytes last came from the device; None: never yet."""

    def on(self, stream: ByteStream) -> ByteStream:
        """The stream, watched."""
        return _Watched(stream, self)

    def begin(self, recording: Recording) -> None:
        """From now on into this one; what was running is ended."""
        self.end()
        with self._lock:
            self._recording = recording

    def end(self) -> None:
        """No more; may be called when nothing runs."""
        with self._lock:
            if self._recording is not None:
                self._recording.close()
                self._recording = None

    def note(self, to: Side, data: bytes) -> None:
        """For the stream that is watched."""
        if to == "host":
            self.heard_s = self._clock()
        if self._recording is None:
            return
        with self._lock:
            if self._recording is not None:
                self._recording.note(to, data)

    def tell(self, event: str, **facts: str | int) -> None:
        """For what is no byte: what a slot or a camera told. No word of a card or a code."""
        if self._recording is None:
            return
        with self._lock:
            if self._recording is not None:
                self._recording.tell(event, facts)

    def heard(self) -> None:
        """The device answered, if only that nothing has happened."""
        self.heard_s = self._clock()


class _Watched:
    """A ByteStream that tells its tap what passes."""

    def __init__(self, stream: ByteStream, tap: Tap) -> None:
        self._stream, self._tap = stream, tap

    def write(self, data: bytes, deadline: Deadline) -> None:
        self._tap.note("device", data)
        self._stream.write(data, deadline)

    def read(self, deadline: Deadline) -> bytes:
        data = self._stream.read(deadline)
        self._tap.note("host", data)
        return data

    def discard_input(self) -> None:
        self._stream.discard_input()

    def close(self) -> None:
        self._stream.close()


@dataclass(frozen=True)
class Recorded:
    """A recording read back."""

    kind: str
    pieces: tuple[Piece, ...]
    events: tuple[tuple[float, str], ...] = ()

    @property
    def turns(self) -> tuple[tuple[Side, bytes | None], ...]:
        """Who heard what, pieces put together; None where something was withheld."""
        found: list[tuple[Side, bytes | None]] = []
        for piece in self.pieces:
            data = piece.data if len(piece.data) == piece.count else None
            if found and found[-1][0] == piece.to:
                before = found.pop()[1]
                data = None if before is None or data is None else before + data
            found.append((piece.to, data))
        return tuple(found)


def read_recording(path: Path) -> Recorded:
    """ValueError: not a recording. A torn last line (power cut) is left out."""
    head, *lines = path.read_bytes().split(b"\n")[:-1] or [b""]
    found: Any = json.loads(head)
    pieces, events = [], list[tuple[float, str]]()
    for line in lines:
        told: Any = json.loads(line)
        if "event" in told:
            events.append((told["t"], told["event"]))
            continue
        pieces.append(Piece(told["t"], told["to"], told["bytes"], bytes.fromhex(told["hex"])))
    return Recorded(str(found["kind"]), tuple(pieces), tuple(events))


class Replay:
    """A ByteStream on which a recorded device answers again what it answered then.

    ValueError when the host says something else, or where an answer was withheld.
    """

    def __init__(self, recorded: Recorded) -> None:
        self._turns = list(recorded.turns)
        self._said = b""

    def write(self, data: bytes, deadline: Deadline) -> None:
        del deadline
        if not self._turns or self._turns[0] != ("device", self._said + data):
            expected = self._turns[0][1] if self._turns else None
            self._said += data
            if expected is None or not expected.startswith(self._said):
                raise ValueError("the host says what it did not say then")
            return
        self._said = b""
        self._turns.pop(0)

    def read(self, deadline: Deadline) -> bytes:
        del deadline
        if not self._turns or self._turns[0][0] != "host":
            raise DeadlineExceeded("the device was silent here")
        data = self._turns.pop(0)[1]
        if data is None:
            raise ValueError("what the device said here was withheld")
        return data

    def discard_input(self) -> None:
        """Nothing comes unasked in a replay."""

    def close(self) -> None:
        """Nothing to give back."""
