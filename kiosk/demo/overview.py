"""Some of a tour's pictures side by side: what the README shows.

Renewed by `./run demo --tour OUT`, then `cp OUT/overview.png docs/pictures/screens.png`.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

SCREENS = ("check_in-*-home", "proxy_pay-*-pay", "green_id-*-green_2")
HEIGHT_PX, GAP_PX = 960, 24


def write_overview(out: Path) -> Path | None:
    """OUT/overview.png; None when the journeys were not walked."""
    found = [sorted(out.glob(f"{name}.png"))[-1:] for name in SCREENS]
    if not all(found):
        return None
    size = (HEIGHT_PX * 1080 // 1920, HEIGHT_PX)
    pictures = [Image.open(one).convert("RGB").resize(size) for (one,) in found]
    width = len(pictures) * (size[0] + GAP_PX) - GAP_PX
    sheet = Image.new("RGB", (width, HEIGHT_PX), "white")
    for at, picture in enumerate(pictures):
        sheet.paste(picture, (at * (size[0] + GAP_PX), 0))
    path = out / "overview.png"
    sheet.quantize(128).save(path, optimize=True)
    return path
