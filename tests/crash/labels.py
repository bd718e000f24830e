"""What marks are called, and which of them a full run must have killed at."""

from __future__ import annotations

from collections.abc import Collection

STATES = ("SENT", "UNKNOWN", "DECLINED", "PAID", "BOOKING", "HIS_UNKNOWN", "HIS_REJECTED")
ONE_PHASE = ("ChargePad", "ReleasePad", "RecallPad")
ENDS = ("REVERSING", "SETTLED", "REVERSED", "REFUND_DUE", "MANUAL")
NOTES = ("note to the box", "note kept", "note back")
OF_A_LINE = {
    "pad": ("connect", "attend", "ChargePad", "CompletePad", "ReleasePad", "RecallPad"),
    **dict.fromkeys(("pad mispos", "pad unionpay"), ("connect", *ONE_PHASE)),
    "cash": (
        "connect",
        "attend",
        "AcceptCash",
        "StackNote",
        "StopCash",
        "RecallCash",
    ),
}
"""Orders whose bytes go over the line of a device. Keeping is no word to a pad of one phase;
and a note that would be too much is refused by the box itself, so that ReturnNote is not ordered.
"""

OF_THE_HOSPITAL = (
    *("hold-slot", "release-hold", "open-order", "pay-by-code", "query-charge"),
    *("close-order", "settle", "query-settlement", "reverse-charge"),
)
SENDING = ("send: before", "send: half", "send: after", "receive: before", "receive: after")
FILES = ("write wal", "sync wal", "write db", "sync db", "truncate db")

OF_ANY_START = (
    *("file ", "sql ", "hospital departments"),
    *(f"{line} connect" for line in OF_A_LINE),
)
"""What happens at every start, whether or not a payment is open."""


def is_of_money(label: str) -> bool:
    """A mark that a start without an open payment does not have."""
    return not label.startswith(OF_ANY_START) and "AskDepartments" not in label


def expected() -> set[str]:
    """Lines and files. Durable steps are named after all their states together."""
    lines = {
        f"{line} {order} {when}"
        for line, orders in OF_A_LINE.items()
        for order in orders
        for when in SENDING
    }
    lines |= {f"hospital {name} {when}" for name in OF_THE_HOSPITAL for when in SENDING}
    return lines | {f"file {what}: {when}" for what in FILES for when in ("before", "after")}


def uncovered(seen: Collection[str], killed: Collection[str]) -> list[str]:
    """What some life passed, or every full run must pass, and nobody was killed at."""
    steps = [label for label in killed if label.startswith("durable ")]
    states = {
        f"durable {state}: {when}"
        for state in (*STATES, *ENDS, *NOTES)
        for when in ("before", "after")
        if not any(_is_step(label, state, when) for label in steps)
    }
    return sorted(({*seen} | expected()) - {*killed} | states)


def _is_step(label: str, state: str, when: str) -> bool:
    step, _, found = label.removeprefix("durable ").partition(": ")
    return found == when and state in step.split("+")
