"""What staff may ask of a terminal's records, and let be done to them; no answer names a patient.

Rule: looking is for whoever may open the socket; what changes anything needs a role's PIN, and
lands in the trail. The same answers come from a running core and from a store that lies still.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from kiosk.cash_count import count
from kiosk.keeping import PURPOSES
from kiosk.records import ROLES, StoreRecords
from offline.chain import Intact, Tampered
from offline.outbox import Record, Standing
from offline.pins import NoPin, PinRight, PinWait

EXPORT_KEY_BYTES = 32


def answer(records: StoreRecords, what: str, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, {"error": a sentence}, or None: this is no question about records."""
    match what:
        case "payment":
            return {"state": records.payment_state(str(asked.get("reference", "")))}
        case "audit_find":
            return {"events": found_events(records, str(asked.get("name", "")))}
        case "audit_verify":
            return verified(records.verify_audit())
        case "waiting":
            return {"keys": list(records.sending.waiting_keys())}
        case "outbox_list":
            return _listed(records, str(asked.get("standing", "")))
        case "outbox_show":
            return _shown(records, str(asked.get("key", "")))
        case "gate":
            return _gate(records, str(asked.get("purpose", "")))
        case "gate_override" | "outbox_retry" | "erase" | "compared" | "cash_count":
            return _by_staff(records, what, asked)
    return None


# --- looking -------------------------------------------------------------------------------------


def found_events(records: StoreRecords, name: str) -> list[dict[str, Any]]:
    """All that the audit trail knows of a slip's number, a reference or a session."""
    return [
        {"at": event.at_ms, "event": event.event, **dict(event.facts)}
        for event in records.find(name)
    ]


def verified(found: Intact | Tampered) -> dict[str, Any]:
    """What a walk along the audit trail found, for the command line."""
    match found:
        case Intact(events, unsigned):
            return {"intact": True, "events": events, "unsigned": unsigned}
        case Tampered(seq, what):
            return {"intact": False, "seq": seq, "what": what}


def _listed(records: StoreRecords, standing: str) -> dict[str, Any]:
    if standing not in set(Standing):
        return {"error": f"no record is {standing}; there are {', '.join(Standing)}"}
    listed = records.sending.records_of(Standing(standing))
    return {"records": [_line(record) for record in listed], "depth": vars(records.sending.depth())}


def _line(record: Record) -> dict[str, Any]:
    return {
        "seq": record.seq,
        "key": record.key,
        "kind": record.kind,
        "at": record.at_ms,
        "standing": record.standing.value,
        "reason": record.reason or "",
        "accusations": record.accusations,
    }


def _shown(records: StoreRecords, key: str) -> dict[str, Any]:
    """Of the body only its shape: field names and its length. The values may name a patient."""
    record = records.sending.record(key)
    if record is None:
        return {"error": f"there is no record {key}"}
    shape: dict[str, Any] = {"bytes": 0, "fields": []}
    if isinstance(record.body, bytes):
        shape = {"bytes": len(record.body), "fields": sorted(json.loads(record.body))}
    return {**_line(record), **shape}


def _gate(records: StoreRecords, purpose: str) -> dict[str, Any]:
    if purpose not in PURPOSES:
        return {"error": f"no gate for {purpose}; there are {', '.join(PURPOSES)}"}
    unsynced = records.keeping.gate(purpose)
    return {"open": unsynced is None, **(vars(unsynced) if unsynced else {})}


# --- what changes something ----------------------------------------------------------------------


def _pairs(roles: object) -> list[tuple[str, str]]:
    """Roles and the PINs that were typed for them; none, if that is not what was sent."""
    listed = roles if isinstance(roles, list | tuple) else ()
    pairs = [pair for pair in listed if isinstance(pair, list | tuple) and len(pair) == 2]
    return [(str(role), str(pin)) for role, pin in pairs] if len(pairs) == len(listed) else []


def _by_staff(records: StoreRecords, what: str, asked: dict[str, Any]) -> dict[str, Any]:
    pairs = _pairs(asked.get("roles"))
    if not pairs:
        return {"error": "this needs a role's PIN"}
    for role, pin in pairs:
        if wrong := _wrong(records, role, pin):
            return {"error": wrong}
    match what:
        case "gate_override":
            return _override(records, asked, [role for role, _ in pairs])
        case "outbox_retry":
            key = str(asked.get("key", ""))
            done = records.sending.retry(key, pairs[0][0])
            return {"retried": key} if done else {"error": f"{key} is not a refused record"}
        case "cash_count":
            return count(records, asked, pairs[0][0])
        case "erase":
            number = "".join(str(asked.get("number", "")).split())
            if not number:
                return {"error": "there is no ID number to erase"}
            if records.in_lane(number):
                return {"error": _NOT_ERASED["in_lane"]}
            gone = records.keeping.erase(number, pairs[0][0])
            if gone.why:
                return {"error": _NOT_ERASED[gone.why]}
            return {"erased": True, "exports": gone.exports, "strange": gone.strange}
    records.keeping.compared(pairs[0][0])
    return {"compared": True}


_NOT_ERASED = {
    "in_lane": "this person stands in the green channel's list: finish or take them off there; "
    "a list older than 12 hours is dropped when the channel is opened",
    "unsent": "records of this person are not with the gateway yet: wait, or look at the refused",
    "unsettled": "a payment of this person has not ended: it must be settled first",
    "store_mended": "the store was mended: compare it with the pad first (kiosk compared ROLE)",
}


def _wrong(records: StoreRecords, role: str, pin: str) -> str:
    """Why this PIN opens nothing; empty: it is right."""
    if role not in ROLES:
        return f"no role {role}; there are {', '.join(ROLES)}"
    match records.check_role(role, pin):
        case PinRight():
            return ""
        case NoPin():
            return f"{role} has no PIN here yet: kiosk pin {role}"
        case PinWait(wait_s):
            return f"too many wrong PINs of {role}: wait {int(wait_s) + 1} s"
    return f"the PIN of {role} is wrong"


def _override(records: StoreRecords, asked: dict[str, Any], roles: list[str]) -> dict[str, Any]:
    purpose = str(asked.get("purpose", ""))
    if purpose not in PURPOSES:
        return {"error": f"no gate for {purpose}; there are {', '.join(PURPOSES)}"}
    try:
        key = b64decode(str(asked.get("key", "")), validate=True)
    except ValueError:
        key = b""
    if len(key) != EXPORT_KEY_BYTES:
        return {"error": "the export's key is not 32 bytes in base64"}
    path = records.keeping.override(purpose, roles, key)
    if path is None:
        return {"error": "past a shut gate go two different roles, never one"}
    return {"export": str(path)}
