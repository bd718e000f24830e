"""The kiosk-gateway command: serve, enrol terminals and staff, sign policies, show the ledgers."""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from uvicorn import Server

from gateway import app as http
from gateway import console, daily_file, fleet, migrations, policy, reconcile
from gateway.adapters.demo import controls
from gateway.adapters.demo import ledger as demo_ledger
from gateway.adapters.demo.hospital import DemoHospital
from gateway.adapters.demo.knobs import Knobs
from gateway.adapters.demo.provider import DemoProvider
from gateway.clock import Clock, started_at, system_clock
from gateway.policy import PolicyFile
from gateway.retention import keep_erasing
from gateway.sealing import Keys, load_or_make
from gateway.server import Tls, allow_connections, server
from gateway.service import Gateway
from gateway.store import Store, StoreAway
from kiosk import logs
from kiosk.logs import Log

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Url = Annotated[str, typer.Option(help="sqlite:///PATH or postgresql+psycopg://…")]
AFile = typer.Option(exists=True, dir_okay=False, readable=True)
Day = Annotated[
    datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The provider's business date.")
]
KeyFile = Annotated[
    Path | None, typer.Option(help="Sealing and signing keys; beside the SQLite file by default.")
]
_DEFAULT_URL = "sqlite:///gateway.db"
_GC_AFTER = (20_000, 20, 20)  # new objects; a batch makes some thousands and drops them itself


def main(arguments: list[str] | None = None) -> None:
    """What went wrong is a line for whoever typed the command."""
    try:
        app(arguments)
    except migrations.SchemaNewer as newer:
        sys.exit(f"kiosk-gateway: {newer}")
    except ArgumentError:
        sys.exit("kiosk-gateway: --url must be sqlite:///PATH or postgresql+psycopg://USER@HOST/DB")
    except StoreAway as away:
        cause = str(getattr(away.__cause__, "orig", "")).strip().partition("\n")[0]
        sys.exit(f"kiosk-gateway: the database cannot be used: {cause or 'no answer in time'}")


def open_store(url: str) -> Store:
    """The store with the gateway's tables in it, taken up from an older schema. SchemaNewer."""
    store = Store(url)
    migrations.bring_up(store)
    return store


def known_store(url: str) -> Store:
    """As open_store, but never a new database: a mistyped path must not look like an empty one."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite") and not Path(parsed.database or "").is_file():
        raise typer.BadParameter(f"there is no database {parsed.database}; give --url")
    return open_store(url)


def key_file(url: str, given: Path | None) -> Path:
    """Where the keys are. A PostgreSQL is shared, so its gateways must name the file they share."""
    if given is not None:
        return given
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        raise typer.BadParameter("--key-file is needed: all gateways of one database share it")
    return Path(parsed.database).with_suffix(".key")


@dataclass(frozen=True)
class DemoParts:
    """The demo hospital put together."""

    store: Store
    keys: Keys
    knobs: Knobs
    provider: DemoProvider
    gateway: Gateway


def demo_parts(
    store: Store, keys: Keys, clock: Clock, *, pay_page: str, rules: PolicyFile, log: Log
) -> DemoParts:
    """A gateway before the demo hospital, its day opened."""
    knobs = Knobs()
    hospital = DemoHospital(knobs, keys.sign, clock().tzinfo)
    store.create(*hospital.schemas())
    pause = threading.Event()  # never set: waits without ending early
    provider = DemoProvider(store, knobs, clock, lambda s: void(pause.wait(s)), pay_page)
    gateway = Gateway(store, keys, hospital, provider, policy=rules, clock=clock, log=log)
    gateway.open_day()
    return DemoParts(store, keys, knobs, provider, gateway)


def void(_value: object) -> None:
    """Drops a result that nobody needs."""


@app.command()
def serve(  # noqa: PLR0913  options of a command
    url: Url = _DEFAULT_URL,
    host: str = "127.0.0.1",
    port: int = 8440,
    adapter: Annotated[str, typer.Option(help="The hospital behind: demo.")] = "demo",
    key_file_path: Annotated[Path | None, typer.Option("--key-file")] = None,
    tls_cert: Annotated[Path | None, AFile] = None,
    tls_key: Annotated[Path | None, AFile] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Terminals show a certificate of this CA."),
    ] = None,
    plain: Annotated[bool, typer.Option(help="No TLS here: a proxy in front does it.")] = False,
    policy_file: Path | None = None,
    policy_key: Annotated[str, typer.Option(help="Base64 Ed25519 key of the policies.")] = "",
    keep_screenings_days: Annotated[
        int, typer.Option(min=14, max=30, help="Then bodies of screenings are erased.")
    ] = 14,
    demo_controls: Annotated[bool, typer.Option(help="Let hands turn the demo's knobs.")] = False,
    demo_now: Annotated[str, typer.Option(help="Start the demo's clock at this instant.")] = "",
) -> None:
    """Answer terminals until SIGTERM."""
    if adapter != "demo":
        raise typer.BadParameter(f"no adapter {adapter}; there is: demo")
    if demo_now and not demo_controls:
        raise typer.BadParameter("--demo-now is for --demo-controls only")
    tls = _tls(tls_cert, tls_key, client_ca)
    if tls is None and not plain and not _only_here(host):
        raise typer.BadParameter(
            f"tokens and patients' data would go in the clear to {host}: give --tls-cert and "
            "--tls-key, or --plain when a proxy on this network does TLS"
        )
    clock = _started(demo_now) if demo_now else system_clock
    keys = load_or_make(key_file(url, key_file_path))
    log = logs.start("gateway", clock, sys.stderr)
    scheme = "http" if tls is None else "https"
    page = f"{scheme}://{host}:{port}/demo/pay/" if demo_controls else "https://pay.demo.invalid/"
    rules = PolicyFile(policy_file, policy_key)
    store = open_store(url)
    parts = demo_parts(store, keys, clock, pay_page=page, rules=rules, log=log)
    application = demo_app(parts, with_controls=demo_controls)
    running = server(application, host, port, tls)
    allow_connections()
    log.info("serving", address=f"{host}:{port}", kind=adapter)
    ended = threading.Event()
    erasing = threading.Thread(
        target=lambda: keep_erasing(store, clock, keep_screenings_days, log=log, wait=ended.wait)
    )
    erasing.start()
    try:
        _run(running, f"{host}:{port}")
    finally:
        ended.set()
        erasing.join()
    parts.store.close()
    log.info("ended")


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """Never plain by a forgotten option."""
    if cert is not None and key is not None:
        return Tls(cert, key, client_ca)
    if cert is not None or key is not None or client_ca is not None:
        raise typer.BadParameter("--tls-cert and --tls-key belong together; --client-ca needs them")
    return None


def _only_here(host: str) -> bool:
    """Nobody but this machine can connect."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _started(instant: str) -> Clock:
    try:
        return started_at(datetime.fromisoformat(instant))
    except ValueError:
        raise typer.BadParameter("--demo-now is an instant like 2026-11-20T08:42") from None


def demo_app(parts: DemoParts, *, with_controls: bool) -> FastAPI:
    routers = [console.router(parts.store, parts.keys, parts.gateway.clock)]
    if with_controls:
        routers.append(controls.router(parts.store, parts.knobs, parts.provider))
    application = http.make(parts.gateway, *routers)
    if with_controls:
        pause = threading.Event()
        controls.misbehave(application, parts.knobs, lambda s: void(pause.wait(s)))
    return application


def _run(running: Server, address: str) -> None:
    """uvicorn ends at SIGTERM by itself, then raises the signal again; that one is dropped here."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    gc.collect()
    gc.freeze()  # what a program of this size never lets go is not looked at again and again
    gc.set_threshold(*_GC_AFTER)
    try:
        running.run()
    except SystemExit:
        if running.started:
            raise
        cause = "another program does, or this machine has no such address"
        sys.exit(f"kiosk-gateway: cannot listen on {address}: {cause}")


@app.command("add-terminal")
def add_terminal(
    name: str,
    url: Url = _DEFAULT_URL,
    token: Annotated[str, typer.Option()] = "",
    audit_key: Annotated[str, typer.Option(help="Base64; else the first one seen is pinned.")] = "",
) -> None:
    """Enrol a terminal and print its token; it is not shown again."""
    typer.echo(fleet.add_terminal(open_store(url), name, system_clock(), token, audit_key))


@app.command("revoke-terminal")
def revoke_terminal(name: str, url: Url = _DEFAULT_URL) -> None:
    """Refuse a terminal from now on."""
    if not fleet.revoke_terminal(known_store(url), name):
        typer.echo(f"no terminal {name}", err=True)
        raise typer.Exit(1)


@app.command("add-operator")
def add_operator(
    name: str, role: fleet.Role = fleet.Role.OPERATOR, url: Url = _DEFAULT_URL
) -> None:
    """Let a member of staff use /console; prints the token."""
    typer.echo(fleet.add_operator(open_store(url), name, role))


@app.command("remove-operator")
def remove_operator(name: str, url: Url = _DEFAULT_URL) -> None:
    """Let a member of staff no longer use /console: whoever leaves, whose token is lost."""
    if not fleet.remove_operator(known_store(url), name):
        typer.echo(f"no operator {name}", err=True)
        raise typer.Exit(1)


@app.command("make-policy-key")
def make_policy_key(out: Path) -> None:
    """Make a key for signing policies in a new file; prints the public part for --policy-key."""
    private = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise typer.BadParameter(f"{out} is there already: a key is never overwritten") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(private.private_bytes_raw()).decode() + "\n")
    typer.echo(base64.b64encode(private.public_key().public_bytes_raw()).decode())


@app.command("sign-policy")
def sign_policy(
    key: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Private key of make-policy-key.")
    ],
    valid_from: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])],
    valid_until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])],
    because: Annotated[str, typer.Option(help="Shown to people.")],
    name: str = "health_code",
) -> None:
    """Print a signed policy that turns health-code look-ups on between two days."""
    if valid_until < valid_from:
        raise typer.BadParameter("--valid-until lies before --valid-from: it would never be on")
    try:
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key.read_text()))
    except ValueError:
        raise typer.BadParameter(f"{key} is not a key of make-policy-key") from None
    rule = policy.Policy(name, valid_from.date(), valid_until.date(), because)
    typer.echo(policy.sign(rule, private).decode())


@app.command("provider-file")
def provider_file(day: Day, url: Url = _DEFAULT_URL) -> None:
    """The demo provider's daily file."""
    with known_store(url).reading() as connection:
        typer.echo(demo_ledger.daily_file(connection, day.date()), nl=False)


@app.command("take-file")
def take_file(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], url: Url = _DEFAULT_URL
) -> None:
    """Keep a provider's daily file for reconciliation; a spoilt one is not kept at all."""
    try:
        file = daily_file.read(path.read_bytes())
    except daily_file.FileSpoilt as spoilt:
        typer.echo(f"{path.name}: {spoilt}", err=True)
        raise typer.Exit(1) from None
    new = reconcile.take_file(known_store(url), file, system_clock())
    typer.echo(
        f"{file.channel} {file.day}: {len(file.rows)} rows{'' if new else ', known already'}"
    )


@app.command("reconcile")
def reconcile_day(
    day: Day,
    url: Url = _DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Match terminals, providers and the hospital for one day; differences and their owners."""
    store = known_store(url)
    hospital = DemoHospital(Knobs(), lambda _: "", system_clock().tzinfo)
    store.create(*hospital.schemas())
    outcome = reconcile.run(store, hospital, day.date(), system_clock())
    typer.echo(reconcile.as_json(outcome) if as_json else reconcile.as_text(outcome))


@app.command()
def ledger(
    url: Url = _DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The demo hospital's and its provider's own books."""
    books = controls.read_ledgers(known_store(url))
    if as_json:
        typer.echo(json.dumps(books, ensure_ascii=False))
        return
    for book, entries in books.items():
        typer.echo(f"{book}: {len(entries)}")
        for entry in entries:
            typer.echo("  " + " ".join(str(value) for value in entry.values() if value != ""))


if __name__ == "__main__":
    main()
