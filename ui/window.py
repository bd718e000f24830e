"""Kivy told what it may do, before any of it is imported.

Rule: one input provider, no keyboard, no settings panel, no file of Kivy's kept after the end.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def environment(home: str) -> dict[str, str]:
    """What Kivy reads from the environment. Without a display it draws off-screen, all the same."""
    wanted = {
        "KIVY_NO_ARGS": "1",
        "KIVY_LOG_MODE": "PYTHON",
        "KIVY_HOME": home,
        "KIVY_METRICS_DENSITY": "1",
        "KIVY_DPI": "96",
    }
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        wanted["SDL_VIDEODRIVER"] = "offscreen"
    return wanted


def _only_what_stops_us() -> None:
    """Of Kivy's own log only critical lines: the rest tells of providers nobody asked for."""
    to_stderr = logging.StreamHandler()
    to_stderr.setLevel(logging.CRITICAL)
    log = logging.getLogger("kivy")
    log.propagate = False
    log.addHandler(to_stderr)


def configure(
    size: tuple[int, int], position: tuple[int, int] | None = None, dev: bool = False
) -> None:
    """Set Kivy's configuration; must come before any window is imported."""
    _only_what_stops_us()
    from kivy.config import Config

    graphics = {
        "width": size[0],
        "height": size[1],
        "multisamples": 0,
        "borderless": 0 if dev else 1,
        "show_cursor": 1 if dev else 0,
        "resizable": 0,
        "position": "custom" if position else "auto",
    }
    if position:
        graphics |= {"left": position[0], "top": position[1]}
    for key, value in graphics.items():
        Config.set("graphics", key, value)
    Config.set("kivy", "exit_on_escape", 0)
    for name in list(Config.options("input")):
        Config.remove_option("input", name)
    Config.set("input", "mouse", "mouse,disable_multitouch")


@contextmanager
def configured(
    size: tuple[int, int], position: tuple[int, int] | None = None, dev: bool = False
) -> Iterator[None]:
    """Kivy's surroundings for one run; its home is thrown away at the end."""
    home = tempfile.mkdtemp(prefix="kiosk-ui-")
    os.environ.update(environment(home))
    try:
        configure(size, position, dev)
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)
