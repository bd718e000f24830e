"""The demo's world: devices on their ports, the gateway, core and the screen as processes."""

from __future__ import annotations

import html
import json
import os
import re
import socket
import subprocess
import threading
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from drivers.scanner.models import NEWLAND
from gateway.store import Store
from gateway.tables import records, screenings
from kiosk.app import open_terminal_records
from kiosk.clock import TerminalClock
from kiosk.demo.devices import DemoDevices
from kiosk.demo.processes import Program, python
from kiosk.link import SOCKET_NAME
from kiosk.profile import read_profile

ZONE = ZoneInfo("Asia/Shanghai")
VOLUNTEER, PIN = "01", "2580"
START_S = 30.0
OPENS_AT = (8, 42)
"""The demo's morning: appointments of today are still to come, whatever the hour really is."""


class NotUp(Exception):
    """A part of the demo did not start; the text names it and its log."""


def _window(scale: float | None) -> tuple[str, ...]:
    """On somebody's display: a frame, a mouse pointer, and small enough to leave room."""
    return ("--dev", "--scale", str(scale)) if scale is not None else ()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@dataclass(frozen=True)
class Arrived:
    """Keys of the records that were accepted, and effects that happened more than once."""

    keys: frozenset[str]
    duplicates: int


class DemoWorld:
    """Everything that a terminal has around it. start(), then hands; stop() ends all of it."""

    def __init__(
        self,
        folder: Path,
        pad_kind: str = "zvt",
        display_scale: float | None = None,
        charge_s: int = 120,
    ) -> None:
        self.folder = folder
        self._charge_s = charge_s
        self._never = threading.Event()
        self.now = datetime.now(ZONE).replace(
            hour=OPENS_AT[0], minute=OPENS_AT[1], second=0, microsecond=0
        )
        self.clock = TerminalClock(ZONE, self.now - datetime.now(ZONE))
        self.terminal = folder / "terminal"
        self.hands_path = self.terminal / "hands.sock"
        self.socket_path = self.terminal / SOCKET_NAME
        self.gateway_port = free_port()
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self._database = f"sqlite:///{folder / 'gateway.db'}"
        for path in (folder, self.terminal):
            path.mkdir(parents=True, exist_ok=True)
        self.devices = DemoDevices(
            folder / "devices", self.clock.monotonic_s, self.local_now, pad_kind
        )
        self.gateway = self._program("gateway", self._gateway_command())
        profile = str(self.profile_path)
        ahead = str(int(self.clock.ahead.total_seconds()))
        begins = ("--demo-ahead-s", ahead)
        core = python("kiosk", "core", "--profile", profile, *begins)
        self.core = self._program("core", core, self.devices.slot.environment)
        hands = ("--hands", str(self.hands_path))
        ui_env = {"KIVY_NO_ARGS": "1", "KIVY_HOME": str(folder / "kivy")}
        if display_scale is None:
            ui_env |= {"SDL_VIDEODRIVER": "offscreen", "SDL_AUDIODRIVER": "dummy"}
        ui = python("kiosk", "ui", "--profile", profile, *hands, *_window(display_scale))
        self.ui = self._program("ui", ui, ui_env)
        self.bench_path = self.terminal / "bench.sock"
        self.bench: Program | None = None
        if display_scale is not None:
            left = ("--left", str(round(1080 * display_scale) + 20))
            command = python("kiosk", "bench", "--socket", str(self.bench_path), *left)
            self.bench = self._program("bench", command, {"KIVY_NO_ARGS": "1"})

    @property
    def profile_path(self) -> Path:
        return self.folder / "profile.toml"

    def local_now(self) -> datetime:
        """The demo's local time without zone, as a pad's clock has it."""
        return self.clock.now().replace(tzinfo=None)

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Devices, gateway, core, screen; each is there before the next is started."""
        self.devices.start()
        self._write_profile()
        self._enrol()
        self.start_gateway()
        self.core.start()
        self._until(self.socket_path.exists, self.core)
        self.ui.start()
        self._until(self.hands_path.exists, self.ui)

    def stop(self) -> None:
        for program in (self.ui, self.core, self.gateway):
            program.stop()
        self.devices.stop()

    def start_gateway(self) -> None:
        self.gateway.start()
        self._until(self._gateway_answers, self.gateway)

    def stop_gateway(self) -> None:
        self.gateway.stop()

    def _program(
        self, name: str, command: tuple[str, ...], env: dict[str, str] | None = None
    ) -> Program:
        return Program(name, command, self.folder / f"{name}.log", env)

    def _gateway_command(self) -> tuple[str, ...]:
        return python(
            "gateway.cli",
            "serve",
            "--url",
            self._database,
            "--port",
            str(self.gateway_port),
            "--demo-controls",
            "--demo-now",
            self.now.isoformat(),
        )

    def _gateway_answers(self) -> bool:
        try:
            with urlopen(f"{self.gateway_url}/openapi.json", timeout=1):
                return True
        except OSError:
            return False

    def _until(self, there: Any, program: Program) -> None:
        until_s = monotonic() + START_S
        while not there():
            if monotonic() > until_s:
                raise NotUp(f"{program.name} did not start; see {program.name}.log")
            self.rest(0.05)

    def rest(self, seconds: float) -> None:
        self._never.wait(seconds)

    # --- set-up ----------------------------------------------------------------------------------

    def _write_profile(self) -> None:
        template = Path(__file__).with_name("profile.toml").read_text(encoding="utf-8")
        ports = self.devices.folder / "ports"
        facts = {
            "{folder}": str(self.terminal),
            "{gateway}": self.gateway_url,
            "{ports}": str(ports),
            "{scanner_baud}": str(NEWLAND.baud),
            "{card_slot}": self.devices.slot.profile_part,
            "{a4}": self.devices.tray.uri,
            "{pad}": f"{self.devices.pad_settings()}\ncharge_s = {self._charge_s}",
        }
        for name, fact in facts.items():
            template = template.replace(name, fact)
        self.profile_path.write_text(template, encoding="utf-8")

    def _enrol(self) -> None:
        """A token for the terminal, a PIN for the volunteer: both would be a technician's work."""
        command = python("gateway.cli", "add-terminal", "K03", "--url", self._database)
        token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        token_file = self.terminal / "token"
        token_file.touch(0o600)
        token_file.write_text(token)
        records = open_terminal_records(read_profile(self.profile_path), self.clock)
        records.set_pin(VOLUNTEER, PIN)
        records.close()

    # --- the phone in a hand, and the hospital's own books ----------------------------------------

    def pay_by_phone(self, reference: str) -> None:
        self.control("pay", {"reference": reference})

    def control(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """One of the gateway's demo controls."""
        request = Request(
            f"{self.gateway_url}/demo/{what}",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def answer_help(self, name: str) -> None:
        """Somebody on duty sees the newest call at the gateway's console and goes."""
        command = python("gateway.cli", "add-operator", name, "--url", self._database)
        token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        secret = b64encode(f"{name}:{token}".encode()).decode()
        known = {"authorization": f"Basic {secret}"}
        with urlopen(Request(f"{self.gateway_url}/console", headers=known), timeout=10) as answer:
            page = answer.read().decode()
        form = {field: _hidden(page, field) for field in ("key", "mark")} | {"coming": name}
        body = urlencode(form).encode()
        urlopen(Request(f"{self.gateway_url}/console/help", body, known), timeout=10).close()

    def ledgers(self) -> dict[str, Any]:
        """The hospital's and the provider's own books."""
        with urlopen(f"{self.gateway_url}/demo/ledger", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def arrived(self) -> Arrived:
        """What came of this terminal's records, by the gateway's rows and the hospital's book."""
        store = Store(self._database)
        with store.reading() as connection:
            kept = connection.execute(
                select(records.c.key, records.c.kind).where(records.c.state == "accepted")
            ).all()
            screened = connection.execute(select(func.count()).select_from(screenings)).scalar_one()
        store.close()
        checked_in = [
            entry["subject"]
            for entry in self.ledgers()["hospital"]
            if entry["kind"] == "checked_in"
        ]
        screening_keys = sum(kind == "screening" for _, kind in kept)
        twice = (screened - screening_keys) + (len(checked_in) - len(set(checked_in)))
        return Arrived(frozenset(key for key, _ in kept), max(0, twice))


def _hidden(page: str, field: str) -> str:
    """The value of the first hidden field of this name."""
    found = re.search(rf'name={field} value="([^"]*)"', page)
    if found is None:
        raise NotUp(f"the console has no {field}")
    return html.unescape(found.group(1))


def has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
