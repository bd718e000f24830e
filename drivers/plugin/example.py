"""The worked example as a program: `python -m drivers.plugin.example --desk FILE`.

What a vendor writes in C looks like this: read a line, answer a line, end when the input ends. The
desk file is JSON: {"card": {"number", "name", "sex", "birth"} or null, "put": N, "misbehave": ""}.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import sys
from datetime import date
from pathlib import Path
from typing import Any

from drivers.idcard.card import Sex
from drivers.plugin.emulator import Desk, HealthCardPlugin
from drivers.plugin.health_card import HealthCardText

READ_BYTES = 4096


def read_desk(path: Path) -> Desk:
    """What hands wrote; an empty desk while there is no file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Desk()
    card = found.get("card")
    return Desk(
        card=_card(card) if card else None,
        put=int(found.get("put", 0)),
        misbehaviour=str(found.get("misbehave", "")),
    )


def write_desk(path: Path, card: HealthCardText | None, put: int, misbehave: str = "") -> None:
    """For hands: whole or not at all, because the program reads at any moment."""
    laid = None
    if card is not None:
        laid = {
            "number": card.number,
            "name": card.name,
            "sex": card.sex.value,
            "birth": f"{card.birth:%Y%m%d}",
        }
    text = json.dumps({"card": laid, "put": put, "misbehave": misbehave}, ensure_ascii=False)
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def _card(card: dict[str, str]) -> HealthCardText:
    return HealthCardText(
        card["number"], card["name"], Sex(card["sex"]), date.fromisoformat(card["birth"])
    )


def die(how: str) -> None:
    """What a broken library does to its process."""
    match how:
        case "crash_in_read":
            ctypes.string_at(0)  # address 0 is nobody's: a real SIGSEGV
        case "exit_in_read":
            os._exit(3)
        case "hang_in_read":
            select.select([], [], [])


def main(arguments: list[str]) -> None:
    """Until the input ends."""
    assert arguments[:1] == ["--desk"], "usage: python -m drivers.plugin.example --desk FILE"
    path = Path(arguments[1])
    plugin = HealthCardPlugin(lambda: read_desk(path), die)
    while data := os.read(sys.stdin.fileno(), READ_BYTES):
        answer = plugin.receive(data)
        while answer:
            answer = answer[os.write(sys.stdout.fileno(), answer) :]


if __name__ == "__main__":
    main(sys.argv[1:])
