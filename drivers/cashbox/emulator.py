"""Device side of a ccTalk bill validator: a slot, an escrow, a box, and a ledger of its own.

Knobs are what a hand or a bad day would do; faults of the line belong to the cable.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from drivers.cashbox import codec
from drivers.cashbox.codec import HOST, REPLY, VALIDATOR, BillEvents, Frame, FrameReader

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "answers nothing",
        "jams": "the next note that is stacked jams on its way",
        "power_stacks": "a power cut while a note moves leaves it in the box, untold",
        "slow_transport": "moves notes for three seconds",
        "escrow_times_out": "gives a note back by itself after two seconds",
        "answers_twice": "says everything twice",
        "no_echo": "a line with two wires: the host does not hear itself",
    }
)

YUAN = MappingProxyType({1: 1, 2: 5, 3: 10, 4: 20, 5: 50, 6: 100})
HALF_FRAME_S = 0.5
ESCROW_EMPTY, ROUTE_FAILED = 254, 255


class NoteLedger:
    """What happened to each note, whatever was told. `path` None: in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.events: list[tuple[str, int]] = []
        if path is not None and path.exists():
            lines = path.read_bytes().split(b"\n")[:-1]
            self.events = [(line["event"], line["fen"]) for line in map(json.loads, lines)]

    def note(self, event: str, value_fen: int) -> None:
        """`inserted`, `stacked`, `returned` or `stuck`; on disk before anything is told."""
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(json.dumps({"event": event, "fen": value_fen}).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self.events.append((event, value_fen))

    def stacked_fen(self) -> int:
        """What is in the box."""
        return sum(fen for event, fen in self.events if event == "stacked")


@dataclass
class _Moving:
    """A note between escrow and box or mouth."""

    bill_type: int
    to_box: bool
    there_at_s: float


class BillValidatorEmulator:
    """An Emulator (drivers/transport.py)."""

    def __init__(
        self, ledger: NoteLedger, crc: bool = False, notes: Mapping[int, int] = YUAN
    ) -> None:
        """`notes`: its bill types and their worth in yuan."""
        self.ledger = ledger
        self._yuan = notes
        self.now_s = 0.0
        self.transport_s = 0.3
        self.escrow_s = 30.0
        self._crc = crc
        self._misbehaviour = ""
        self._powered = True
        self._box_in = True
        self._box_full = False
        self._outgoing = b""
        self._heard_at_s = 0.0
        self._boot()

    def _boot(self) -> None:
        self._reader = FrameReader(VALIDATOR, self._crc)
        self._counter = 0
        self._events: deque[tuple[int, int]] = deque(maxlen=5)
        self._accepting = False
        self._enabled = 0
        self._escrow: int | None = None
        self._escrow_since_s = 0.0
        self._moving: _Moving | None = None
        self._jammed = False

    # -- hands

    def insert_note(self, yuan: int) -> bool:
        """Push a note in; whether it was drawn in to escrow."""
        types = [kind for kind, value in self._yuan.items() if value == yuan]
        free = self._escrow is None and self._moving is None and not self._jammed
        if not self._powered or not free or not self._box_in or self._box_full:
            return False
        if not types:
            self._tell(0, 2)
            return False
        if not self._accepting or not self._enabled >> types[0] - 1 & 1:
            self._tell(0, 4)
            return False
        self.ledger.note("inserted", yuan * 100)
        self._escrow, self._escrow_since_s = types[0], self.now_s
        self._tell(types[0], 1)
        return True

    def remove_box(self) -> None:
        """Someone took the box out."""
        self._box_in = False
        self._tell(0, 11)

    def put_box(self) -> None:
        """An empty box is in its place."""
        self._box_in, self._box_full, self._jammed = True, False, False
        self._tell(0, 12)

    def fill_box(self) -> None:
        """The box is full."""
        self._box_full = True
        self._tell(0, 14)

    def pull_back(self) -> None:
        """Someone pulls at the note in the escrow."""
        self._tell(0, 8)

    def power_cut(self) -> None:
        """Where a note is, it stays; what was to be told is forgotten."""
        self._powered = False
        self._outgoing = b""
        moving = self._moving
        if moving is not None and self._misbehaviour == "power_stacks":
            self.ledger.note("stacked", self._yuan[moving.bill_type] * 100)
            self._moving = None

    def power_up(self) -> None:
        """It starts anew and gives back what lay in its throat."""
        if self._powered:
            return
        self._powered = True
        held = self._escrow or (self._moving.bill_type if self._moving else None)
        if held is not None:
            self.ledger.note("returned", self._yuan[held] * 100)
        self._boot()

    def behave(self) -> None:
        """As the manual says again."""
        self._misbehaviour = ""
        self.transport_s, self.escrow_s = 0.3, 30.0

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self.behave()
        self._misbehaviour = name
        if name == "slow_transport":
            self.transport_s = 3.0
        elif name == "escrow_times_out":
            self.escrow_s = 2.0

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        """Bytes from the host; on the one wire the host hears them too."""
        if not self._powered:
            return b""
        self._heard_at_s = self.now_s
        if self._misbehaviour != "no_echo":
            self._outgoing += data
        for frame in self._reader.feed(data):
            self._serve(frame)
        return self._due()

    def tick(self, now_s: float) -> bytes:
        """Time goes on: notes move, the escrow gives up."""
        self.now_s = now_s
        if not self._powered:
            return b""
        if len(self._reader) and now_s >= self._heard_at_s + HALF_FRAME_S:
            self._reader = FrameReader(VALIDATOR, self._crc)
        if self._escrow is not None and now_s >= self._escrow_since_s + self.escrow_s:
            self._move(to_box=False)
        if self._moving is not None and now_s >= self._moving.there_at_s:
            self._arrive(self._moving)
        return self._due()

    # -- inside

    def _due(self) -> bytes:
        due, self._outgoing = self._outgoing, b""
        return due if self._misbehaviour != "silent" else b""

    def _tell(self, first: int, second: int) -> None:
        self._counter = self._counter % 255 + 1
        self._events.appendleft((first, second))

    def _move(self, to_box: bool) -> None:
        assert self._escrow is not None
        self._moving = _Moving(self._escrow, to_box, self.now_s + self.transport_s)
        self._escrow = None

    def _arrive(self, moving: _Moving) -> None:
        self._moving = None
        value_fen = self._yuan[moving.bill_type] * 100
        if moving.to_box and self._misbehaviour == "jams":
            self._misbehaviour, self._jammed = "", True
            self.ledger.note("stuck", value_fen)
            self._tell(0, 7)
        elif moving.to_box:
            self.ledger.note("stacked", value_fen)
            self._tell(moving.bill_type, 0)
        else:
            self.ledger.note("returned", value_fen)
            self._tell(0, 1)

    def _serve(self, frame: Frame) -> None:
        data = frame.data
        match frame.header:
            case codec.SIMPLE_POLL:
                self._reply(b"")
            case codec.SELF_CHECK:
                self._reply(b"\x0a" if self._jammed else b"\x00")
            case codec.SERIAL_NUMBER:
                self._reply((12_345_678).to_bytes(3, "little"))
            case codec.PRODUCT_CODE:
                self._reply(b"NOTES-1")
            case codec.MODIFY_MASTER_INHIBIT if len(data) == 1:
                self._accepting = data == b"\x01"
                self._reply(b"")
            case codec.MODIFY_INHIBIT if len(data) == 2:
                self._enabled = int.from_bytes(data, "little")
                self._reply(b"")
            case codec.OPERATING_MODE if data == b"\x03":
                self._reply(b"")
            case codec.SCALING_FACTOR:
                self._reply(b"\x64\x00\x02" if data == b"CN" else bytes(3))
            case codec.BILL_ID if len(data) == 1:
                yuan = self._yuan.get(data[0])
                self._reply(f"CN{yuan:04d}A".encode("ascii") if yuan else b".......")
            case codec.BILL_EVENTS:
                self._reply(BillEvents(self._counter, tuple(self._events)).encode())
            case codec.ROUTE_BILL if data in (b"\x00", b"\x01"):
                self._route(data == b"\x01")
            case codec.RESET:
                self._reply(b"")
                self._boot()

    def _route(self, to_box: bool) -> None:
        if self._escrow is None:
            self._reply(bytes([ESCROW_EMPTY]))
        elif to_box and (not self._box_in or self._box_full):
            self._reply(bytes([ROUTE_FAILED]))
        else:
            self._move(to_box)
            self._reply(b"")

    def _reply(self, data: bytes) -> None:
        answer = Frame(HOST, VALIDATOR, REPLY, data).encode(self._crc)
        self._outgoing += answer * (2 if self._misbehaviour == "answers_twice" else 1)
