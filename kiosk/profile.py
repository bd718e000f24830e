"""One hospital's and one terminal's settings: TOML, validated whole before anything starts.

A mistake is told with its line and its field, in words; nothing is guessed and nothing ignored.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from kiosk.domain.screening import Question, Questionnaire, Route

_STRICT = ConfigDict(extra="forbid", frozen=True)
Baud = Literal[9600, 19200, 38400, 57600, 115200, 230400]
Port = Annotated[int, Field(gt=0, lt=65536)]
Word = Annotated[str, Field(min_length=1)]
DfCode = Annotated[int, Field(ge=0, le=99)]
PadResult = Annotated[str, Field(pattern=r"^[0-9]{8}$")]
UmsType = Annotated[str, Field(pattern=r"^[0-9]{2}$")]


Mistake = tuple[tuple[int | str, ...], str]
"""A field's path, and what is wrong there."""


class ProfileError(Exception):
    """The profile cannot be used; each line of the text names a place and what is wrong there."""


@with_config(_STRICT)
@dataclass(frozen=True)
class HospitalPart:
    name: Word
    name_en: Word
    hotline: str = "12320"
    cashier_window: str = "3"
    desk_window: str = "1"
    time_zone: str = "Asia/Shanghai"


@with_config(_STRICT)
@dataclass(frozen=True)
class TerminalPart:
    """`id` begins every reference and key: letters and digits, never reused."""

    id: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$")]
    place: Word
    folder: Word
    elder_age: Annotated[int, Field(ge=40, le=120)] = 60
    place_en: str = ""  # where it stands, for pages and slips in English


@with_config(_STRICT)
@dataclass(frozen=True)
class GatewayPart:
    """`token_file` holds the terminal's token; `ca`, `cert` and `key` are for mutual TLS.

    `quote_key` (Ed25519, base64) verifies what the gateway signs; without one the first that the
    gateway names is believed, and no other after it.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
    token_file: Word
    ca: str = ""
    cert: str = ""
    key: str = ""
    quote_key: Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{43}=)?$")] = ""


@with_config(_STRICT)
@dataclass(frozen=True)
class SerialPart:
    """A device on a line: /dev/ttyUSB0, /dev/usb/lp0, tcp://10.0.0.7:9100, or auto.

    auto: on whichever of `devices.ports` it answers. `model` chooses data of the driver, not code.
    """

    port: Word
    baud: Baud = 115200
    model: str = ""


@with_config(_STRICT)
@dataclass(frozen=True)
class ScannerPart:
    """Where codes are read: a `serial` line (USB-CDC too), a `wedge` that types, a `camera`.

    `port`: the line, or auto; /dev/input/by-id/…; a V4L2 number or an address. `model` is a serial
    scanner's; `linear`: a camera takes one-dimensional codes as well.
    """

    port: Word
    kind: Literal["serial", "wedge", "camera"] = "serial"
    baud: Baud = 115200
    model: Literal["", "newland", "gm65", "honeywell", "plain"] = ""
    linear: bool = False


@with_config(_STRICT)
@dataclass(frozen=True)
class IdReaderPart:
    """ID cards: `sdt` is a reader on a serial port, `pcsc` one that pcscd knows by this name."""

    kind: Literal["sdt", "pcsc"] = "sdt"
    port: str = ""
    baud: Baud = 115200
    reader: str = ""


@with_config(_STRICT)
@dataclass(frozen=True)
class CardSlotPart:
    """Where a card is put in: `social_card` reads 社保卡 in a PC/SC reader of this name, `plugin`
    leaves it to a vendor's program (drivers/plugin/PROTOCOL.md)."""

    kind: Literal["social_card", "plugin"]
    reader: str = ""
    command: tuple[Word, ...] = ()


@with_config(_STRICT)
@dataclass(frozen=True)
class MisPosPart:
    """What the acquirer says of its MIS-POS (drivers/mispos/PROTOCOL.md); ask on site.

    Codes are DF02's; results are eight digits.
    """

    desk: Annotated[str, Field(pattern=r"^[0-9A-Za-z]*$")] = ""
    operator: Annotated[str, Field(pattern=r"^[0-9A-Za-z]*$")] = ""
    sale: DfCode = 1
    void: DfCode = 2
    refund: DfCode = 3
    sign_in: DfCode = 5
    settle: DfCode = 6
    reprint: DfCode = 7
    status: DfCode = 13
    cancel_results: tuple[PadResult, ...] = ()
    busy_results: tuple[PadResult, ...] = ()


@with_config(_STRICT)
@dataclass(frozen=True)
class UnionPayPart:
    """What the library's version says of its types (drivers/unionpay/PROTOCOL.md)."""

    counter: Annotated[str, Field(max_length=8)] = ""
    operator: Annotated[str, Field(max_length=8)] = ""
    sale: UmsType = "00"
    void: UmsType = "01"
    refund: UmsType = "02"
    query: UmsType = "04"
    settle: UmsType = "05"
    sign_in: UmsType = "06"


@with_config(_STRICT)
@dataclass(frozen=True)
class PaymentPadPart:
    """The payment pad: its language, and its line. serial needs port, tcp needs host and tcp_port.

    `unionpay` is the library's own process behind a line. `charge_s`: how long one charge may take
    before its outcome counts as unknown; longer than the pad's own wait for a card. `two_phases`
    (zvt): the pad holds the money until the hospital has booked.
    """

    kind: Literal["zvt", "mispos", "unionpay"]
    link: Literal["serial", "tcp"]
    port: str = ""
    baud: Baud = 9600
    host: str = ""
    tcp_port: Port | None = None
    charge_s: Annotated[int, Field(ge=5, le=180)] = 120
    password: Annotated[int, Field(ge=0, le=999_999)] = 123_456
    two_phases: bool = True
    mispos: MisPosPart | None = None
    unionpay: UnionPayPart | None = None


@with_config(_STRICT)
@dataclass(frozen=True)
class CashBoxPart:
    """A ccTalk bill validator with escrow on a serial line. No change is given."""

    port: Word
    baud: Baud = 9600
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "CN"
    crc: bool = False


@with_config(_STRICT)
@dataclass(frozen=True)
class ReportPrinterPart:
    uri: Annotated[str, Field(pattern=r"^ipps?://\S+$")]


@with_config(_STRICT)
@dataclass(frozen=True)
class DevicesPart:
    """`ports`: where to look for devices whose port is auto; patterns as a shell's."""

    id_reader: IdReaderPart
    scanner: ScannerPart
    receipt_printer: SerialPart
    a4_printer: ReportPrinterPart
    payment_pad: PaymentPadPart
    card_slot: CardSlotPart | None = None
    cash_box: CashBoxPart | None = None
    ports: Annotated[tuple[Word, ...], Field(min_length=1)] = (
        *("/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyS[0-3]", "/dev/usb/lp*"),
    )


@with_config(_STRICT)
@dataclass(frozen=True)
class QuestionPart:
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    text: Word
    text_en: Word
    leads_to: Word
    icon: str = "help-circle"


@with_config(_STRICT)
@dataclass(frozen=True)
class RoutePart:
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    text: Word
    text_en: Word


@with_config(_STRICT)
@dataclass(frozen=True)
class ScreeningPart:
    """The entrance form: a new text or order needs a new version."""

    version: Word
    lookback_days: Annotated[int, Field(ge=1, le=60)]
    questions: Annotated[tuple[QuestionPart, ...], Field(min_length=1, max_length=4)]
    routes: Annotated[tuple[RoutePart, ...], Field(min_length=1)]
    alarm_s: Annotated[int, Field(ge=30)] = 300
    keep_days: Annotated[int, Field(ge=14, le=30)] = 14

    def questionnaire(self) -> Questionnaire:
        return Questionnaire(
            self.version,
            self.lookback_days,
            tuple(Question(q.id, q.text, q.text_en, q.icon, q.leads_to) for q in self.questions),
            tuple(Route(route.id, route.text, route.text_en) for route in self.routes),
        )


@with_config(_STRICT)
@dataclass(frozen=True)
class HealthCodePart:
    """Off unless a policy file signed with this key (Ed25519, base64) says until when it is on."""

    policy_file: str = ""
    public_key: Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{43}=)?$")] = ""


@with_config(_STRICT)
@dataclass(frozen=True)
class OfflinePart:
    """What the hospital allows while it cannot be asked.

    `numbers`: on-site numbers of each department that this terminal keeps at hand; 0: none.
    `treat_first`: their fee may be paid after the visit, else before it; at the window both times.
    `bills`: what may be paid by bank card against a signed quote: nothing, bills without an
    insurer's part, or the person's own part of any (`quoted`).
    """

    numbers: Annotated[int, Field(ge=0, le=20)] = 2
    treat_first: bool = False
    bills: Literal["never", "self_pay", "quoted"] = "never"


@with_config(_STRICT)
@dataclass(frozen=True)
class VolunteerPart:
    """Two digits, typed before the PIN. PINs are never in a profile: `kiosk pin NUMBER`."""

    number: Annotated[str, Field(pattern=r"^(0[1-9]|[1-9][0-9])$")]
    name: Word


@with_config(_STRICT)
@dataclass(frozen=True)
class Profile:
    version: Word
    hospital: HospitalPart
    terminal: TerminalPart
    gateway: GatewayPart
    devices: DevicesPart
    screening: ScreeningPart
    health_code: HealthCodePart = field(default_factory=HealthCodePart)
    offline: OfflinePart = field(default_factory=OfflinePart)
    volunteers: tuple[VolunteerPart, ...] = ()


_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)


def read_profile(path: Path) -> Profile:
    """The profile at `path`, or ProfileError with every mistake, a line each."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}; give --profile") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: not UTF-8 at byte {error.start}") from error
    return parse_profile(text, path.name)


def parse_profile(text: str, name: str = "profile") -> Profile:
    """The profile in `text`; `name` stands in the error's words."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{name}: {_syntax(error, text)}") from error
    try:
        profile = _PROFILE.validate_python(found)
    except ValidationError as error:
        raise ProfileError("\n".join(_mistakes(error, text, name))) from None
    _check_across(profile, text, name)
    return profile


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> str:
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    words = re.sub(r" \(at .*\)", "", str(error))
    if place is None:  # "at end of document"
        return f"line {len(text.splitlines()) or 1}: {words}"
    return f"line {place[1]}, column {place[2]}: {words}"


def _mistakes(error: ValidationError, text: str, name: str) -> list[str]:
    told = []
    for mistake in error.errors(include_url=False, include_input=False):
        path = tuple(mistake["loc"])
        told.append(f"{name}: line {line_of(text, path)}: {_dotted(path)}: {_words(mistake)}")
    return told


def _words(mistake: Any) -> str:
    match mistake["type"]:
        case "missing":
            return "is missing"
        case "unexpected_keyword_argument" | "extra_forbidden":
            return "is not a setting; is it misspelt?"
    words: str = mistake["msg"]
    return words[0].lower() + words[1:]


def _dotted(path: tuple[int | str, ...]) -> str:
    words = ""
    for part in path:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def line_of(text: str, path: tuple[int | str, ...]) -> int:
    """The line (from 1) where the field of this path stands, or the nearest table above it."""
    lines = text.splitlines()
    start, end = _table(lines, path[:-1])
    for part in reversed(path):  # a field of an inline table stands on its table's line
        wanted = re.compile(rf"\s*{re.escape(str(part))}\s*=")
        for number in range(start, end):
            if wanted.match(lines[number]):
                return number + 1
    own, _ = _table(lines, path)
    return (own or start) or 1


def _table(lines: list[str], path: tuple[int | str, ...]) -> tuple[int, int]:
    """From the line after a table's header to the next header; (0, first header) for the root."""
    words = [part for part in path if isinstance(part, str)]
    counts = [part for part in path if isinstance(part, int)]
    headers = [n for n, line in enumerate(lines) if _header(line)] + [len(lines)]
    if not words:
        return 0, headers[0]
    wanted = ".".join(words)
    found = [n for n in headers[:-1] if _header(lines[n]) == wanted]
    if not found:
        return _table(lines, path[:-1])
    at = found[min(counts[-1] if counts else 0, len(found) - 1)]
    return at + 1, next(n for n in headers if n > at)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _header(line: str) -> str:
    """`[[a.b]]  # words` → `a.b`; empty: no header."""
    found = re.match(r"\s*\[+\s*([^\]]*?)\s*\]+\s*(?:#.*)?$", line)
    return found[1] if found else ""


def _card_mistakes(devices: DevicesPart) -> list[Mistake]:
    """A card reader without what its kind is found by."""
    wrong: list[Mistake] = []
    at, reader = ("devices", "id_reader", "kind"), devices.id_reader
    if reader.kind == "sdt" and not reader.port:
        wrong.append((at, "an sdt reader needs a port"))
    if reader.kind == "pcsc" and not reader.reader:
        wrong.append((at, "a pcsc reader needs reader, its name"))
    at, slot = ("devices", "card_slot", "kind"), devices.card_slot
    if slot is not None and slot.kind == "social_card" and not slot.reader:
        wrong.append((at, "a social_card slot needs reader, its name"))
    if slot is not None and slot.kind == "plugin" and not slot.command:
        wrong.append((at, "a plugin needs command, a list"))
    return wrong


MUTE_SCANNERS = ("honeywell", "plain")
"""Models that answer no command: nothing can be asked that would tell where they are."""


def _scanner_mistakes(scanner: ScannerPart) -> list[Mistake]:
    """A port that such a scanner cannot have, and settings of another kind."""
    at, wrong = ("devices", "scanner"), list[Mistake]()
    if scanner.kind == "serial" and scanner.port == "auto" and scanner.model in MUTE_SCANNERS:
        words = (
            f"auto cannot find a {scanner.model} scanner, which answers no question: plug it in,"
            " look under /dev/serial/by-id/ (or by-path/) and write that name here"
        )
        wrong.append(((*at, "port"), words))
    if scanner.kind == "wedge" and not scanner.port.startswith("/dev/input/"):
        wrong.append(((*at, "port"), "a wedge types on a port under /dev/input/"))
    if scanner.kind == "camera" and not re.match(r"^([0-9]+|https?://\S+)$", scanner.port):
        wrong.append(((*at, "port"), "a camera is a number (0 is /dev/video0) or an address"))
    if scanner.model and scanner.kind != "serial":
        wrong.append(((*at, "model"), f"is no setting of a scanner of kind {scanner.kind}"))
    if scanner.linear and scanner.kind != "camera":
        wrong.append(((*at, "linear"), f"is no setting of a scanner of kind {scanner.kind}"))
    return wrong


def _pad_mistakes(pad: PaymentPadPart) -> list[Mistake]:
    """A line that is not whole, and settings of a pad that is not there."""
    at = ("devices", "payment_pad")
    wrong: list[Mistake] = []
    if pad.link == "serial" and not pad.port:
        wrong.append(((*at, "link"), "a serial pad needs a port"))
    if pad.link == "tcp" and not (pad.host and pad.tcp_port):
        wrong.append(((*at, "link"), "a tcp pad needs host and tcp_port"))
    foreign = {
        "mispos": pad.mispos is not None and pad.kind != "mispos",
        "unionpay": pad.unionpay is not None and pad.kind != "unionpay",
        "password": pad.password != PaymentPadPart.password and pad.kind != "zvt",
        "two_phases": not pad.two_phases and pad.kind != "zvt",
    }
    for name, is_foreign in foreign.items():
        if is_foreign:
            wrong.append(((*at, name), f"is no setting of a pad of kind {pad.kind}"))
    return wrong


def _check_across(profile: Profile, text: str, name: str) -> None:
    """What one field alone cannot show."""
    wrong: list[Mistake] = []
    routes = {route.id for route in profile.screening.routes}
    for number, question in enumerate(profile.screening.questions):
        if question.leads_to not in routes:
            path = ("screening", "questions", number, "leads_to")
            wrong.append((path, f"no route is called {question.leads_to}"))
    if not _is_zone(profile.hospital.time_zone):
        zone = profile.hospital.time_zone
        wrong.append((("hospital", "time_zone"), f"{zone} is no time zone, e.g. Asia/Shanghai"))
    wrong += _card_mistakes(profile.devices)
    wrong += _scanner_mistakes(profile.devices.scanner)
    wrong += _pad_mistakes(profile.devices.payment_pad)
    numbers = [volunteer.number for volunteer in profile.volunteers]
    for at, volunteer in enumerate(numbers):
        if volunteer in numbers[:at]:
            wrong.append((("volunteers", at, "number"), f"{volunteer} is there twice"))
    if profile.health_code.policy_file and not profile.health_code.public_key:
        wrong.append((("health_code", "policy_file"), "a policy needs public_key to be believed"))
    if wrong:
        told = [f"{name}: line {line_of(text, p)}: {_dotted(p)}: {words}" for p, words in wrong]
        raise ProfileError("\n".join(told))
