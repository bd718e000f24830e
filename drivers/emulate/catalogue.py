"""The list of emulators: how each is made, on which ports it can be, and what hands do to it.

Rule: an emulator that stands here is reachable by `kiosk emulate`; one that does not fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from drivers.cashbox import emulator as cashbox
from drivers.emulate.hands import Bench, Hand, WordError, does, number, settings
from drivers.escpos import commands
from drivers.escpos import emulator as escpos
from drivers.escpos.glyphs import Glyphs, installed_faces
from drivers.hosts.vpcd_host import VirtualCard
from drivers.idcard import emulator as idcard
from drivers.idcard.card import CardText, Layout, Sex
from drivers.idcard_pcsc import emulator as idcard_pcsc
from drivers.ipp import emulator as ipp
from drivers.mispos import emulator as mispos
from drivers.pad_bench import PadBench
from drivers.pad_ledger import PadLedger
from drivers.plugin import emulator as plugin
from drivers.plugin.health_card import HealthCardText
from drivers.scanner import emulator as scanner
from drivers.scanner.models import MODELS as SCANNERS
from drivers.socialcard import emulator as socialcard
from drivers.socialcard.codec import SocialCardText
from drivers.unionpay import emulator as unionpay
from drivers.wedge import emulator as wedge
from drivers.zvt import emulator as zvt

Port = Literal["pty", "tcp", "fifo", "pcsc"]


@dataclass(frozen=True)
class Wish:
    """What an emulator is made with: its model (empty: the usual one) and a folder of its own."""

    folder: Path
    wall: Callable[[], datetime]
    model: str
    port: Port


@dataclass(frozen=True)
class Kind:
    """One emulator. `ports`: the first is the usual one. `baud`: its line's usual speed."""

    words: str
    ports: tuple[Port, ...]
    make: Callable[[Wish], Bench]
    baud: int | None = None
    bits_per_byte: int = 10
    models: tuple[str, ...] = ()


# --- ID card reader ------------------------------------------------------------------------------

_FIELDS = frozenset(
    {"name", "number", "sex", "birth", "nation", "address", "authority", "from", "to", "layout"}
)
_LAYOUTS = {"resident": Layout.RESIDENT, "J": Layout.PERMIT_HK_MO_TW, "Y": Layout.FOREIGN_2023}
_SEXES = {"male": Sex.MALE, "female": Sex.FEMALE}


def card_of(rest: str) -> CardText:
    """A synthetic card: `name=… number=… birth=1990-01-31 to=long`; all have an ordinary value."""
    told = settings(rest, _FIELDS)
    layout, sex = told.get("layout", "resident"), told.get("sex", "female")
    if layout not in _LAYOUTS or sex not in _SEXES:
        raise WordError(f"layout is one of {', '.join(_LAYOUTS)}, sex one of {', '.join(_SEXES)}")
    until = told.get("to", "long")
    return CardText(
        layout=_LAYOUTS[layout],
        name=told.get("name", "示例"),
        sex=_SEXES[sex],
        birth=date.fromisoformat(told.get("birth", "1990-03-07")),
        number=told.get("number", "110101199003070046"),
        valid_from=date.fromisoformat(told.get("from", "2020-01-01")),
        valid_to=None if until == "long" else date.fromisoformat(until),
        nation_code=told.get("nation", "01") if layout != "Y" else "",
        address=told.get("address", "示例市示例区示例路1号") if layout != "Y" else "",
        authority=told.get("authority", "示例公安局") if layout != "Y" else "",
        nationality="SGP" if layout == "Y" else "",
        english_name="EXAMPLE" if layout == "Y" else "",
    )


def _idcard(_wish: Wish) -> Bench:
    reader = idcard.IdCardReaderEmulator()

    def lay(rest: str) -> None:
        reader.lay(card_of(rest))

    hands = {
        "card": Hand("[KEY=VALUE …]", f"lay a card down: {' '.join(sorted(_FIELDS))}", lay),
        "lift": Hand("", "take it away", does(reader.lift)),
        "restart": Hand("", "the reader loses power for a moment", does(reader.power_cycle)),
    }
    return Bench(reader, idcard.MISBEHAVIOURS, hands)


# --- cards in a slot, and vendors' libraries ------------------------------------------------------


class SlotCard(VirtualCard):
    """A card as a bench's emulator: what goes wrong is the card's own."""

    def __init__(self, card: socialcard.SocialCardEmulator | idcard_pcsc.PcscIdCardEmulator):
        super().__init__(card)
        self.misbehave, self.behave = card.misbehave, card.behave


_IN_A_SLOT = "is on the card from its next reading on; unplug and plug take it out and put it in"


def _socialcard(_wish: Wish) -> Bench:
    fields = frozenset({"name", "number", "sex", "birth"})

    def text_of(rest: str) -> SocialCardText:
        told = settings(rest, fields)
        return SocialCardText(
            number=told.get("number", "110101199003070046"),
            name=told.get("name", "示例"),
            sex=_SEXES.get(told.get("sex", "female"), Sex.UNKNOWN),
            birth=date.fromisoformat(told.get("birth", "1990-03-07")),
            version="2.00",
        )

    card = socialcard.SocialCardEmulator(text_of(""))

    def lay(rest: str) -> None:
        card.lay(text_of(rest))

    hands = {"card": Hand("[KEY=VALUE …]", f"{' '.join(sorted(fields))}: {_IN_A_SLOT}", lay)}
    return Bench(SlotCard(card), socialcard.MISBEHAVIOURS, hands)


def _idcard_pcsc(_wish: Wish) -> Bench:
    card = idcard_pcsc.PcscIdCardEmulator(card_of(""))

    def lay(rest: str) -> None:
        card.lay(card_of(rest))

    hands = {"card": Hand("[KEY=VALUE …]", f"{' '.join(sorted(_FIELDS))}: {_IN_A_SLOT}", lay)}
    return Bench(SlotCard(card), idcard_pcsc.MISBEHAVIOURS, hands)


def _plugin(_wish: Wish) -> Bench:
    vendor = plugin.HealthCardPlugin()

    def put(rest: str) -> None:
        told = settings(rest, frozenset({"name", "number", "sex", "birth"}))
        vendor.put(
            HealthCardText(
                number=told.get("number", "110101199003070046"),
                name=told.get("name", "示例"),
                sex=_SEXES.get(told.get("sex", "female"), Sex.UNKNOWN),
                birth=date.fromisoformat(told.get("birth", "1990-03-07")),
            )
        )

    hands = {
        "card": Hand("[KEY=VALUE …]", "put a health card in: birth name number sex", put),
        "pull": Hand("", "take it out", does(vendor.pull)),
    }
    return Bench(vendor, plugin.MISBEHAVIOURS, hands)


# --- codes ---------------------------------------------------------------------------------------


def _code(rest: str) -> str:
    if not rest:
        raise WordError("which code?")
    return rest


def _scanner(wish: Wish) -> Bench:
    device = scanner.ScannerEmulator(SCANNERS[wish.model or "newland"])
    hands = {
        "code": Hand("TEXT", "hold a code before it until it is read", lambda t: _show(device, t)),
        "stay": Hand("TEXT", "hold it there and keep it there", lambda t: _show(device, t, True)),
        "hide": Hand("", "take it away", does(device.hide)),
        "restart": Hand("", "it loses power for a moment", does(device.power_cycle)),
    }
    return Bench(device, scanner.MISBEHAVIOURS, hands)


def _show(device: scanner.ScannerEmulator, text: str, stay: bool = False) -> None:
    device.show(_code(text), stay=stay)


def _wedge(_wish: Wish) -> Bench:
    device = wedge.WedgeEmulator()

    def show(text: str) -> None:
        device.show(_code(text))

    return Bench(device, wedge.MISBEHAVIOURS, {"code": Hand("TEXT", "type a code", show)})


def _camera(_wish: Wish) -> Bench:
    # Here and not above: OpenCV takes a quarter of a second, and no other kind needs it.
    from drivers.camera import emulator as camera

    device = camera.CameraEmulator()

    def show(text: str) -> None:
        device.show(_code(text))

    hands = {
        "code": Hand("TEXT", "hold a QR code of it before the camera", show),
        "hide": Hand("", "take it away", does(device.hide)),
    }
    return Bench(device, camera.MISBEHAVIOURS, hands)


# --- paper ---------------------------------------------------------------------------------------


def _escpos(wish: Wish) -> Bench:
    models = {model.name: model for model in commands.MODELS}
    printer = escpos.ReceiptPrinterEmulator(
        Glyphs(installed_faces()),
        models[wish.model or commands.GENERIC_80.name],
        folder=wish.folder,
        strict=False,
    )

    def paper_ends(rest: str) -> None:
        printer.paper_out_after(number(rest, "ROWS", 0, 100_000))

    hands = {
        "paper": Hand("", "put a new roll in", does(printer.put_paper_in)),
        "paper_ends": Hand("ROWS", "the roll ends after so many lines", paper_ends),
        "pull": Hand("", "take the slip out of the exit", does(printer.pull_ticket)),
        "slip": Hand("", "say how many slips came out", lambda _: str(len(printer.slips))),
    }
    return Bench(printer, escpos.MISBEHAVIOURS, hands)


def _ipp(_wish: Wish) -> Bench:
    printer = ipp.IppPrinterEmulator()

    def toner(rest: str) -> None:
        printer.toner_percent = number(rest, "PERCENT", 0, 100)

    hands = {
        "toner": Hand("PERCENT", "what is left of it", toner),
        "paper": Hand("", "say how many documents came out", lambda _: str(len(printer.papers))),
    }
    return Bench(printer, ipp.MISBEHAVIOURS, hands)


# --- money ---------------------------------------------------------------------------------------

_PAD_WORDS = {
    "present": "hold a card to it",
    "approve": "the bank says yes from now on",
    "decline": "the bank says no from now on",
    "cancel": "press the red key",
    "leave": "take the card along and leave",
    "power_cut": "the mains are off",
    "power_up": "and on again",
}


def _pad_hands(pad: zvt.PadEmulator | PadBench) -> Mapping[str, Hand]:
    acts: dict[str, Callable[[], object]] = {
        "present": pad.present_card,
        "approve": pad.approve,
        "decline": pad.decline,
        "cancel": pad.press_cancel,
        "leave": pad.walk_away,
        "power_cut": pad.power_cut,
        "power_up": pad.power_up,
    }
    return {word: Hand("", _PAD_WORDS[word], does(act)) for word, act in acts.items()}


def _ledger(wish: Wish) -> PadLedger:
    return PadLedger(wish.folder / "pad-ledger.jsonl")


def _zvt(wish: Wish) -> Bench:
    model = zvt.PadModel(serial_line=wish.port == "pty")
    pad = zvt.PadEmulator(_ledger(wish), wish.wall, model)
    return Bench(pad, zvt.MISBEHAVIOURS, _pad_hands(pad))


def _mispos(wish: Wish) -> Bench:
    pad = mispos.MisPosEmulator(_ledger(wish), wish.wall)
    return Bench(pad, mispos.MISBEHAVIOURS, _pad_hands(pad))


def _unionpay(wish: Wish) -> Bench:
    pad = unionpay.UnionPayEmulator(_ledger(wish), wish.wall)
    return Bench(pad, unionpay.MISBEHAVIOURS, _pad_hands(pad))


def _cashbox(wish: Wish) -> Bench:
    ledger = cashbox.NoteLedger(wish.folder / "note-ledger.jsonl")
    box = cashbox.BillValidatorEmulator(ledger)

    def insert(rest: str) -> str:
        drawn_in = box.insert_note(number(rest, "YUAN", 1, 100))
        return "drawn in" if drawn_in else "not taken"

    hands = {
        "note": Hand("YUAN", "push a note in", insert),
        "remove_box": Hand("", "take the box out", does(box.remove_box)),
        "put_box": Hand("", "put an empty box in", does(box.put_box)),
        "fill_box": Hand("", "the box is full", does(box.fill_box)),
        "pull_back": Hand("", "pull at the note in the escrow", does(box.pull_back)),
        "power_cut": Hand("", "the mains are off", does(box.power_cut)),
        "power_up": Hand("", "and on again", does(box.power_up)),
    }
    return Bench(box, cashbox.MISBEHAVIOURS, hands)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "idcard": Kind("ID card reader (SDT)", ("pty", "tcp"), _idcard, 115200),
        "socialcard": Kind("social security card in a slot", ("pcsc",), _socialcard),
        "idcard_pcsc": Kind("ID card on a PC/SC reader", ("pcsc",), _idcard_pcsc),
        "plugin": Kind("vendor's program (JSON lines)", ("pty", "tcp"), _plugin, 115200),
        "scanner": Kind("code scanner", ("pty", "tcp"), _scanner, 9600, models=tuple(SCANNERS)),
        "wedge": Kind("scanner that types (evdev records)", ("fifo",), _wedge),
        "camera": Kind("network camera (Motion JPEG over HTTP)", ("tcp",), _camera),
        "escpos": Kind(
            *("receipt printer", ("pty", "tcp"), _escpos, 115200),
            models=tuple(model.name for model in commands.MODELS),
        ),
        "ipp": Kind("A4 printer (IPP)", ("tcp",), _ipp),
        "zvt": Kind("payment pad (ZVT)", ("pty", "tcp"), _zvt, 9600, bits_per_byte=11),
        "mispos": Kind("payment pad (bank MIS-POS)", ("pty", "tcp"), _mispos, 9600),
        "unionpay": Kind("payment pad (UnionPay Business)", ("tcp", "pty"), _unionpay, 9600),
        "cashbox": Kind("bill validator (ccTalk)", ("pty", "tcp"), _cashbox, 9600),
    }
)
