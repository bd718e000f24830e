"""What each kind of record does at the hospital, in the transaction that accepts the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select

from gateway.adapters.port import Hospital, Refused, Work
from gateway.operations import alarm
from gateway.sealing import Keys
from gateway.store import bulk_new
from gateway.tables import cash_counts, hand_overs, payment_states, screenings, to_us
from gateway.witness import witness
from kiosk.hospital import contract as c


@dataclass(frozen=True)
class Body:
    """One accepted record, its body read."""

    sequence: int
    kind: str
    body: Any


def apply(work: Work, keys: Keys, hospital: Hospital, bodies: Sequence[Body]) -> dict[int, str]:
    """Do all effects, in order; the sequences that the hospital refused, with its reason."""
    refusals: dict[int, str] = {}
    rows: dict[Table, list[dict[str, Any]]] = {}
    papers = _papers(work, keys, bodies)
    for one in bodies:
        match one.body:
            case c.ScreeningRecord() as body:
                row = _screening(work, one.sequence, body, _paper_hash(keys, body), papers)
                rows.setdefault(screenings, []).append(row)
            case c.HandOverRecord() as body:
                rows.setdefault(hand_overs, []).append(_hand_over(work, body))
            case c.PaymentRecord() as body:
                rows.setdefault(payment_states, []).append(_payment(work, one.sequence, body))
            case c.CashCountRecord() as body:
                rows.setdefault(cash_counts, []).append(_cash_count(work, one.sequence, body))
            case c.AuditHeadRecord() as body:
                if reason := witness(work, body):
                    refusals[one.sequence] = reason
            case _:
                if reason := _heeded(work, hospital, one.body):
                    refusals[one.sequence] = reason
    for table, new in rows.items():
        values = [tuple(row.values()) for row in new]
        bulk_new(work.connection, table, tuple(new[0]), values)
    return refusals


def _heeded(work: Work, hospital: Hospital, body: Any) -> str:
    """As _at_hospital; a refusal by the hospital is a reason, not a fault of the batch."""
    try:
        return _at_hospital(work, hospital, body)
    except Refused as refused:
        return refused.code


def _at_hospital(work: Work, hospital: Hospital, body: Any) -> str:
    """What the hospital itself must take in; why it does not, or empty."""
    match body:
        case c.CheckInRecord():
            return hospital.take_check_in(work, body)
        case c.PrintedRecord():
            return hospital.take_printed(work, body)
        case c.RegistrationRecord():
            return hospital.take_registration(work, body)
        case c.LeaseReturnedRecord():
            return hospital.take_lease_back(work, body)
    raise AssertionError(f"no effect for {type(body).__name__}")


def _papers(work: Work, keys: Keys, bodies: Sequence[Body]) -> set[str]:
    """Hashes of paper forms in this batch that have been counted before."""
    hashes = {
        _paper_hash(keys, one.body)
        for one in bodies
        if isinstance(one.body, c.ScreeningRecord) and one.body.paper_serial
    }
    if not hashes:
        return set()
    counted = select(screenings.c.paper_hash).where(screenings.c.paper_hash.in_(hashes))
    return set(work.connection.execute(counted).scalars())


def _paper_hash(keys: Keys, body: c.ScreeningRecord) -> str:
    return keys.digest(body.paper_serial.encode()) if body.paper_serial else ""


def _screening(
    work: Work, sequence: int, body: c.ScreeningRecord, paper_hash: str, counted: set[str]
) -> dict[str, Any]:
    row = {
        "terminal": work.terminal,
        "sequence": sequence,
        "day": body.at.astimezone(work.now.tzinfo).date().isoformat(),
        "at": to_us(body.at),
        "substitute": body.substitute[:20],
        "route": body.route[:40],
        "waited_s": body.waited_s,
        "paper_hash": paper_hash,
        "counted": paper_hash not in counted,
    }
    if paper_hash:
        counted.add(paper_hash)
    return row


def _hand_over(work: Work, body: c.HandOverRecord) -> dict[str, Any]:
    return {
        "slip": body.slip,
        "terminal": work.terminal,
        "person": body.person,
        "purpose": body.purpose[:60],
        "reference": body.reference,
        "amount_fen": body.amount_fen,
        "at": to_us(body.at),
    }


_ENDS = frozenset({"DECLINED", "SETTLED", "REVERSED", "REFUND_DUE", "REFUNDED", "MANUAL"})


def _payment(work: Work, sequence: int, body: c.PaymentRecord) -> dict[str, Any]:
    """Keep where it stands; one that is no end has been asked about for long, and staff see it."""
    if body.state not in _ENDS:
        alarm(work, "payment_in_doubt", body.reference)
    return {
        "terminal": work.terminal,
        "sequence": sequence,
        "reference": body.reference,
        "state": body.state,
        "amount_fen": body.amount_fen,
        "evidence": body.evidence,
        "at": to_us(body.at),
    }


def _cash_count(work: Work, sequence: int, body: c.CashCountRecord) -> dict[str, Any]:
    """Keep it; a box that holds more or less than was stacked is looked into by finance."""
    difference_fen = body.counted_fen - body.expected_fen
    if difference_fen:
        alarm(work, "cash_differs", f"{difference_fen / 100:+.2f}")
    return {
        "terminal": work.terminal,
        "sequence": sequence,
        "day": body.at.astimezone(work.now.tzinfo).date().isoformat(),
        "at": to_us(body.at),
        "who": body.who[:30],
        "expected_fen": body.expected_fen,
        "counted_fen": body.counted_fen,
        "notes": json.dumps([[n.note_fen, n.expected, n.counted] for n in body.notes]),
    }
