"""A receipt printer from the device's side: bytes in, paper out, and everything hands can do to it.

Rule: the tape is the truth. What stands on `slips` was printed and cut; nothing else was. Faults
of the line belong to the cable; faults of paper, cover, knife and mains are the knobs here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from drivers.errors import ProtocolError
from drivers.escpos import commands as cmd
from drivers.escpos.commands import GENERIC_80, Model
from drivers.escpos.decoder import Cut, Decoder, ExitMoved, Item, MarkAsked, Printed
from drivers.escpos.glyphs import Glyphs
from drivers.escpos.picture import height_of, png, text

MISBEHAVIOURS = MappingProxyType(
    {
        "paper_out": "the roll is empty",
        "paper_out_mid_slip": "the roll ends after five lines",
        "near_end": "the roll nears its end; prints on",
        "cover_open": "somebody left it open",
        "jam": "paper is stuck",
        "cutter_stuck": "the knife does not move",
        "too_hot": "the head has to cool down",
        "ticket_in_exit": "the last slip still hangs in the exit",
        "silent": "prints and answers nothing",
        "slow": "three lines a second",
        "power_cut": "off: nothing is heard, the slip being printed is forgotten",
    }
)
SLOW_ROWS_PER_S = 3.0
MID_SLIP_ROWS = 5.0

ROW_DOTS = 32  # of a normal line; what `rows_left` counts
BUFFER_ITEMS_MAX = 4096
BUFFER_BYTES = 4096
CLEARED = b"\x37\x25\x00"
REAL_TIME = tuple(
    [cmd.STATUS + bytes([n]) for n in (1, 2, 3, 4)]
    + [cmd.KIOSK_STATUS, cmd.CLEAR_BUFFER, cmd.KIOSK_RESET]
)


@dataclass(frozen=True)
class PaperSlip:
    """A piece of paper that was cut off. `whole` is false when it holds parts of two slips or of
    one that was broken off."""

    items: tuple[Printed, ...]
    columns: int
    whole: bool = True

    @property
    def text(self) -> str:
        return text(self.items, self.columns)

    def png(self, glyphs: Glyphs) -> bytes:
        return png(self.items, glyphs)


class ReceiptPrinterEmulator:
    """Answers as PROTOCOL.md says. The knobs are attributes; change them between two receives.

    `strict`: bytes that no manual explains raise ProtocolError; otherwise they are counted in
    `refused` and skipped, as a real printer prints rubbish and goes on.
    """

    def __init__(
        self,
        glyphs: Glyphs,
        model: Model = GENERIC_80,
        *,
        folder: Path | None = None,
        strict: bool = True,
    ) -> None:
        self.model = model
        self.slips: list[PaperSlip] = []
        self.refused: list[str] = []
        self.rows_left: float | None = None
        """Normal lines until the roll ends; None is a roll without end."""
        self.near_end = False
        self.cover_open = False
        self.jammed = False
        self.cutter_stuck = False
        self.too_hot = False
        self.silent = False
        """Prints and does not answer: a broken return wire."""
        self.rows_per_s: float | None = None
        """Slow mechanics; None prints at once."""
        self.keeps_tickets = model.kiosk_status
        """A presenter that holds each slip until it is pulled."""
        self.ticket_in_exit = False
        self.restart_s = 0.0
        """For so long after a kiosk reset it says and hears nothing."""
        self.powered = True
        self.retracted = 0
        self._glyphs = glyphs
        self._folder = folder
        self._strict = strict
        self._unscanned = bytearray()
        self._restart()
        self._standing: list[Printed] = []
        self._interrupted = False
        self._now_s: float | None = None
        self._deaf_until_s = 0.0

    def _restart(self) -> None:
        self._decoder = Decoder(self.model.dots)
        self._waiting: deque[Item] = deque()
        self._budget_rows = 0.0

    # -- what hands do

    @property
    def standing(self) -> tuple[Printed, ...]:
        """Printed and not yet cut."""
        return tuple(self._standing)

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        match name:
            case "paper_out":
                self.rows_left = 0
            case "paper_out_mid_slip":
                self.rows_left = MID_SLIP_ROWS
            case "jam":
                self.jammed = True
            case "slow":
                self.rows_per_s = SLOW_ROWS_PER_S
            case "power_cut":
                self.cut_power()
            case _:
                setattr(self, name, True)

    def behave(self) -> None:
        """Everything is put right."""
        self.put_paper_in()
        self.restore_power()
        self.cover_open = self.jammed = self.cutter_stuck = self.too_hot = False
        self.ticket_in_exit = self.silent = False
        self.rows_per_s = None

    def paper_out_after(self, rows: int) -> None:
        """The roll ends after so many normal lines; 0 is now."""
        self.rows_left = rows

    def put_paper_in(self) -> None:
        """A new roll; what was waiting goes on printing."""
        self.rows_left, self.near_end = None, False

    def cut_power(self) -> None:
        """Mains off: what was not printed is forgotten, what was printed stays standing."""
        self.powered = False
        self._interrupted = bool(self._standing)
        self._unscanned.clear()
        self._restart()

    def restore_power(self) -> None:
        self.powered = True

    def pull_ticket(self) -> None:
        """The person takes the slip out of the exit."""
        self.ticket_in_exit = False

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        if not self.powered or (self._now_s or 0.0) < self._deaf_until_s:
            return b""
        self._unscanned += data
        answer = self._scan()
        answer += self._print()
        return b"" if self.silent else answer

    def tick(self, now_s: float) -> bytes:
        passed_s = 0.0 if self._now_s is None else max(0.0, now_s - self._now_s)
        self._now_s = now_s
        if not self.powered or not self._waiting:
            return b""
        if self.rows_per_s is not None:
            self._budget_rows += passed_s * self.rows_per_s
        answer = self._print()
        return b"" if self.silent else answer

    # -- real-time commands are obeyed wherever they stand in the stream, pictures included

    def _scan(self) -> bytes:
        answer = b""
        while self._unscanned:
            found = min(
                (at for command in REAL_TIME if (at := self._unscanned.find(command)) >= 0),
                default=None,
            )
            if found is None:
                keep = self._may_begin_a_command()
                self._accept(bytes(self._unscanned[: len(self._unscanned) - keep]))
                del self._unscanned[: len(self._unscanned) - keep]
                break
            self._accept(bytes(self._unscanned[:found]))
            command = next(c for c in REAL_TIME if self._unscanned.startswith(c, found))
            del self._unscanned[: found + len(command)]
            answer += self._answer(command)
        return answer

    def _may_begin_a_command(self) -> int:
        """How many bytes at the end may still become a real-time command."""
        tail = bytes(self._unscanned[-len(cmd.CLEAR_BUFFER) :])
        for length in range(len(tail), 0, -1):
            if any(command.startswith(tail[-length:]) for command in REAL_TIME):
                return length
        return 0

    def _answer(self, command: bytes) -> bytes:
        match command:
            case cmd.CLEAR_BUFFER:
                self._clear()
                return CLEARED
            case cmd.KIOSK_RESET:
                if self.model.kiosk_status:
                    self._clear()
                    self._deaf_until_s = (self._now_s or 0.0) + self.restart_s
                return b""
            case cmd.KIOSK_STATUS:
                return self._kiosk_status() if self.model.kiosk_status else b""
        return bytes([0x12 | self._status(command[2])])

    def _clear(self) -> None:
        self._interrupted = self._interrupted or bool(self._standing)
        self._restart()

    def _status(self, n: int) -> int:
        out, error = self._out(), self.jammed or self.cutter_stuck or self.too_hot
        match n:
            case 1:
                return 0x08 * (out or self.cover_open or error)
            case 2:
                return 0x04 * self.cover_open | 0x20 * out | 0x40 * error
            case 3:
                return 0x04 * self.jammed | 0x08 * self.cutter_stuck | 0x40 * self.too_hot
        return 0x0C * (self.near_end or out) | 0x60 * out

    def _kiosk_status(self) -> bytes:
        paper = 0x01 * self._out() | 0x04 * self.near_end | 0x20 * self.ticket_in_exit
        user = 0x03 * self.cover_open | 0x04 * bool(self._waiting)
        recoverable = 0x01 * self.too_hot
        fatal = 0x01 * self.cutter_stuck | 0x40 * self.jammed
        return cmd.KIOSK_STATUS_HEAD + bytes([paper, user, recoverable, fatal])

    def _out(self) -> bool:
        return self.rows_left is not None and self.rows_left <= 0

    # -- what waits its turn

    def _accept(self, data: bytes) -> None:
        for at in range(0, len(data), BUFFER_BYTES):
            self._take_in(data[at : at + BUFFER_BYTES])

    def _take_in(self, data: bytes) -> None:
        try:
            self._decoder.feed(data)
        except ProtocolError as fault:
            self._refuse(fault)
        while True:
            try:
                item = self._decoder.next()
            except ProtocolError as fault:
                self._refuse(fault)
                continue
            if item is None:
                return
            self._waiting.append(item)
            if len(self._waiting) > BUFFER_ITEMS_MAX:
                self._waiting.clear()
                self._refuse(ProtocolError("the printer's buffer has run over"))

    def _refuse(self, fault: ProtocolError) -> None:
        if self._strict:
            raise fault
        self.refused.append(str(fault))
        del self.refused[:-100]

    def _print(self) -> bytes:
        answer = b""
        while self._waiting and self._may_go_on(self._waiting[0]):
            answer += self._do(self._waiting.popleft())
        return answer

    def _may_go_on(self, item: Item) -> bool:
        if self._out() or self.cover_open or self.jammed or self.cutter_stuck or self.too_hot:
            return False
        if not isinstance(item, Printed):
            return True
        rows = height_of(item) / ROW_DOTS
        if self.rows_per_s is not None and self._budget_rows < rows:
            return False
        if self.rows_left is not None and self.rows_left < rows:
            self.rows_left = 0  # the end of the roll comes while this line is printed
            return False
        return True

    def _do(self, item: Item) -> bytes:
        match item:
            case Cut():
                self._cut()
            case MarkAsked():
                return bytes([0x03 * self.near_end])
            case ExitMoved(how=how):
                self.retracted += how == 2 and self.ticket_in_exit
                self.ticket_in_exit = False
            case _:
                self._put_on_paper(item)
        return b""

    def _put_on_paper(self, item: Printed) -> None:
        rows = height_of(item) / ROW_DOTS
        self._standing.append(item)
        if self.rows_per_s is not None:
            self._budget_rows -= rows
        if self.rows_left is not None:
            self.rows_left = max(0.0, self.rows_left - rows)

    def _cut(self) -> None:
        if not self._standing:
            return
        slip = PaperSlip(tuple(self._standing), self.model.columns, not self._interrupted)
        self._standing, self._interrupted = [], False
        self.slips.append(slip)
        self.ticket_in_exit = self.keeps_tickets
        if self._folder is not None:
            self._save(slip, self._folder / f"{len(self.slips):03d}")

    def _save(self, slip: PaperSlip, stem: Path) -> None:
        stem.with_suffix(".txt").write_text(slip.text, encoding="utf-8")
        stem.with_suffix(".png").write_bytes(slip.png(self._glyphs))
