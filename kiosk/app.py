"""Composition root of core: the only module that knows everything and hands it over.

Nothing decides here. A bug in any thread ends the process; systemd (in the demo: the demo) starts
it again, and the engine settles what was open by asking.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from drivers.finding.watch import CableWatch
from kiosk import logs
from kiosk.clock import TerminalClock, boot_id
from kiosk.devices.card_slot import CardSlotDevice
from kiosk.devices.cash_box import CashBoxDevice
from kiosk.devices.code_scanner import ScannerDevice
from kiosk.devices.id_reader import IdReaderDevice
from kiosk.devices.payment_pad import PadDevice
from kiosk.devices.receipt_printer import ReceiptPrinterDevice
from kiosk.devices.recordings import CannotRecord, Recordings
from kiosk.devices.report_printer import ReportPrinterDevice
from kiosk.domain.document import Slip
from kiosk.engine.cash import CashBox, told_up_to
from kiosk.engine.engine import Engine, Setting
from kiosk.engine.health import Health
from kiosk.engine.loop import Loop
from kiosk.engine.lost import Lost
from kiosk.engine.outside import Workers
from kiosk.engine.workers import DeviceWorker, HospitalPool, Sender, Stop, ask
from kiosk.flows import (
    attract,
    call_help,
    check_in,
    green_channel,
    hand_over,
    home,
    identify,
    inquire,
    pay,
    print_reports,
    proxy,
    register,
    register_lent,
    unlock,
)
from kiosk.flows.effects import KeepAudit, PrintSlip
from kiosk.flows.scene import Business, Rules
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.contract import (
    AskDayList,
    DayList,
    Hello,
    HelloReply,
    Outbox,
    OutboxReply,
    Record,
)
from kiosk.hospital.faults import HospitalError, HospitalUnreachable
from kiosk.hospital.lines import Lines
from kiosk.hospital.pace import Pace
from kiosk.lending import Lending
from kiosk.link import SOCKET_NAME, LinkServer
from kiosk.making import DeviceMaker
from kiosk.paper import Paper, write
from kiosk.policy import policy_in_force
from kiosk.ports import Device, DeviceStood, Part, PolicyStood
from kiosk.profile import Profile, ProfileError, read_profile
from kiosk.questions import answer
from kiosk.records import AT_ONCE, StaffMember, StoreRecords, open_records
from kiosk.upkeep import Keeper, Upkeep
from kiosk.views import Named
from offline.clock import Clock as StoreClock
from offline.errors import StoreFull
from offline.gates import write_export

DAY_LIST_EVERY_S = 600.0
"""Appointments made meanwhile elsewhere are at most this old when the line breaks."""

_FLOWS = (
    attract,
    call_help,
    check_in,
    green_channel,
    hand_over,
    home,
    identify,
    inquire,
    pay,
    print_reports,
    proxy,
    register,
    register_lent,
    unlock,
)


def businesses() -> dict[str, Business]:
    """Every flow by its name."""
    return {flow.BUSINESS.name: flow.BUSINESS for flow in _FLOWS}


def rules_of(profile: Profile) -> Rules:
    """What flows need of the profile."""
    return Rules(
        terminal=profile.terminal.id,
        place=profile.terminal.place,
        questionnaire=profile.screening.questionnaire(),
        elder_age=profile.terminal.elder_age,
        cashier_window=profile.hospital.cashier_window,
        desk_window=profile.hospital.desk_window,
        hotline=profile.hospital.hotline,
        green_alarm_s=profile.screening.alarm_s,
        card_slot=profile.devices.card_slot is not None,
        treat_first=profile.offline.treat_first,
        offline_bills=profile.offline.bills,
    )


def place_of(profile: Profile) -> Named:
    """Where this terminal stands, as a person reads it."""
    return Named(profile.terminal.place, profile.terminal.place_en)


def open_terminal_records(profile: Profile, clock: TerminalClock) -> StoreRecords:
    """The terminal's store; made on first start."""
    place = profile.terminal.place
    return open_records(
        Path(profile.terminal.folder),
        {one.number: StaffMember(one.name, place) for one in profile.volunteers},
        clock=StoreClock(clock.wall_s, clock.monotonic_s, boot_id()),
        zone=clock.zone,
        random_bytes=secrets.token_bytes,
        chance=Random(secrets.randbits(64)),
        terminal=profile.terminal.id,
        quote_key=profile.gateway.quote_key,
        opening=AT_ONCE,
    )


REMEDIES = {
    "gateway.token_file": "enrol this terminal, or put its token there, readable by its user",
    "gateway.ca": "put the hospital's authority there, readable by the terminal's user",
    "gateway.cert": "enrol this terminal again; its certificate is made then",
    "gateway.key": "enrol this terminal again; its key is made then",
    "terminal.folder": "make it, belonging to the terminal's user, mode 0700",
}


def cannot(field: str, path: str, error: OSError) -> ProfileError:
    """One sentence: which field of the profile, which file, what is wrong, what to do."""
    return ProfileError(f"{field}: {path}: {error.strerror or error}; {REMEDIES[field]}")


def token_of(profile: Profile) -> str:
    """The terminal's token, with all that the gateway's line needs looked at. ProfileError."""
    part = profile.gateway
    found = ""
    for field in ("token_file", "ca", "cert", "key"):
        path: str = getattr(part, field)
        try:
            content = Path(path).read_bytes() if path else b""
        except OSError as error:
            raise cannot(f"gateway.{field}", path, error) from None
        if field == "token_file":
            found = content.decode("utf-8", "replace").strip()
    if not found.isascii() or not found:
        words = REMEDIES["gateway.token_file"]
        raise ProfileError(f"gateway.token_file: {part.token_file}: holds no token; {words}")
    return found


@dataclass
class _Gateway:
    """Heartbeat and today's list, on the sender's own thread and client; the outbox on `lines`."""

    client: HospitalClient
    lines: Lines
    profile: Profile
    records: StoreRecords
    clock: TerminalClock
    troubles: Callable[[], tuple[str, ...]]
    tell: Callable[[Any], None]
    pace: Pace
    lending: Lending
    listed_s: float = float("-inf")
    listed_day: date | None = None
    policy: PolicyStood | None = None
    hospital_away: bool = False

    def beat(self, waiting: int) -> None:
        with suppress(StoreFull):  # looked at again at the next beat
            self.lending.look()
        self._look_at_policy()
        if not self.pace.due:
            if self.pace.away or self.hospital_away:
                raise HospitalUnreachable("asked a moment ago")
            if self.client.connected():
                return
        try:
            reply = self.client.ask(self._hello(waiting))
        except HospitalError:
            self.pace.lost()
            raise
        assert isinstance(reply, HelloReply)
        self.pace.heard(reply.beat_s)
        with suppress(StoreFull):  # heard again at the next beat
            self.records.owned.heard(reply.now, reply.quote_key)
        self._look_at_day_list()
        with suppress(StoreFull):
            self.lending.fetch(lambda request: ask(self.client, 0, request))

    def _hello(self, waiting: int) -> Hello:
        return Hello(
            self.profile.terminal.id,
            version("kiosk"),
            self.clock.now(),
            waiting,
            self.troubles(),
            self.records.sending.oldest_s(),
            self.records.audit_key(),
        )

    def _look_at_day_list(self) -> None:
        """It comes from the hospital behind the gateway: without it, that is away as well."""
        now = self.clock.now()
        old = self.clock.monotonic_s() - self.listed_s > DAY_LIST_EVERY_S
        if old or self.listed_day != now.date():
            self.hospital_away = True
            self._fetch_day_list(now)
            self.hospital_away = False

    def _fetch_day_list(self, now: datetime) -> None:
        day_list = self.client.ask(AskDayList(now.date()))
        assert isinstance(day_list, DayList)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
        with suppress(StoreFull):  # an older list, or none, and people are asked at the window
            self.records.keep_day_list(day_list, midnight)
        self.lending.departments = day_list.departments
        self.listed_s, self.listed_day = self.clock.monotonic_s(), now.date()

    def _look_at_policy(self) -> None:
        part = self.profile.health_code
        found = None
        if part.policy_file:
            today = self.clock.now().date()
            found = policy_in_force(Path(part.policy_file), part.public_key, today)
        stood = PolicyStood(found is not None, found.version if found else "0")
        if stood != self.policy:
            self.policy = stood
            self.tell(stood)

    def send(self, records: Sequence[Record]) -> OutboxReply:
        """On the sending threads, two at once: each has a connection of its own."""
        reply = self.lines.ask(Outbox(tuple(records)))
        assert isinstance(reply, OutboxReply)
        return reply


class Core:
    """The running terminal; made whole, started once, stopped once."""

    def __init__(self, profile: Profile, clock: TerminalClock, log: logs.Log) -> None:
        self.profile, self.clock, self.log = profile, clock, log
        self._token = token_of(profile)
        self.records = open_terminal_records(profile, clock)
        self.loop = Loop(clock)
        self.stop = Stop()
        self._paper = Paper(
            Named(profile.hospital.name, profile.hospital.name_en),
            profile.terminal.id,
            place_of(profile),
        )
        folder = Path(profile.terminal.folder)
        self.recordings = Recordings(folder, clock, self._audit, seal_recording)
        self._lost = Lost()
        self.maker = DeviceMaker(profile.devices, clock.monotonic_s, self.recordings.tap)
        self.workers = self._device_workers()
        self.cables = CableWatch(self.cable_moved)
        self.pool = HospitalPool(self._client, self.loop.tell, self.stop)
        gateway = _Gateway(
            self._client(),
            Lines(self._client),
            profile,
            self.records,
            clock,
            self._troubles,
            self.loop.tell,
            Pace(clock.monotonic_s, Random(secrets.randbits(64))),
            Lending(self.records.owned, profile.offline.numbers, clock, self.loop.tell),
        )
        self.sender = Sender(
            self.records, gateway.send, gateway.beat, tell=self.loop.tell, stop=self.stop
        )
        self.keeper = Keeper(
            Upkeep(self.records, profile.screening.keep_days, clock.monotonic_s, clock.now),
            self.loop.tell,
            self.stop,
            log,
        )
        self.engine = Engine(
            Setting(self._paper.hospital, self._paper.place, rules_of(profile)),
            businesses(),
            records=self.records,
            outside=Workers(self.workers, self.pool),
            clock=clock,
            show=lambda view: self.link.show(view),
        )
        try:
            self.link = LinkServer(
                Path(profile.terminal.folder) / SOCKET_NAME, self.loop.tell, self._answer
            )
        except OSError as error:
            raise cannot("terminal.folder", profile.terminal.folder, error) from None

    def run(self) -> None:
        """Until SIGTERM; then in order: no new work, workers end, the store is closed."""
        with suppress(StoreFull):  # a full disk is told elsewhere: the terminal starts
            self.records.keeping.run_began(version("kiosk"))
        self.link.start()
        for worker in self._threads():
            worker.start()
        self.cables.start()
        self.log.info("core_started", version=version("kiosk"), terminal=self.profile.terminal.id)
        self.loop.run(self.engine)
        self.stop.set()
        self.cables.stop()
        self.recordings.end_all()
        for worker in self._threads():
            worker.join(2.0)
        self.link.stop()
        with suppress(StoreFull):
            self.records.keeping.run_ended()
        self.records.close()
        self.log.info("core_stopped")

    def _threads(self) -> tuple[DeviceWorker | HospitalPool | Sender | Keeper, ...]:
        return (*self.workers, self.pool, self.sender, self.keeper)

    def _client(self) -> HospitalClient:
        part = self.profile.gateway
        ca = Path(part.ca) if part.ca else None
        cert = (Path(part.cert), Path(part.key)) if part.cert else None
        return HospitalClient(part.url, self.profile.terminal.id, self._token, ca=ca, cert=cert)

    def _device_workers(self) -> tuple[DeviceWorker, ...]:
        make, tell = self.maker, self.loop.tell
        devices: list[Device] = [
            IdReaderDevice(make.id_reader()),
            *(CardSlotDevice(opener) for opener in make.card_slot()),
            ScannerDevice(make.scanner),
            ReceiptPrinterDevice(make.receipt_printer, self._slip),
            ReportPrinterDevice(make.report_printer),
            PadDevice(
                make.pad,
                self.clock.monotonic_s,
                tell,
                self.profile.devices.payment_pad.charge_s,
            ),
        ]
        if self.profile.devices.cash_box is not None:
            told = told_up_to(self.records.notes(CashBox.NOTE))
            devices.append(CashBoxDevice(make.cash_box, self.clock.monotonic_s, told))
        return tuple(
            DeviceWorker(device, tell, self.stop, self._device_stood, self._health(device.part))
            for device in devices
        )

    def _health(self, part: Part) -> Health:
        make = self.maker
        return Health(self.clock, lambda: make.where(part), lambda: make.lines.heard_s(part))

    def _device_stood(self, event: str, *, device: Part, code: str) -> None:
        """On a worker's thread: the store takes turns."""
        well = event == "device_back"
        if well:
            self.log.info("device_back", device=device, code=code)
        else:
            self.log.info("device_lost", device=device, code=code)
        keeps = self._lost.noted(DeviceStood(device, well, code))
        with suppress(StoreFull):  # a full disk is told elsewhere: the device goes on
            self.records.commit(keeps, "")

    def cable_moved(self) -> None:
        for worker in self.workers:
            worker.look_now()

    def _audit(self, event: str, facts: dict[str, str | int]) -> None:
        try:
            self.records.commit((KeepAudit(event, fields=tuple(facts.items())),), "")
        except StoreFull as full:
            if event == "recording_begun":  # what nobody will know of does not begin
                raise CannotRecord(str(full)) from full

    def _slip(self, effect: PrintSlip) -> Slip:
        return write(self._paper, effect.slip, effect.language, self.clock.now(), effect.copy)

    def _troubles(self) -> tuple[str, ...]:
        return tuple(worker.part for worker in self.workers if not worker.well)

    # --- what the command line may ask -----------------------------------------------------------

    def _answer(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        match what:
            case "status":
                return self._status()
            case "devices":
                return {worker.part: self._device(worker) for worker in self.workers}
            case "record":
                return self._record(asked)
        try:
            said = answer(self.records, what, asked)
        except StoreFull as full:
            return {"error": f"{full}; nothing was done"}
        return {"error": f"core knows no {what}"} if said is None else said

    def _device(self, worker: DeviceWorker) -> dict[str, Any]:
        about = {"kind": self.maker.kind(worker.part), **worker.health.as_json()}
        about |= self.maker.names(worker.part)
        return {**about, "recording": self.recordings.runs(worker.part)}

    def _record(self, asked: dict[str, Any]) -> dict[str, Any]:
        device, who = str(asked.get("device", "")), str(asked.get("who", "")).lower()
        parts = {worker.part: self.maker.kind(worker.part) for worker in self.workers}
        if device not in parts:
            return {"error": f"there is no {device}; there are {', '.join(sorted(parts))}"}
        try:
            key = b64decode(str(asked["key"]), validate=True) if asked.get("key") else None
            said = asked.get("minutes")
            minutes = said if isinstance(said, int) else 0
            path = self.recordings.begin(device, parts[device], minutes, who, key=key)
        except ValueError:
            return {"error": "the key is not 32 bytes in base64"}
        except CannotRecord as refusal:
            return {"error": str(refusal)}
        return {"file": str(path)}

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {}
        self.loop.call(lambda: status.update(self.engine.status()))
        return {**status, "store": self.records.keeping.status()}


def seal_recording(path: Path, content: bytes, key: bytes) -> None:
    """As an export: `kiosk outbox import` unpacks it. OSError."""
    write_export(path, {f"{path.stem}.jsonl": content}, key, secrets.token_bytes)


def run_core(profile_path: Path, ahead: timedelta = timedelta(0)) -> None:
    """`kiosk core`: the profile is read whole before anything starts. ProfileError, StoreError."""
    profile = read_profile(profile_path)
    clock = TerminalClock(ZoneInfo(profile.hospital.time_zone), ahead)
    log = logs.start("core", clock.now, sys.stderr)
    _end_on_a_bug(log)
    core = Core(profile, clock, log)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: core.loop.stop())
    core.run()


def _end_on_a_bug(log: logs.Log) -> None:
    """A thread that died of a bug must not leave half a terminal running."""
    told = threading.excepthook

    def ended(args: threading.ExceptHookArgs) -> None:
        told(args)
        os._exit(70)

    threading.excepthook = ended
