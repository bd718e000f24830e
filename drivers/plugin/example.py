"""The worked example as a program.

    python -m drivers.plugin.example --desk FILE
    python -m drivers.plugin.example --card READER --psam READER    both in PC/SC readers

What a vendor writes in C looks like this: read a line, answer a line, end when the input ends. The
desk file is JSON: {"card": {"number", "name", "sex", "birth"} or null, "put": N, "misbehave": ""}.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import select
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from drivers.deadline import Clock, Deadline
from drivers.errors import DeviceRefused
from drivers.idcard.card import Sex
from drivers.pcsc.port import CardPort, CardPutIn, CardTakenOut
from drivers.pcsc.service import PcscPorts
from drivers.plugin.codec import PluginCard
from drivers.plugin.emulator import Desk, HealthCardPlugin
from drivers.plugin.health_card import HealthCardText, PsamRefused, read_health_card

READ_BYTES = 4096
READ_S = 5.0
SOMEBODY = HealthCardText("", "", Sex.UNKNOWN, date.min)


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


class Slots:
    """Card and PSAM in two readers of this computer."""

    def __init__(self, card: CardPort, psam: CardPort, clock: Clock) -> None:
        self._card, self._psam, self._clock = card, psam, clock
        self._in, self._put = False, 0

    def look(self) -> Desk:
        """What is in the card's slot; who, only a reading tells."""
        match self._card.look(Deadline.after(self._clock, 0.0)):
            case CardPutIn():
                self._in, self._put = True, self._put + 1
            case CardTakenOut():
                self._in = False
        return Desk(SOMEBODY if self._in else None, self._put)

    def read(self, _desk: Desk) -> PluginCard:
        """See read_health_card; any DriverError of the readers."""
        deadline = Deadline.after(self._clock, READ_S)
        try:
            self._psam.connect(deadline)
        except DeviceRefused:
            raise PsamRefused from None
        self._card.connect(deadline)
        try:
            return read_health_card(
                lambda command: self._card.transmit(command, deadline),
                lambda command: self._psam.transmit(command, deadline),
            )
        finally:
            self._card.disconnect()
            self._psam.disconnect()


def plugin_of(asked: argparse.Namespace, clock: Clock) -> HealthCardPlugin:
    """As the command line wants it."""
    if asked.desk is not None:
        path = Path(asked.desk)
        return HealthCardPlugin(lambda: read_desk(path), die)
    ports = PcscPorts(clock)
    slots = Slots(ports.open(asked.card), ports.open(asked.psam), clock)
    return HealthCardPlugin(slots.look, die, slots.read)


def main(arguments: list[str]) -> None:
    """Until the input ends."""
    parser = argparse.ArgumentParser(description="A health card and its PSAM, one line a message.")
    for option in ("--desk", "--card", "--psam"):
        parser.add_argument(option)
    plugin = plugin_of(parser.parse_args(arguments), time.monotonic)
    while data := os.read(sys.stdin.fileno(), READ_BYTES):
        answer = plugin.receive(data)
        while answer:
            answer = answer[os.write(sys.stdout.fileno(), answer) :]


if __name__ == "__main__":
    main(sys.argv[1:])
