"""The bench's program: a window beside the terminal's, driven by the demo's socket."""

from __future__ import annotations

from pathlib import Path

from ui.bench.protocol import BenchClient


def run(socket_path: Path | str, size: tuple[int, int], position: tuple[int, int] | None) -> None:
    """Until the window is closed or the demo ends. Blocks; the process's main thread."""
    from ui.window import configured

    with configured(size, position, dev=True):
        from ui.bench.window import Bench

        Bench(BenchClient(socket_path)).run()
