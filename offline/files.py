"""Small files that must be whole or absent: temporary file, sync, rename, sync of the folder."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

from offline.errors import KeyMismatch

SECRET_BYTES = 32

OWNER_WORDS = "it must belong to the terminal's user, mode 0600"
RESTORE_WORDS = "put this terminal's own key file back (from its sealed export), never another's"

DESTROY_BLOCK_BYTES = 1024 * 1024


def write_durably(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put data at path; after a power cut either the old or the new content is there."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
    sync_folder(path.parent)


def secret_file(
    path: Path, header: bytes, *, random_bytes: Callable[[int], bytes], create: bool
) -> bytes:
    """The 32 secret bytes in path; made (0600) if it is missing and `create`. KeyMismatch."""
    if not path.exists():
        if not create:
            raise KeyMismatch(f"{path}: the key file is missing; {RESTORE_WORDS}")
        write_durably(path, header + b64encode(random_bytes(SECRET_BYTES)) + b"\n")
    try:
        others = os.stat(path).st_mode & 0o077
        content = b"" if others else path.read_bytes()
    except OSError as error:
        raise KeyMismatch(f"{path}: cannot be read: {error.strerror}; {OWNER_WORDS}") from None
    if others:
        raise KeyMismatch(f"{path}: the key file may be read by others; {OWNER_WORDS}")
    if not content.startswith(header):
        raise KeyMismatch(f"{path}: this is not the key file expected here; {RESTORE_WORDS}")
    try:
        secret = b64decode(content[len(header) :].strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise KeyMismatch(f"{path}: the key file is damaged; {RESTORE_WORDS}")
    return secret


def destroy(path: Path) -> None:
    """Overwrite a file, then remove it: whoever finds its blocks finds zeros. Absent: nothing."""
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    try:
        left = os.fstat(descriptor).st_size
        while left > 0:
            left -= os.write(descriptor, bytes(min(left, DESTROY_BLOCK_BYTES)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals inside folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
