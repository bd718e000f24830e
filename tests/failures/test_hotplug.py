"""Each device × each of its states × its cable moved, on a real port: what is told, found, true.

A cell: what the driver told in that state; what a look at the old name gave then; and what is true
once the device is where it belongs. The old connection is dead in every column: only IPP, which
opens a new one each time, may go on by itself. The cells run beside each other: they mostly wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from tests.failures.hotplug import money, readers, slots
from tests.failures.hotplug.ports import COLUMNS, Bench, Kind, Sockets

AT_ONCE = 16

KINDS: dict[str, Kind] = {
    "idcard": readers.IDCARD,
    "plugin": readers.PLUGIN,
    "scanner": readers.SCANNER,
    "wedge": readers.WEDGE,
    "camera": readers.CAMERA,
    "escpos": readers.ESCPOS,
    "ipp": readers.IPP,
    "zvt": money.ZVT,
    "mispos": money.MIS_POS,
    "unionpay": money.UNION_PAY,
    "cashbox": money.CASHBOX,
}

Four = tuple[str, str, str, str]
LOST: Four = (
    "DeviceLost; absent",
    "DeviceLost; well",
    "DeviceLost; DeadlineExceeded",
    "DeviceLost; absent",
)
UNKNOWN: Four = (
    "OutcomeUnknown; absent",
    "OutcomeUnknown; well",
    "OutcomeUnknown; DeadlineExceeded",
    "OutcomeUnknown; absent",
)
SLIP: Four = (
    "SlipUnknown; absent",
    "SlipUnknown; well",
    "SlipUnknown; DeadlineExceeded",
    "SlipUnknown; absent",
)
A4_UNKNOWN: Four = (
    "OutcomeUnknown; absent",
    "OutcomeUnknown; well",
    "OutcomeUnknown; DeviceRefused",
    "OutcomeUnknown; absent",
)
A4_ASKED: Four = (
    "DeviceAbsent; absent",
    "well; well",
    "DeviceRefused; DeviceRefused",
    "DeviceAbsent; absent",
)
WEDGE: Four = ("DeviceLost; absent", "DeviceLost; well", "DeviceLost; well", "DeviceLost; absent")
"""A keyboard confirms nothing: whatever bears its name is believed. It is named by-id."""
CAMERA: Four = (
    "DeviceLost; absent",
    "DeviceLost; well",
    "DeviceLost; absent",
    "DeviceLost; absent",
)
"""What sends no pictures is no camera: it is not even opened."""


def then(told: Four, *true: str) -> Four:
    """Each cell with what is true in the end: the same in all columns, or one a column."""
    ends = true * len(told) if len(true) == 1 else true
    first, second, third, fourth = (f"{t}; {e}" for t, e in zip(told, ends, strict=True))
    return first, second, third, fourth


TABLE: dict[str, dict[str, Four]] = {
    "idcard": {
        "waiting for a card": then(LOST, "reads"),
        "finding a card": then(LOST, "reads"),
        "selecting it": then(LOST, "reads"),
        "reading it": then(LOST, "reads"),
        "reading its newest address": then(LOST, "reads"),
        "reading it with its fingerprint": then(LOST, "reads"),
        "asking who the reader is": then(LOST, "reads"),
        "changing the speed": then(LOST, "reads"),
    },
    "plugin": {
        "starting": then(LOST, "reads"),
        "waiting for a card": then(LOST, "reads"),
        "seeing a card": then(LOST, "reads"),
        "reading it": then(LOST, "reads"),
    },
    "scanner": {
        "not asked": then(LOST, "scans"),
        "being armed": then(LOST, "scans"),
        "armed": then(LOST, "scans"),
        "in a code": then(LOST, "scans"),
        "being disarmed": then(LOST, "scans"),
    },
    "wedge": {
        "not asked": then(WEDGE, "scans"),
        "armed": then(WEDGE, "scans"),
        "in a code": then(WEDGE, "scans"),
    },
    "camera": {
        "not asked": then(CAMERA, "scans"),
        "armed": then(CAMERA, "scans"),
        "code in sight": then(CAMERA, "scans"),
    },
    "escpos": {
        "idle": then(LOST, "next slip alone"),
        "asked for its state": then(LOST, "next slip alone"),
        "being tidied": then(LOST, "next slip alone"),
        "first bytes came": then(SLIP, "next slip alone"),
        "printing": then(SLIP, "next slip alone"),
        "last line printed": then(SLIP, "next slip alone"),
        "cut, asked again": then(SLIP, "next slip alone"),
    },
    "ipp": {
        "idle": (
            "DeviceAbsent; absent; never taken",
            "well; well; printed once",
            "DeviceRefused; DeviceRefused; never taken",
            "DeviceAbsent; absent; never taken",
        ),
        "document half sent": then(A4_UNKNOWN, "never taken"),
        "last byte sent": then(A4_UNKNOWN, "printed once"),
        "printing": then(A4_ASKED, "printed once"),
        "printed": then(A4_ASKED, "printed once"),
    },
    "zvt": {
        "idle": then(LOST, "not_taken, 0 fen"),
        "wants card": then(UNKNOWN, "held, 0 fen"),
        "wants pin": then(UNKNOWN, "held, 0 fen"),
        "asks bank": then(UNKNOWN, "held, 0 fen"),
        "holding": then(LOST, "held, 0 fen"),
        "completing": then(UNKNOWN, "taken, 1250 fen"),
        "releasing": then(UNKNOWN, "reversed, 0 fen"),
    },
    "mispos": {
        "idle": then(LOST, "not_taken, 0 fen"),
        "wants card": then(UNKNOWN, "not_taken, 0 fen"),
        "asks bank": then(UNKNOWN, "taken, 1250 fen"),
        "answering": then(UNKNOWN, "taken, 1250 fen"),
        "voiding": then(UNKNOWN, "reversed, 0 fen"),
    },
    "unionpay": {
        "idle": then(LOST, "not_taken, 0 fen"),
        "wants card": then(UNKNOWN, "not_taken, 0 fen"),
        "asks bank": then(UNKNOWN, "taken, 1250 fen"),
        "answering": then(UNKNOWN, "taken, 1250 fen"),
        "voiding": then(UNKNOWN, "reversed, 0 fen"),
    },
    "cashbox": {
        "idle": then(LOST, "0 believed, 0 in the box"),
        "accepting": then(LOST, "0 believed, 0 in the box"),
        "in escrow": then(UNKNOWN, "0 believed, 0 in the box"),
        "stacking": then(UNKNOWN, "1000 believed, 1000 in the box"),
        "returning": then(UNKNOWN, "0 believed, 0 in the box"),
    },
    "idcard_pcsc": {
        "waiting for a card": then(slots.LOST, "reads"),
        "finding a card": then(slots.LOST, "reads"),
        "reading it": then(slots.LOST, "reads"),
    },
    "socialcard": {
        "waiting for a card": then(slots.LOST, "reads"),
        "seeing a card": then(slots.LOST, "reads"),
        "choosing the application": then(slots.LOST, "reads"),
        "choosing a file": then(slots.LOST, "reads"),
        "fetching what was announced": then(slots.LOST, "reads"),
        "reading a record": then(slots.LOST, "reads"),
    },
}
"""Driver → state → the cells, in the order of COLUMNS."""

Cell = tuple[str, str, str]
CELLS: list[Cell] = [
    (driver, state, c) for driver in TABLE for state in TABLE[driver] for c in COLUMNS
]


@pytest.fixture(scope="module")
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Cell, Future[str]]]:
    """The chosen cells, begun all at once."""
    chosen: list[Cell] = [
        cast(Cell, item.callspec.params["cell"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and hasattr(item, "callspec")
        and "cell" in item.callspec.params
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {cell: pool.submit(_live, cell, tmp_path_factory.mktemp("cell")) for cell in chosen}


def _live(cell: Cell, folder: Path) -> str:
    driver, state, column = cell
    if driver in slots.KINDS:
        return slots.live(driver, state, column)
    kind = KINDS[driver]
    with ExitStack() as stack:
        return Bench(kind, kind.states[state], Sockets(folder, stack, kind)).run(column)


@pytest.mark.parametrize("cell", CELLS, ids=" - ".join)
def test_a_moved_cable_is_told_and_the_device_looked_at_before_it_is_used(
    cell: Cell, run: dict[Cell, Future[str]]
) -> None:
    driver, state, column = cell
    assert run[cell].result() == TABLE[driver][state][COLUMNS.index(column)]
