"""The paper's picture, judged by readers that are not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from drivers.escpos.commands import Model
from drivers.escpos.driver import ReceiptPrinter
from drivers.escpos.emulator import ReceiptPrinterEmulator
from drivers.slip import Code128, Pair, Qr, Size, Slip, Text, enlarged
from tests.drivers.cable import Cable
from tests.drivers.escpos.paper import LONG, glyphs, wired


def printed_codes(slip: Slip, folder: Path, model: Model | None = None) -> list[str]:
    """What Debian's zbarimg reads off the printed picture."""
    printer, emulator, _ = wired(model) if model else wired()
    printer.print_slip(slip)
    picture = folder / "slip.png"
    picture.write_bytes(emulator.slips[-1].png(glyphs()))
    ran = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, timeout=30, check=True
    )
    return sorted(ran.stdout.decode().splitlines())


@pytest.mark.parametrize(
    "payload",
    ["8K42", "https://hospital.example/s/8K42?t=20250302", "姓名：王*兰，单号：8K42", "7" * 600],
)
def test_zbar_reads_the_printed_qr_code(payload: str, tmp_path: Path) -> None:
    assert printed_codes(Slip((Qr(payload),)), tmp_path) == [payload]


def test_zbar_reads_a_qr_code_that_was_sent_as_dots(tmp_path: Path) -> None:
    model = Model("plain", native_qr=False)
    assert printed_codes(Slip((Qr("8K42-20250302"),)), tmp_path, model) == ["8K42-20250302"]


@pytest.mark.parametrize("text", ["8K42-20250302", "A", "~!@#$%^&*()_+-=", "0123456789"])
def test_zbar_reads_the_printed_bars(text: str, tmp_path: Path) -> None:
    assert printed_codes(Slip((Text("单号"), Code128(text))), tmp_path) == [text]


@pytest.mark.parametrize("slip", [LONG, enlarged(LONG)], ids=["plain", "elder"])
def test_both_codes_of_a_whole_slip_are_read(slip: Slip, tmp_path: Path) -> None:
    expected = sorted(["8K42-20250302", "https://hospital.example/s/8K42"])
    assert printed_codes(slip, tmp_path) == expected


READ_BACK = Slip(
    (
        Text("市第一医院", Size.DOUBLE, bold=True),
        Pair("您自己付", "41.20", Size.DOUBLE),
        Text("请到三楼采血窗口", Size.DOUBLE),
    )
)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_tesseract_reads_the_slip_back(tmp_path: Path) -> None:
    printer, emulator, _ = wired()
    printer.print_slip(READ_BACK)
    picture = tmp_path / "slip.png"
    picture.write_bytes(emulator.slips[0].png(glyphs()))
    ran = subprocess.run(
        ["tesseract", str(picture), "-", "-l", "chi_sim", "--psm", "6"],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    read = ran.stdout.decode().replace(" ", "")
    for words in ("市第一医院", "您自己付", "41.20", "请到三楼采血窗口"):
        assert words in read


def test_each_slip_is_kept_as_picture_and_text(tmp_path: Path) -> None:
    emulator = ReceiptPrinterEmulator(glyphs(), folder=tmp_path)
    cable = Cable(emulator)
    printer = ReceiptPrinter(cable, cable.clock, glyphs=glyphs())
    printer.print_slip(LONG)
    printer.print_slip(LONG)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["001.png", "001.txt", "002.png", "002.txt"]
    assert "您自己付" in (tmp_path / "001.txt").read_text("utf-8")
    assert Image.open(tmp_path / "001.png").width == 576
