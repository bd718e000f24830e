"""The whole terminal on one machine: three programs, and an emulated device on every real port."""

from __future__ import annotations

from pathlib import Path

PADS = ("zvt", "tcp", "mispos", "unionpay")
"""`--pad`: ZVT on a serial line or on TCP, MIS-POS on a serial line, UnionPay's library by TCP."""


def run_demo(
    tour: Path | None,
    gateway_down: bool = False,
    only: tuple[str, ...] = (),
    folder: Path | None = None,
    *,
    pad: str = "zvt",
    scale: float = 0.5,
) -> int:
    """Start everything; walk the tour, or wait for hands until the window is closed. Exit code."""
    from kiosk.demo.run import run

    return run(tour, gateway_down, only, folder, pad=pad, scale=scale)
