"""The schema, as numbered steps that only go forward; each runs in one transaction.

A released step is never edited: the next change is a new step. No step drops or rewrites records
it cannot carry over. Times are milliseconds since 1970 by the wall clock.
"""

from __future__ import annotations

INSERT_NAME = "insert into names (name, room, n, seq) values (?, ?, ?, ?)"
INSERT_MOVE = (
    "insert into names (name, room, n, at, state, evidence) values (?, 'move', ?, ?, ?, ?)"
)
"""Only the columns each has: for a None that it binds, sqlite3 looks for an adapter, in vain."""

FIRST = (
    # Small facts by name: counters, floors, identifiers. One page.
    "create table settings (name text primary key, value) without rowid",
    # A person's data key, wrapped by the master key. Deleting the row erases the person.
    "create table person_keys (person text primary key, wrapped blob not null) without rowid",
    # Whatever is looked up by name stands in one tree: a payment's moves, its records' keys and
    # its audit entries share a prefix and so a page. A commit costs about 8 µs a page it
    # touches, as measured on a virtual disk; with a tree for each it took half as long again.
    #   room 'move': what happened to payment `name`; rows are only ever added, never changed
    #   room 'outbox': the key of record seq; n is 0, so a key cannot be there twice
    #   room 'audit': event seq = n names it
    """create table names (
        name text not null, room text not null, n integer not null, seq integer,
        at integer, state text, evidence blob, primary key (name, room, n)
    ) without rowid""",
    # What is to be paid: written once. The state is that of the last move.
    """create table payments (
        reference text primary key, kind text not null, amount_fen integer not null,
        person text, subject blob not null, opened_at integer not null
    ) without rowid""",
    # Those not final: a handful, so always on one page.
    "create table open_payments (reference text primary key references payments) without rowid",
    # seq is dense. All after the setting outbox_front wait; up to it, those in outbox_left do:
    # so a new record touches no index of waiting ones, and the depth is a subtraction.
    """create table outbox (
        seq integer primary key, key text not null, kind text not null, person text,
        body blob, at integer not null, state text not null default 'waiting',
        reason text, answered_at integer, accusations integer not null default 0
    )""",
    "create table outbox_left (seq integer primary key references outbox)",
    "create index outbox_refused on outbox (seq) where state = 'refused'",
    # The audit chain: payload is exactly what was hashed.
    "create table audit (seq integer primary key, payload blob not null, hash blob not null)",
    "create table audit_heads (seq integer primary key, hash blob not null, at integer not null, "
    "signature blob not null)",
    """create table leased_numbers (
        lease text not null, number text not null, pool text not null, deadline integer not null,
        body blob not null, state text not null, taken_for text,
        primary key (lease, number)
    ) without rowid""",
    "create index leased_free on leased_numbers (pool, deadline, number) where state = 'free'",
    """create table documents (
        name text primary key, person text, body blob not null, expires_at integer not null
    ) without rowid""",
    """create table pins (
        who text primary key, salt blob not null, hash blob not null, failures integer not null,
        wait_ms integer not null, wait_boot text not null, wait_from integer not null
    ) without rowid""",
    """create table waiting_list (
        entry text primary key, person text, body blob not null, since integer not null
    ) without rowid""",
)

FACTS = "json_each(case when json_valid(cast(payload as text)) then cast(payload as text) end)"

PERSONS_IN_FRONT = (
    # Sessions and persons move to the front of the index (catalogue.INDEX_FRONT). An entry is
    # only taken away where no other field of the event has that value too.
    f"""insert or ignore into names (name, room, n, seq)
        select '!' || fact.value, 'audit', audit.seq, audit.seq from audit, {FACTS} as fact
        where fact.key in ('session', 'person', 'for_person')""",
    f"""delete from names where room = 'audit' and substr(name, 1, 1) <> '!' and exists (
            select 1 from audit where audit.seq = names.n
        ) and not exists (
            select 1 from audit, {FACTS} as fact where audit.seq = names.n
            and fact.value = names.name and fact.key in ('reference', 'slip'))""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, PERSONS_IN_FRONT)
"""MIGRATIONS[n] takes a store from schema n to n + 1; `pragma user_version` holds the number."""
