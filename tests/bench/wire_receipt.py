"""A receipt's way over the wire: its bytes, their time on the line, and lines of dots.

The emulator behind the pty is paced at line speed; the wire's own time is bytes × 10 / baud. The
peer for dots is what one would write with python-escpos: Pillow draws the slip, it encodes it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from itertools import pairwise
from statistics import median

from escpos.printer import Dummy
from PIL import Image, ImageDraw, ImageFont

from drivers.deadline import Deadline
from drivers.escpos.commands import GENERIC_80
from drivers.escpos.driver import Printed, ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.escpos.encoder import encode, raster
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.hosts.pty_host import PtyHost
from drivers.slip import STEP_DOTS, Align, Pair, Row, Rule, Size, Slip, Text, lay_out
from drivers.transport import ByteStream
from drivers.transports.serial_port import open_serial

BAUD = 115200
BITS_A_BYTE = 10
GAP_S_MAX = 0.020
ROUNDS = 9

RECEIPT = Slip(
    (
        Text("市第一人民医院门诊缴费凭条", bold=True, align=Align.CENTRE),
        Rule(heavy=True),
        Pair("姓名：王*兰", "性别：女　年龄：78"),
        Pair("门诊号：2025030200817", "科室：心血管内科"),
        Pair("时间：2025-03-02 08:42", "终端：三号门 02"),
        Rule(),
        *(
            Pair(f"{number:02d} 阿司匹林肠溶片一百毫克三十片", f"¥{number * 3}.50", leader=".")
            for number in range(1, 29)
        ),
        Rule(),
        Pair("合计", "¥1,232.00"),
        Pair("基本医保付", "−¥871.30"),
        Pair("您自己付", "¥360.70", bold=True),
        Text("请到三楼采血窗口候诊，叫到号后进诊室。请拿好小票。"),
        Text("本凭条不作报销凭证。补打须注明。", align=Align.CENTRE),
    )
)
"""Forty lines."""


class Tap:
    """A stream that remembers when each piece of the slip itself reached the printer."""

    def __init__(self, emulator: ReceiptPrinterEmulator) -> None:
        self.arrivals: list[tuple[float, int]] = []
        self._inner = emulator

    def receive(self, data: bytes) -> bytes:
        self.arrivals.append((time.monotonic(), len(data)))
        return self._inner.receive(data)

    def tick(self, now_s: float) -> bytes:
        return self._inner.tick(now_s)


class Parts:
    """A stream that knows when the slip's first byte is written; before it are only questions."""

    def __init__(self, inner: ByteStream, begin: Callable[[], None]) -> None:
        self._inner, self._begin = inner, begin

    def write(self, data: bytes, deadline: Deadline) -> None:
        if data.startswith(b"\x1b@\x1da\x00"):
            self._begin()
        self._inner.write(data, deadline)

    def read(self, deadline: Deadline) -> bytes:
        return self._inner.read(deadline)

    def discard_input(self) -> None:
        self._inner.discard_input()

    def close(self) -> None:
        self._inner.close()


def receipt_on_the_wire(glyphs: Glyphs) -> tuple[float, float]:
    """First to last byte over the wire's own time, and a slip's longest gap; medians."""
    job_bytes = len(encode(RECEIPT, GENERIC_80, glyphs).data)
    tap = Tap(ReceiptPrinterEmulator(glyphs))
    ratios, gaps = [], []
    with PtyHost(tap, time.monotonic, BAUD) as host:
        assert isinstance(host, PtyHost)
        port = open_serial(host.path, BAUD, time.monotonic)
        stream = Parts(port, tap.arrivals.clear)
        printer = ReceiptPrinter(stream, time.monotonic, GENERIC_80, glyphs)
        printer.print_slip(RECEIPT)  # tidies once
        for _ in range(ROUNDS):
            assert isinstance(printer.print_slip(RECEIPT), Printed)
            taken_s, gap_s = first_to_last(tap.arrivals, job_bytes)
            ratios.append(taken_s / (job_bytes * BITS_A_BYTE / BAUD))
            gaps.append(gap_s)
        printer.close()
    return median(ratios), median(gaps)


def first_to_last(arrivals: list[tuple[float, int]], job_bytes: int) -> tuple[float, float]:
    """Seconds from a slip's first piece to its last, the first's own time included; longest gap."""
    moments, seen = [], 0
    for at_s, count in arrivals:
        if seen >= job_bytes:
            break
        moments.append(at_s)
        seen += count
    first_s = arrivals[0][1] * BITS_A_BYTE / BAUD
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return moments[-1] - moments[0] + first_s, max(gaps, default=0.0)


def rows() -> list[Row]:
    return [block for block in lay_out(RECEIPT).blocks if isinstance(block, Row)]


def ours_as_dots(printed: list[Row], glyphs: Glyphs) -> bytes:
    """The whole receipt as dots in our way: remembered glyphs, one shift each."""
    return b"".join(raster(glyphs.row(row)) for row in printed)


def theirs_as_dots(printed: list[Row]) -> bytes:
    """The same rows drawn by Pillow in the same face, encoded by python-escpos."""
    face = installed_faces()[0]
    font = ImageFont.truetype(face.path, 24, index=face.index)
    step = STEP_DOTS[Size.NORMAL]
    image = Image.new("1", (576, step * len(printed)), 1)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    for number, row in enumerate(printed):
        draw.text((0, number * step + 21), row.text, 0, font=font, anchor="ls")
    printer = Dummy()
    with redirect_stdout(io.StringIO()):  # it prints that it knows no width
        printer.image(image, impl="bitImageRaster", fragment_height=step * len(printed))
    return bytes(printer.output)


def seconds(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def measure() -> dict[str, float]:
    """The receipt's part of the wire's results."""
    glyphs = Glyphs(installed_faces())
    ratio, gap_s = receipt_on_the_wire(glyphs)
    printed = rows()
    dots = ours_as_dots(printed, glyphs)
    theirs_as_dots(printed)
    pairs = [
        (
            seconds(lambda: theirs_as_dots(printed)),
            seconds(lambda: ours_as_dots(printed, glyphs)),
        )
        for _ in range(ROUNDS)
    ]
    text = encode(RECEIPT, GENERIC_80, glyphs).data
    return {
        "receipt_ratio": round(ratio, 3),
        "receipt_gap_ms": round(gap_s * 1000, 1),
        "receipt_bytes": len(text),
        "receipt_bytes_as_dots": len(dots),
        "receipt_bytes_ratio": round(len(text) / len(dots), 3),
        "raster_ms": round(median(ours for _, ours in pairs) * 1000, 2),
        "raster_ms_python_escpos": round(median(theirs for theirs, _ in pairs) * 1000, 2),
        "raster_speedup": round(median(theirs / ours for theirs, ours in pairs), 1),
    }
