"""A port's name that stays when sockets are renumbered: who is plugged in, else into which socket.

Rule: a name is a link of udev's (/dev/serial/by-id, then by-path). Two devices without a serial
number would share a by-id link, which then leads to one of them only: the other has its socket.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LINK_FOLDERS = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))


def stable_name(port: str, folders: Sequence[Path] = LINK_FOLDERS) -> str:
    """The lasting name of `port`, first of `folders` first; empty: it has none.

    A port that is named by such a link already keeps it.
    """
    for folder in folders:
        if Path(port).parent == folder:
            return port
    real = os.path.realpath(port)
    for folder in folders:
        for link in _links(folder):
            if os.path.realpath(link) == real:
                return str(link)
    return ""


def _links(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # no udev, or nothing is plugged in
        return []
