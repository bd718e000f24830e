"""What marks are called, and which of them a full run must have killed at."""

from __future__ import annotations

from collections.abc import Collection

STATES = ("SENT", "UNKNOWN", "DECLINED", "PAID", "BOOKING", "HIS_UNKNOWN", "HIS_REJECTED")
ENDS = ("REVERSING", "SETTLED", "REVERSED", "REFUND_DUE", "MANUAL")
OF_THE_PAD = ("connect", "attend", "ChargePad", "CompletePad", "ReleasePad", "RecallPad")
OF_THE_HOSPITAL = (
    *("hold-slot", "release-hold", "open-order", "pay-by-code", "query-charge"),
    *("close-order", "settle", "query-settlement", "reverse-charge"),
)
SENDING = ("send: before", "send: half", "send: after", "receive: before", "receive: after")
FILES = ("write wal", "sync wal", "write db", "sync db", "truncate db")

OF_ANY_START = ("file ", "sql ", "pad connect", "hospital departments")
"""What happens at every start, whether or not a payment is open."""


def is_of_money(label: str) -> bool:
    """A mark that a start without an open payment does not have."""
    return not label.startswith(OF_ANY_START) and "AskDepartments" not in label


def expected() -> set[str]:
    """Lines and files. Durable steps are named after all their states together."""
    lines = {f"pad {order} {when}" for order in OF_THE_PAD for when in SENDING}
    lines |= {f"hospital {name} {when}" for name in OF_THE_HOSPITAL for when in SENDING}
    return lines | {f"file {what}: {when}" for what in FILES for when in ("before", "after")}


def uncovered(seen: Collection[str], killed: Collection[str]) -> list[str]:
    """What some life passed, or every full run must pass, and nobody was killed at."""
    steps = [label for label in killed if label.startswith("durable ")]
    states = {
        f"durable {state}: {when}"
        for state in (*STATES, *ENDS)
        for when in ("before", "after")
        if not any(_is_step(label, state, when) for label in steps)
    }
    return sorted(({*seen} | expected()) - {*killed} | states)


def _is_step(label: str, state: str, when: str) -> bool:
    step, _, found = label.removeprefix("durable ").partition(": ")
    return found == when and state in step.split("+")
