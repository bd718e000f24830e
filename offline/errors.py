"""Faults of the store: one small tree, so that the caller knows from the class what to do.

    StoreError
    ├── StoreBusy           another process holds the store: do not start
    ├── StoreUnsafe         this SQLite, or its settings, cannot keep our promises: do not start
    ├── StoreTooNew         written by a later version of this software: do not start
    ├── StoreCorrupt        the file is damaged: quarantine it, restore, payments off
    ├── KeyMismatch         the key file is missing, or belongs to another store
    ├── StoreFull           no room; nothing was written, the store goes on working
    └── StoreBroken         a write failed half way: payments off, end the process, open again

No message carries a value of a row. Wrong use (a transition that cannot be, a key twice) is an
AssertionError: a bug, and nothing of that transaction is written.
"""


class StoreError(Exception):
    """The store cannot do what it was asked; nothing else escapes from offline."""


class StoreBusy(StoreError):
    """Another process has the store open."""


class StoreUnsafe(StoreError):
    """The SQLite found here, or a setting it refused, would lose or corrupt records."""


class StoreTooNew(StoreError):
    """The file's schema is newer than this software."""


class StoreCorrupt(StoreError):
    """The file did not pass its check, or SQLite found it damaged while reading."""


class KeyMismatch(StoreError):
    """The key file is missing for an existing store, unreadable, or another store's."""


class StoreFull(StoreError):
    """The disk is full; the transaction was rolled back whole."""


class StoreBroken(StoreError):
    """An I/O error: what the disk holds is uncertain until the store is opened again."""
