"""Signed heads of the terminals' audit chains: kept, and held against the key seen first.

A terminal's key is pinned when it is enrolled or first heard of. Another key, or a head that the
pinned one did not sign, is alarmed and kept as it came: it is evidence, never a new pin.
"""

from __future__ import annotations

from sqlalchemy import select, update

from gateway.adapters.port import Work
from gateway.operations import alarm
from gateway.sealing import verified
from gateway.store import insert_new
from gateway.tables import audit_heads, audit_keys, from_us, terminals, to_us
from kiosk.hospital import contract as c


def named_key(work: Work, key: str, pinned: str) -> None:
    """The terminal said this is its audit key (base64); `pinned`: what is known, or empty."""
    if not key or key == pinned:
        return
    row = {"terminal": work.terminal, "audit_key": key[:44], "at": to_us(work.now)}
    new = insert_new(work.connection, audit_keys, [row]) == 1
    if pinned:
        if new:
            alarm(work, "audit_key_differs", f"{key[:8]}…, pinned {pinned[:8]}…")
        return
    pin(work, key)


def pin(work: Work, key: str) -> None:
    """Believe this key from now on; heads that came before it are judged as well."""
    work.connection.execute(
        update(terminals).where(terminals.c.name == work.terminal).values(audit_key=key[:44])
    )
    heads = select(audit_heads).where(audit_heads.c.terminal == work.terminal)
    for row in work.connection.execute(heads.order_by(audit_heads.c.sequence)).all():
        head = c.AuditHeadRecord(row.sequence, row.chain_hash, row.signature, from_us(row.at))
        if not _genuine(head, key):
            alarm(work, "audit_head_forged", f"head {row.sequence}")


def witness(work: Work, body: c.AuditHeadRecord) -> str:
    """Keep the head; why it is refused, or empty. What is refused stays with the records.

    Two different heads for one place in the chain: somebody rewrote it.
    """
    mine = terminals.c.name == work.terminal
    pinned = work.connection.execute(select(terminals.c.audit_key).where(mine)).scalar_one()
    if pinned and not _genuine(body, pinned):
        alarm(work, "audit_head_forged", f"head {body.sequence}")
        return "head_forged"
    row = {
        "terminal": work.terminal,
        "sequence": body.sequence,
        "chain_hash": body.chain_hash,
        "signature": body.signature,
        "at": to_us(body.at),
    }
    if insert_new(work.connection, audit_heads, [row]) == 1:
        return ""
    kept = work.connection.execute(
        select(audit_heads.c.chain_hash).where(
            audit_heads.c.terminal == work.terminal, audit_heads.c.sequence == body.sequence
        )
    ).scalar_one()
    if kept == body.chain_hash:
        return ""
    alarm(work, "audit_head_differs", f"head {body.sequence}")
    return "head_differs"


def _genuine(head: c.AuditHeadRecord, key: str) -> bool:
    try:
        return verified(key, head.signature, head.signed())
    except ValueError:  # the hash is none
        return False
