"""The `kiosk` command: core, ui, gateway and demo, and what technicians ask a running terminal."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk import outbox_cli
from kiosk.views import Language
from kiosk.words import known

PROFILE = Path("/etc/kiosk/profile.toml")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables: names and numbers
    help=__doc__,
)
audit = typer.Typer(no_args_is_help=True, help="The audit trail.")
app.add_typer(audit, name="audit")

ProfilePath = Annotated[Path, typer.Option("--profile", help="The terminal's profile (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def main() -> None:
    app()


def _fail(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


@contextmanager
def _importing() -> Iterator[None]:
    """No look for garbage while modules are made: there is none, and it costs a tenth of a start.

    What was made stays for good, so later looks pass it over too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@app.command()
def core(
    profile: ProfilePath = PROFILE,
    demo_ahead_s: Annotated[int, typer.Option(help="Clock set ahead; for a demo.")] = 0,
) -> None:
    """Engine, devices and records of this terminal, until SIGTERM."""
    with _importing():
        from kiosk.app import run_core
        from kiosk.profile import ProfileError
        from offline.errors import StoreError

    try:
        run_core(profile, timedelta(seconds=demo_ahead_s))
    except (ProfileError, StoreError) as error:
        raise _fail(str(error)) from None


@app.command()
def ui(
    profile: ProfilePath = PROFILE,
    hands: Annotated[str, typer.Option(help="A socket for a demo's finger.")] = "",
    scale: Annotated[float, typer.Option(help="Of 1080 × 1920, for a demo's window.")] = 1.0,
    dev: Annotated[bool, typer.Option(help="Mouse pointer and window frame.")] = False,
) -> None:
    """The screen. Draws what core says; holds nothing."""
    from kiosk.link import SOCKET_NAME
    from kiosk.profile import ProfileError, read_profile

    try:
        folder = Path(read_profile(profile).terminal.folder)
    except ProfileError as error:
        raise _fail(str(error)) from None
    sys.argv = sys.argv[:1]  # Kivy reads arguments of its own
    from ui.app import run

    size = (round(1080 * scale), round(1920 * scale))
    run(folder / SOCKET_NAME, hands or None, size=size, position=(0, 0) if dev else None, dev=dev)


@app.command(hidden=True)
def bench(
    socket_path: Annotated[Path, typer.Option("--socket", help="Where the demo listens.")],
    left: Annotated[int, typer.Option(help="The window's left edge.")] = 560,
) -> None:
    """The demo's bench, beside the terminal's window."""
    sys.argv = sys.argv[:1]
    from ui.bench.app import run

    run(socket_path, (960, 960), (left, 0))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def gateway(context: typer.Context) -> None:
    """The hospital's front-end machine: the same as `kiosk-gateway serve`."""
    from gateway.cli import main as gateway_main

    gateway_main(["serve", *context.args])


@app.command()
def emulate(
    name: Annotated[str, typer.Argument(help="Which device; none with --list.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Every emulator there is.")] = False,
    pty: Annotated[bool, typer.Option("--pty", help="On a pseudo-terminal.")] = False,
    tcp: Annotated[int | None, typer.Option(help="On this port of 127.0.0.1; 0: any.")] = None,
    model: Annotated[str, typer.Option(help="Which model of the device.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Its paper, ledger, port.")] = None,
    paced: Annotated[bool, typer.Option("--paced", help="At the line's real speed.")] = False,
    misbehave: Annotated[str, typer.Option(help="From the start; `help` names the words.")] = "",
) -> None:
    """One emulated device on a real port, whose name is the first line printed.

    Standard input takes what hands would do, a line each; `help` lists the words. Ends on SIGTERM.
    """
    from time import monotonic

    from drivers.emulate.program import Asked, CannotEmulate, listing, run_until_signal

    if listed:
        typer.echo("\n".join(listing()))
        return
    if pty and tcp is not None:
        raise _fail("one port, please: --pty or --tcp")
    asked = Asked(
        name,
        "pty" if pty else "tcp" if tcp is not None else None,
        tcp or 0,
        model=model,
        folder=folder,
        paced=paced,
        misbehave=misbehave,
    )
    try:
        run_until_signal(asked, monotonic, sys.stdin.buffer, sys.stdout)
    except CannotEmulate as error:
        raise _fail(str(error)) from None
    except OSError as error:
        raise _fail(f"the port cannot be made: {error.strerror}") from None


@app.command()
def demo(
    tour: Annotated[
        Path | None, typer.Option(help="Walk the journeys, write all of it here.")
    ] = None,
    gateway_down: Annotated[bool, typer.Option(help="Walk them with the gateway stopped.")] = False,
    only: Annotated[str, typer.Option(help="Only these journeys, with commas.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Keep the demo's files here.")] = None,
    pad: Annotated[str, typer.Option(help="zvt, tcp (zvt), mispos or unionpay.")] = "zvt",
    scale: Annotated[float, typer.Option(help="Of the terminal's window on your display.")] = 0.5,
) -> None:
    """Everything on one machine, with emulated devices on real ports."""
    from kiosk.demo import PADS, run_demo

    if pad not in PADS:
        raise _fail(f"no pad of kind {pad}: one of {', '.join(PADS)}")
    names = tuple(name for name in only.split(",") if name)
    raise typer.Exit(run_demo(tour, gateway_down, names, folder, pad=pad, scale=scale))


@app.command()
def pin(
    number: Annotated[str, typer.Argument(metavar="NUMBER|ROLE")], profile: ProfilePath = PROFILE
) -> None:
    """Give volunteer NUMBER (two digits, of the profile), or a role of staff, a PIN.

    The terminal must be stopped.
    """
    from zoneinfo import ZoneInfo

    from kiosk.app import open_terminal_records
    from kiosk.clock import TerminalClock
    from kiosk.profile import ProfileError, read_profile
    from kiosk.records import ROLES
    from offline.errors import StoreError

    try:
        found = read_profile(profile)
        digits = 6 if number in ROLES else 4
        if number not in {*ROLES, *(one.number for one in found.volunteers)}:
            raise _fail(f"the profile has no volunteer {number}")
        entered = typer.prompt(f"PIN ({digits} digits)", hide_input=True, confirmation_prompt=True)
        if not (entered.isdecimal() and len(entered) == digits):
            raise _fail(f"a PIN has {digits} digits")
        records = open_terminal_records(found, TerminalClock(ZoneInfo(found.hospital.time_zone)))
    except (ProfileError, StoreError) as error:
        raise _fail(str(error)) from None
    records.set_pin(number, entered)
    records.close()


@app.command()
def check(profile: ProfilePath = PROFILE) -> None:
    """Say whether a profile can be used, and else which line and field is wrong."""
    from kiosk.profile import ProfileError, read_profile

    try:
        found = read_profile(profile)
    except ProfileError as error:
        raise _fail(str(error)) from None
    typer.echo(f"{profile.name}: version {found.version} is good")


def _ask(profile: Path, what: str, **arguments: Any) -> dict[str, Any]:
    with _importing():
        from kiosk.link import SOCKET_NAME, LinkClient, LinkLost
        from kiosk.profile import ProfileError, read_profile

    try:
        client = LinkClient(Path(read_profile(profile).terminal.folder) / SOCKET_NAME, "cli")
        answer = client.ask(what, **arguments)
    except (ProfileError, LinkLost) as error:
        raise _fail(str(error)) from None
    client.close()
    return answer


@app.command()
def status(profile: ProfilePath = PROFILE, as_json: AsJson = False) -> None:
    """What the running terminal does, what works, what waits."""
    answer = _ask(profile, "status")
    if as_json:
        typer.echo(json.dumps(answer))
        return
    broken = [part for part, well in answer["works"].items() if not well]
    typer.echo(f"page {answer['page']}, waiting records {answer['queued']}")
    typer.echo(f"does not work: {', '.join(broken) or 'nothing'}")
    if "numbers" in answer:
        typer.echo(f"leased numbers at hand: {answer['numbers']}")
    typer.echo(f"open payments: {', '.join(answer['open_payments']) or 'none'}")
    for line in store_lines(answer):
        typer.echo(line)


def store_lines(answer: dict[str, Any]) -> Iterator[str]:
    """What a technician must know of payments and the store; silent when all is well."""
    if doubtful := answer.get("in_doubt"):
        yield f"IN DOUBT for more than 5 minutes: {', '.join(doubtful)}; finance has been told"
    store = answer.get("store", {})
    if off := store.get("payments_off"):
        yield f"PAYMENTS OFF: {off}; {PAYMENTS_OFF_WORDS.get(off, 'see the log')}"
    if mended := store.get("mended"):
        yield f"the store was damaged and has been mended; the damaged one is kept: {mended}"


PAYMENTS_OFF_WORDS = {
    "store_broken": "the disk failed at a write; core ends and opens the store again",
    "store_unchecked": "the store is being checked, a moment",
    "store_mended": "waits for the pad; if it is well, compare its list, then kiosk compared ROLE",
    "disk_nearly_full": "make room on the disk; payments come back by themselves",
    "ballast_used": "make room on the disk; payments come back by themselves",
    "disk_full": "make room on the disk; payments come back by themselves",
    "wal_too_big": "the store's log is not being emptied: restart core, look at the disk",
}


devices = typer.Typer(invoke_without_command=True, help="The terminal's devices.")
app.add_typer(devices, name="devices")


@devices.callback()
def devices_listed(
    context: typer.Context, profile: ProfilePath = PROFILE, as_json: AsJson = False
) -> None:
    """Each device: kind, port, state and since when, its last word, and its faults by kind."""
    if context.invoked_subcommand is not None:
        return
    answer = _ask(profile, "devices")
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for part, state in answer.items():
        typer.echo(_device_line(part, state))


def _device_line(part: str, state: dict[str, Any]) -> str:
    heard = (
        "never answered" if state["answered_s"] is None else f"heard {state['answered_s']} s ago"
    )
    tries = f" ({state['tries']} tries) {state['fault']}" if state["state"] == "away" else ""
    standing = f"{state['state'].upper() if tries else state['state']}{tries}"
    faults = " ".join(f"{kind}={count}" for kind, count in sorted(state["faults"].items()))
    recorded = ["is recorded"] if state["recording"] else []
    since = f"since {state['since']}"
    about = f"{part:16} {state['kind']:9} {state['port'] or 'no port':20} {standing}"
    needs = [_needs(state)] if state.get("needs") else []
    told = [about, *needs, since, heard, f"faults: {faults or 'none'}", *recorded]
    named = [f"name {state['name']}"] if state["name"] not in ("", state["port"]) else []
    return ", ".join([*told, *named, *_others_alike(state)])


def _others_alike(state: dict[str, Any]) -> Iterator[str]:
    """Two devices of one kind: which is ours, or that nobody can know."""
    if not state["alike"]:
        return
    others = ", ".join(state["alike"])
    if state["told_apart"]:
        yield f"ANOTHER ANSWERS ALIKE at {others}: it is not used"
    else:
        yield f"ANOTHER ANSWERS ALIKE at {others} and CANNOT BE TOLD APART: name the port"


def _needs(state: dict[str, Any]) -> str:
    """What a hand must do there, in the technician's language, and the device's own words."""
    language: Language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    said = known(language, f"needs.{state['needs']}", "needs.unknown")
    return f"NEEDS {said} ({state['needs_words']})"


def _key_in(key_file: Path) -> str:
    try:
        return key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _fail(f"{key_file}: cannot be read: {error}") from None


@devices.command("record")
def devices_record(
    name: Annotated[str, typer.Argument(help="A device, as `kiosk devices` names it.")],
    by: Annotated[str, typer.Option(help="Your badge, for the audit trail.")],
    minutes: Annotated[int, typer.Option(min=1, max=60, help="It ends by itself then.")] = 5,
    key_file: Annotated[
        Path | None,
        typer.Option(help="The hospital's key: every byte is kept, sealed (outbox make-key)."),
    ] = None,
    profile: ProfilePath = PROFILE,
) -> None:
    """Write down what travels on a device's cable, for some minutes.

    Personal data is left out; with --key-file it is there, and only that key opens the file.
    """
    sealed = {"key": _key_in(key_file)} if key_file is not None else {}
    answer = _ask(profile, "record", device=name, minutes=minutes, who=by, **sealed)
    if "error" in answer:
        raise _fail(answer["error"])
    typer.echo(answer["file"])


@audit.command("find")
def audit_find(name: str, profile: ProfilePath = PROFILE, as_json: AsJson = False) -> None:
    """All that is known about a slip's number, a payment's reference or a session."""
    from zoneinfo import ZoneInfo

    from kiosk.profile import read_profile

    events = _ask(profile, "audit_find", name=name)["events"]
    if as_json:
        typer.echo(json.dumps(events))
        return
    if not events:
        raise _fail(f"nothing is known about {name}")
    zone = ZoneInfo(read_profile(profile).hospital.time_zone)  # as it stands on the slip
    for event in events:
        at = datetime.fromtimestamp(event.pop("at") / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
        facts = " ".join(f"{key}={value}" for key, value in event.items() if key != "event")
        typer.echo(f"{at} {event['event']} {facts}")


@audit.command("verify")
def audit_verify(profile: ProfilePath = PROFILE, as_json: AsJson = False) -> None:
    """Walk the whole audit trail; exit code 1, and the place, when something does not fit."""
    answer = _ask(profile, "audit_verify")
    if as_json:
        typer.echo(json.dumps(answer))
    elif answer["intact"]:
        typer.echo(f"intact: {answer['events']} events, {answer['unsigned']} since the last head")
    else:
        typer.echo(f"TAMPERED at event {answer['seq']}: {answer['what']}")
    if not answer["intact"]:
        raise typer.Exit(1)


app.add_typer(outbox_cli.outbox, name="outbox")
for _command in (outbox_cli.gate, outbox_cli.erase, outbox_cli.compared, outbox_cli.cash_count):
    app.command()(_command)
