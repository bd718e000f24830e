"""Paper as a picture and as text: what a person holding the slip would see.

Rule: it is drawn from what the printer decoded, never from what the terminal meant to print.
"""

from __future__ import annotations

import io
from functools import lru_cache

import segno
import zxingcpp
from PIL import Image

from drivers.escpos.decoder import (
    Fed,
    Printed,
    PrintedBar,
    PrintedQr,
    PrintedRaster,
    PrintedRow,
    Span,
    width_of,
)
from drivers.escpos.glyphs import Bitmap, Glyphs
from drivers.slip import Align, Row, Size

PAPER = (251, 250, 245)
INK = (38, 36, 40)  # thermal paper is never quite black
MARGIN_DOTS = 40
QR_QUIET_MODULES = 4


def height_of(item: Printed) -> int:
    """Dots of paper that the item takes."""
    match item:
        case PrintedRow(step_dots=dots) | Fed(dots=dots):
            return dots
        case PrintedRaster(bitmap=bitmap):
            return bitmap.height
        case PrintedQr():
            return _qr(item).height + 16
        case PrintedBar(height_dots=dots, shown=shown):
            return dots + (32 if shown else 8)


def picture(items: tuple[Printed, ...], glyphs: Glyphs) -> Image.Image:
    """The slip, one pixel a dot, glyphs.dots wide."""
    height = sum(map(height_of, items)) + 2 * MARGIN_DOTS
    ink = Image.new("1", (glyphs.dots, height))
    top = MARGIN_DOTS
    for item in items:
        image = _drawn(item, glyphs)
        if image is not None:
            ink.paste(image, (_left(image.width, _align(item), glyphs.dots), top))
        top += height_of(item)
    paper = Image.new("RGB", ink.size, PAPER)
    paper.paste(INK, (0, 0), ink)
    return paper


def png(items: tuple[Printed, ...], glyphs: Glyphs) -> bytes:
    """The picture as a PNG file of two colours."""
    out = io.BytesIO()
    picture(items, glyphs).quantize(2, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def text(items: tuple[Printed, ...], columns: int) -> str:
    """The slip as lines of text; codes by their contents, pictures by their size."""
    return "\n".join(_said(item, columns).rstrip() for item in items) + "\n"


def _said(item: Printed, columns: int) -> str:
    match item:
        case PrintedRow(spans=spans, align=align):
            words = "".join(span.text for span in spans)
            return _placed(words, sum(map(width_of, spans)) // 12, align, columns)
        case PrintedRaster(bitmap=bitmap):
            return f"[图 {bitmap.width}×{bitmap.height}]"
        case PrintedQr(payload=payload):
            return f"[二维码 {payload.decode(errors='replace')}]"
        case PrintedBar(text=words):
            return f"[条码 {words}]"
        case Fed():
            return ""


def _placed(words: str, taken: int, align: Align, columns: int) -> str:
    gap = max(0, columns - taken)
    match align:
        case Align.LEFT:
            return words
        case Align.CENTRE:
            return " " * (gap // 2) + words
        case Align.RIGHT:
            return " " * gap + words


def _align(item: Printed) -> Align:
    return Align.LEFT if isinstance(item, Fed) else item.align


def _left(width: int, align: Align, dots: int) -> int:
    match align:
        case Align.LEFT:
            return 0
        case Align.CENTRE:
            return (dots - width) // 2
        case Align.RIGHT:
            return dots - width


def _drawn(item: Printed, glyphs: Glyphs) -> Image.Image | None:
    match item:
        case PrintedRow(spans=spans):
            return _row(spans, glyphs) if spans else None
        case PrintedRaster(bitmap=bitmap):
            return _image(bitmap)
        case PrintedQr():
            return _qr(item)
        case PrintedBar():
            return _bar(item, glyphs)
        case Fed():
            return None


def _row(spans: tuple[Span, ...], glyphs: Glyphs) -> Image.Image:
    tallest = max(span.high for span in spans) * 24
    image = Image.new("1", (sum(map(width_of, spans)), tallest))
    left = 0
    for span in spans:
        drawn = _span(span, glyphs)
        image.paste(drawn, (left, tallest - span.high * 24))
        left += width_of(span)
    return image


def _span(span: Span, glyphs: Glyphs) -> Image.Image:
    """In the nearest size that is drawn well, else enlarged dot by dot as printers do."""
    size = next((s for s in Size if s.value == (span.wide, span.high)), None)
    drawn = _image(glyphs.row(Row(span.text, size or Size.NORMAL, span.bold)))
    width, height = width_of(span), span.high * 24
    if size is not None:
        return drawn.crop((0, 0, width, height))
    plain = drawn.crop((0, 0, width // span.wide, 24))
    return plain.resize((width, height), Image.Resampling.NEAREST)


def _image(bitmap: Bitmap) -> Image.Image:
    return Image.frombytes("1", (bitmap.width, bitmap.height), bitmap.to_bytes())


@lru_cache(maxsize=16)  # its height is asked for each line that waits
def _qr(item: PrintedQr) -> Image.Image:
    code = segno.make_qr(item.payload, error="m", boost_error=False)
    side = len(code.matrix)
    image = Image.new("1", (side, side))
    image.putdata([bit for line in code.matrix for bit in line])
    scaled = side * item.module_dots
    quiet = QR_QUIET_MODULES * item.module_dots
    framed = Image.new("1", (scaled, scaled + 2 * quiet))
    framed.paste(image.resize((scaled, scaled), Image.Resampling.NEAREST), (0, quiet))
    return framed


def _bar(item: PrintedBar, glyphs: Glyphs) -> Image.Image:
    code = zxingcpp.create_barcode(item.text, zxingcpp.BarcodeFormat.Code128)
    light = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False))
    line = light.crop((0, 0, light.width, 1)).point(lambda value: 255 * (value < 128))
    size = (light.width * item.module_dots, item.height_dots)
    bars = line.convert("1").resize(size, Image.Resampling.NEAREST)
    if not item.shown:
        return bars
    words = _row((Span(item.text),), glyphs)
    image = Image.new("1", (max(bars.width, words.width), item.height_dots + 30))
    image.paste(bars, ((image.width - bars.width) // 2, 0))
    image.paste(words, ((image.width - words.width) // 2, item.height_dots + 4))
    return image
