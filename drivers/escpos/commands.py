"""The bytes of ESC/POS that this project uses, and what differs between printers, as data.

Rule: nothing is sent that is not named here, and the decoder knows nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

INIT = b"\x1b@"
ASB_OFF = b"\x1da\x00"
CHINESE_ON = b"\x1c&"
CHINESE_OFF = b"\x1c."
CHINESE_SIZE = b"\x1c!"  # n: 04 double width, 08 double height
SIZE = b"\x1d!"  # n: high nibble width - 1, low nibble height - 1; hanzi too
BOLD = b"\x1bE"
ALIGN = b"\x1ba"
STEP = b"\x1b3"  # n dots from line to line
FEED = b"\x1bJ"  # n dots
LINE_FEED = b"\n"
RASTER = b"\x1dv0\x00"  # then xL xH (bytes) yL yH (dots)
CUT = b"\x1dVB\x00"  # to the cutting position, then partial
MARK = b"\x1dr\x01"  # answered when everything before it has been carried out
BAR_HEIGHT = b"\x1dh"
BAR_MODULE = b"\x1dw"
BAR_TEXT = b"\x1dH"
BAR_CODE128 = b"\x1dkI"  # n, then n bytes beginning with {B
QR = b"\x1d(k"
QR_MODEL_2 = QR + b"\x04\x001A2\x00"
QR_MODULE = QR + b"\x03\x001C"
QR_LEVEL_M = QR + b"\x03\x001E1"
QR_PRINT = QR + b"\x03\x001Q0"
QR_STORE = b"1P0"  # after QR and the length

STATUS = b"\x10\x04"  # real time, n = 1 printer, 2 offline cause, 3 error, 4 paper
KIOSK_STATUS = b"\x10\x04\x14"
KIOSK_STATUS_HEAD = b"\x10\x0f"  # then p u r f
CLEAR_BUFFER = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
KIOSK_RESET = b"\x1c\xc0\x18\x10\x14\x1a"
EXIT = b"\x1de"  # presenter, n


@dataclass(frozen=True)
class Model:
    """How one family of printers differs from the others."""

    name: str
    columns: int = 48
    kiosk_status: bool = False
    """Answers 10 04 14: knows a ticket in the exit, head up, jam."""
    native_qr: bool = True
    clear: bytes = CLEAR_BUFFER
    """What throws away a slip that could not be finished."""
    eject: bytes = b""
    retract: bytes = b""
    slowest_mm_per_s: int = 50

    @property
    def dots(self) -> int:
        return self.columns * 12


GENERIC_80 = Model("generic-80")
KIOSK_80 = Model(
    "kiosk-80",
    kiosk_status=True,
    clear=KIOSK_RESET,
    eject=EXIT + b"\x05",
    retract=EXIT + b"\x02",
)
GENERIC_58 = Model("generic-58", columns=32)
MODELS = (GENERIC_80, KIOSK_80, GENERIC_58)
