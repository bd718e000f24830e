"""What staff do about the records: `kiosk outbox`, `gate`, `erase`, `compared`, `cash-count`.

They ask a running core; when none runs, they open its store themselves and let go of it again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from kiosk.profile import Profile

PROFILE = Path("/etc/kiosk/profile.toml")
ProfilePath = Annotated[Path, typer.Option("--profile", help="The terminal's profile (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Role = Annotated[str, typer.Argument(help="Whose PIN you will type: technician, finance, …")]

outbox = typer.Typer(no_args_is_help=True, help="What waits for the gateway, or was refused.")
SHUT = 1


def _fail(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


def _profile(path: Path) -> Profile:
    from kiosk.profile import ProfileError, read_profile

    try:
        return read_profile(path)
    except ProfileError as error:
        raise _fail(str(error)) from None


def ask(profile: Path, what: str, **arguments: Any) -> dict[str, Any]:
    """The answer of a running core, or of its store; ends with one sentence when there is none."""
    from kiosk.link import SOCKET_NAME, LinkClient, LinkLost

    found = _profile(profile)
    try:
        client = LinkClient(Path(found.terminal.folder) / SOCKET_NAME, "cli")
    except LinkLost:
        said = _ask_store(found, what, arguments)
    else:
        try:
            said = client.ask(what, **arguments)
        except LinkLost as error:
            raise _fail(str(error)) from None
        finally:
            client.close()
    if "error" in said:
        raise _fail(str(said["error"]))
    return said


def _ask_store(profile: Profile, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from kiosk.app import open_terminal_records
    from kiosk.clock import TerminalClock
    from kiosk.questions import answer
    from offline.errors import StoreError

    folder = Path(profile.terminal.folder)
    if not (folder / "kiosk.db").exists():
        raise _fail(f"{folder}: core does not run, and there is no store of it")
    if folder.stat().st_uid != os.geteuid():
        raise _fail(f"{folder}: core does not run; ask as its own user: sudo -u {folder.owner()} …")
    clock = TerminalClock(ZoneInfo(profile.hospital.time_zone))
    try:
        records = open_terminal_records(profile, clock)
    except StoreError as error:
        raise _fail(str(error)) from None
    try:
        said = answer(records, what, arguments)
        return {"error": f"core knows no {what}"} if said is None else said
    except StoreError as error:
        raise _fail(str(error)) from None
    finally:
        records.close()


def _pin_of(role: str) -> tuple[str, str]:
    return role, typer.prompt(f"PIN of {role}", hide_input=True)


# --- outbox --------------------------------------------------------------------------------------


@outbox.command("list")
def outbox_list(
    standing: Annotated[str, typer.Argument(help="refused, waiting or accepted.")] = "refused",
    profile: ProfilePath = PROFILE,
    as_json: AsJson = False,
) -> None:
    """The oldest records of one standing; no patient is named."""
    said = ask(profile, "outbox_list", standing=standing)
    if as_json:
        typer.echo(json.dumps(said))
        return
    depth = said["depth"]
    typer.echo(f"waiting {depth['waiting']}, refused {depth['refused']}")
    zone = ZoneInfo(_profile(profile).hospital.time_zone)
    for record in said["records"]:
        at = datetime.fromtimestamp(record["at"] / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(f"{at} {record['kind']:14} {record['key']} {record['reason']}".rstrip())


@outbox.command("show")
def outbox_show(key: str, profile: ProfilePath = PROFILE) -> None:
    """One record: where it stands, why, and its body's shape without a value of it."""
    for name, value in ask(profile, "outbox_show", key=key).items():
        typer.echo(f"{name}: {' '.join(value) if isinstance(value, list) else value}")


@outbox.command("retry")
def outbox_retry(key: str, role: Role, profile: ProfilePath = PROFILE) -> None:
    """Send a refused record again, as it is; who did is kept in the audit trail."""
    ask(profile, "outbox_retry", key=key, roles=[_pin_of(role)])
    typer.echo(f"{key} will be sent again")


@outbox.command("make-key")
def outbox_make_key(out: Path) -> None:
    """Make the hospital's key for sealed exports. It never lies on a terminal."""
    from kiosk.questions import EXPORT_KEY_BYTES
    from offline.files import write_durably

    write_durably(out, b64encode(secrets.token_bytes(EXPORT_KEY_BYTES)) + b"\n")


@outbox.command("import")
def outbox_import(
    export: Path,
    into: Annotated[Path, typer.Option(help="An empty folder: the terminal's next one.")],
    key_file: Annotated[Path, typer.Option(help="The hospital's key.")],
) -> None:
    """Unpack a sealed export, bit for bit; a core started on that folder sends what waits."""
    from offline.errors import StoreError
    from offline.gates import fingerprint, restore_export

    try:
        into.mkdir(mode=0o700, exist_ok=True)
        if any(into.iterdir()):
            raise _fail(f"{into}: is not empty; an export is never unpacked over a store")
        names = restore_export(
            export, b64decode(key_file.read_bytes().strip(), validate=True), into
        )
    except (OSError, ValueError, StoreError) as error:
        raise _fail(f"{export}: {error}") from None
    typer.echo(f"export {fingerprint(export)}: {', '.join(names)}")


# --- the gate, and persons -----------------------------------------------------------------------


def gate(
    purpose: Annotated[str, typer.Argument(help="update, reset, enrol or sign-out.")],
    *,
    override: Annotated[
        str, typer.Option(help="Two roles with a comma: go past a shut gate, after an export.")
    ] = "",
    key_file: Annotated[
        Path | None, typer.Option(help="The hospital's key, for --override.")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Where the sealed export goes.")] = None,
    profile: ProfilePath = PROFILE,
    as_json: AsJson = False,
) -> None:
    """Whether this terminal may be updated, wiped or parted from its gateway: exit code 0 or 1."""
    said = ask(profile, "gate", purpose=purpose)
    if not said["open"] and override:
        said = _overridden(profile, purpose, override.split(","), key_file, export)
    typer.echo(json.dumps(said) if as_json else _sentence(purpose, said))
    if not said["open"]:
        raise typer.Exit(SHUT)


def _sentence(purpose: str, said: dict[str, Any]) -> str:
    if "export" in said:
        return f"{purpose}: go ahead, everything is in {said['export']} ({said['fingerprint']})"
    if said["open"]:
        return f"{purpose}: go ahead, nothing would be lost"
    parts = [
        f"{said[name]} {words}"
        for name, words in (
            ("waiting", "records wait for the gateway"),
            ("refused", "records were refused (kiosk outbox list)"),
            ("open_payments", "payments have not ended (kiosk status)"),
        )
        if said[name]
    ]
    return f"{purpose}: NOT NOW, this would be lost: {', '.join(parts)}"


def _overridden(
    profile: Path, purpose: str, roles: list[str], key_file: Path | None, export: Path | None
) -> dict[str, Any]:
    from offline.gates import fingerprint

    if key_file is None or export is None:
        raise _fail("--override needs --key-file and --export: nothing is given up unsaved")
    try:
        key = key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _fail(f"{key_file}: cannot be read: {error}") from None
    pairs = [_pin_of(role) for role in roles]
    said = ask(profile, "gate_override", purpose=purpose, roles=pairs, key=key)
    try:
        shutil.copyfile(said["export"], export)
    except OSError as error:
        raise _fail(f"{export}: {error.strerror}; the export lies at {said['export']}") from None
    return {"open": True, "export": str(export), "fingerprint": fingerprint(export)}


def erase(role: Role, profile: ProfilePath = PROFILE) -> None:
    """Destroy a person's key: nothing sealed for them is read again, here, in a backup or in an
    export that lies here; exports that were carried away are named."""
    number = typer.prompt("ID number", hide_input=True, confirmation_prompt=True)
    said = ask(profile, "erase", number=number, roles=[_pin_of(role)])
    typer.echo("erased, and every older copy of the store with it")
    if said["exports"]:
        marks = ", ".join(said["exports"])
        typer.echo(f"exports that were carried away hold them still; destroy each copy of {marks}")
    if said["strange"]:
        names = ", ".join(said["strange"])
        typer.echo(f"exports of an earlier store lie here and were left: {names}")


def cash_count(
    role: Role,
    notes: Annotated[list[str], typer.Argument(help="How many of each note: 20=3 50=1 …")],
    profile: ProfilePath = PROFILE,
    as_json: AsJson = False,
) -> None:
    """The notes of an emptied cash box, counted by hand, against what the terminal has stacked."""
    found = dict(one.partition("=")[::2] for one in notes)
    said = ask(profile, "cash_count", notes=found, roles=[_pin_of(role)])
    if as_json:
        typer.echo(json.dumps(said))
        return
    for yuan, (expected, counted) in said["notes"].items():
        typer.echo(f"{yuan:>4} yuan: {counted} found, {expected} stacked")
    difference_fen = said["difference_fen"]
    verdict = f"DIFFERENCE {difference_fen / 100:+.2f} yuan" if difference_fen else "agrees"
    typer.echo(f"counted {said['counted_fen'] / 100:.2f} yuan: {verdict}")


def compared(role: Role, profile: ProfilePath = PROFILE) -> None:
    """After mending: the pad's own list holds no payment that this terminal does not know."""
    ask(profile, "compared", roles=[_pin_of(role)])
    typer.echo("payments may be begun again")
