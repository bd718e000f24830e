"""The screen's program: a window, the newest view from core, touches back.

Rule: holds nothing but the current view. Core may come and go; the screen says so and waits.
"""

from __future__ import annotations

import gc
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ui.shell import Shell

STARTING_AFTER_S = 1.0
"""Core restarts within a second; sooner than that nobody needs to be told."""


def run(
    socket_path: Path | str,
    hands_path: Path | str | None = None,
    *,
    size: tuple[int, int] = (1080, 1920),
    position: tuple[int, int] | None = None,
    dev: bool = False,
    pitch_mm: float | None = None,
) -> None:
    """Draw what core says until SIGTERM. Blocks; the process's main thread.

    `hands_path`: a socket for the tour's finger (ui.hands); never on a real terminal. `pitch_mm`:
    the panel's millimetres a pixel, from the profile. `dev`: mouse pointer and window frame.
    """
    from ui.window import configured

    with configured(size, position, dev):
        from ui.core_line import CoreLine
        from ui.shell import Shell

        shell = Shell(lambda touch: line.send(touch), time.monotonic, pitch_mm)
        line = CoreLine(Path(socket_path), lambda: _wake(shell, line))
        hands = _hands(shell, hands_path)
        shell.when_up(lambda: _start(shell, line, hands))
        collect_between_pages()
        signal.signal(signal.SIGTERM, lambda *_: shell.leave())
        signal.signal(signal.SIGINT, lambda *_: shell.leave())
        try:
            shell.run()
        finally:
            line.stop()
            if hands is not None:
                hands.stop()


def collect_between_pages() -> None:
    """Left to itself the collector doubles the time a page takes; the stage calls it instead."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _hands(shell: Shell, path: Path | str | None) -> Any:
    if path is None:
        return None
    from ui.hands import Hands

    return Hands(shell, Path(path))


def _start(shell: Shell, line: Any, hands: Any) -> None:
    line.start()
    _say_starting_later(shell, line)
    if hands is not None:
        hands.start()


def _wake(shell: Shell, line: Any) -> None:
    """On the line's thread: have the newest looked at before the next frame."""
    shell.soon(lambda: _look(shell, line))


def _look(shell: Shell, line: Any) -> None:
    view = line.take()
    if view is not None:
        shell.show(view)
    if not line.connected:
        _say_starting_later(shell, line)


def _say_starting_later(shell: Shell, line: Any) -> None:
    def if_still_away() -> None:
        if not line.connected:
            shell.show_starting()

    shell.later(if_still_away, STARTING_AFTER_S)
