"""The vendor's side of the pipe: the worked example, a health card and its PSAM in one program.

`python -m drivers.plugin.example` runs it as a process. Its knobs are a file that hands write (a
desk), read anew at each question: who lies there, what shall go wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from drivers.errors import CardRemoved, DriverError, ProtocolError
from drivers.plugin.codec import (
    PROTOCOL,
    Answer,
    LineReader,
    Outcome,
    PluginCard,
    Request,
    Verb,
    card_body,
    parse_request,
)
from drivers.plugin.health_card import (
    HealthCardEmulator,
    HealthCardText,
    NotAHealthCard,
    PsamEmulator,
    PsamRefused,
    read_health_card,
)

NAME, VERSION = "health-card-example", "1"

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "answers nothing",
        "prints": "the library prints to the same output before every answer",
        "half_a_line": "stops in the middle of every answer",
        "late_answer": "says the answer before once more, first",
        "not_json": "answers without braces",
        "too_long": "a line of a hundred thousand characters",
        "other_protocol": "speaks a later protocol",
        "wrong_types": "numbers where words belong",
        "no_psam": "the PSAM is not in its slot",
        "other_card": "a card of another kind",
        "pulled": "the card goes away in the middle of the reading",
        "garbage": "a name that is not GB18030",
        "crash_in_read": "a real segmentation fault in the middle of the reading",
        "exit_in_read": "the library ends the program",
        "hang_in_read": "the library never comes back",
    }
)


@dataclass(frozen=True)
class Desk:
    """What hands have done: the card in the slot, how many were put, what shall go wrong."""

    card: HealthCardText | None = None
    put: int = 0
    misbehaviour: str = ""
    codes: MappingProxyType[str, HealthCardText] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Insurance codes that the component knows, and whose they are."""


class HealthCardPlugin:
    """An Emulator of the process: lines in, lines out. `desk()` is asked at each question.

    `die` is called for what kills a process: with "crash_in_read", "exit_in_read", "hang_in_read".
    `read` reads the card that is in the slot; usually emulated, together with its PSAM.
    """

    def __init__(
        self,
        desk: Callable[[], Desk] | None = None,
        die: Callable[[str], None] = lambda _how: None,
        read: Callable[[Desk], PluginCard] | None = None,
    ) -> None:
        self.state = Desk()
        self._desk = desk or (lambda: self.state)
        self._die = die
        self._read_card = read or read_emulated
        self._lines = LineReader()
        self._last = b""

    # -- hands, where the desk is this object's own

    def put(self, card: HealthCardText) -> None:
        """A card goes in."""
        self.state = Desk(card, self.state.put + 1, self.state.misbehaviour, self.state.codes)

    def pull(self) -> None:
        """The card comes out."""
        self.state = Desk(None, self.state.put, self.state.misbehaviour, self.state.codes)

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self.state = Desk(self.state.card, self.state.put, name, self.state.codes)

    def behave(self) -> None:
        """As the protocol says again."""
        self.state = Desk(self.state.card, self.state.put, "", self.state.codes)

    def knows(self, code: str, card: HealthCardText) -> None:
        """The insurer's component can decode this code."""
        codes = MappingProxyType({**self.state.codes, code: card})
        self.state = Desk(self.state.card, self.state.put, self.state.misbehaviour, codes)

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        """Questions in any cut; their answers."""
        requests = map(parse_request, self._lines.feed(data))
        return b"".join(self._reply(request) for request in requests if request is not None)

    def tick(self, now_s: float) -> bytes:
        """A plug-in says nothing unasked."""
        del now_s
        return b""

    def _reply(self, request: Request) -> bytes:
        desk = self._desk()
        if desk.misbehaviour.endswith("_in_read") and request.verb is Verb.READ:
            self._die(desk.misbehaviour)
            return b""
        return self._spoil(self._answer(request, desk).encode(), desk.misbehaviour)

    def _answer(self, request: Request, desk: Desk) -> Answer:
        match request.verb:
            case Verb.HELLO:
                return _ok(request, self._hello(desk))
            case Verb.LOOK:
                put: Any = str(desk.put) if desk.misbehaviour == "wrong_types" else desk.put
                return _ok(request, {"card": desk.card is not None, "put": put})
            case Verb.READ:
                return self._read(request, desk)
            case Verb.DECODE:
                return self._decode(request, desk)

    def _hello(self, desk: Desk) -> dict[str, Any]:
        protocol = PROTOCOL + 1 if desk.misbehaviour == "other_protocol" else PROTOCOL
        can = [verb.value for verb in Verb]
        return {"protocol": protocol, "name": NAME, "version": VERSION, "can": can}

    def _read(self, request: Request, desk: Desk) -> Answer:
        if desk.card is None:
            return _ok(request, {"outcome": Outcome.ABSENT.value})
        try:
            read = self._read_card(desk)
        except NotAHealthCard:
            return _ok(request, {"outcome": Outcome.NOT_THIS_CARD.value})
        except PsamRefused:
            return Answer(request.id, fault="psam_missing", words="no PSAM")
        except CardRemoved:
            return _ok(request, {"outcome": Outcome.REMOVED.value})
        except ProtocolError:
            return _ok(request, {"outcome": Outcome.UNREADABLE.value})
        except DriverError:
            return Answer(request.id, fault="reader_away", words="no reader")
        body: dict[str, Any] = card_body(read)
        if desk.misbehaviour == "wrong_types":
            body["birth"] = 19491231
        return _ok(request, {"outcome": Outcome.READ.value, "card": body})

    def _decode(self, request: Request, desk: Desk) -> Answer:
        found = desk.codes.get(request.arguments.get("code", ""))
        if found is None or not request.arguments.get("business"):
            return _ok(request, {"outcome": Outcome.EXPIRED.value})
        body = {
            "kind": "insurance_code",
            "number": found.number,
            "name": found.name,
            "token": "a token of the insurer's",
        }
        return _ok(request, {"outcome": Outcome.READ.value, "card": body})

    def _spoil(self, line: bytes, misbehaviour: str) -> bytes:
        before, self._last = self._last, line
        match misbehaviour:
            case "silent":
                return b""
            case "prints":
                return b"DEBUG open reader ok\n[1,2]\n{}\n" + line
            case "half_a_line":
                return line[: len(line) // 2]
            case "late_answer":
                return before + line
            case "not_json":
                return line.replace(b"{", b"").replace(b"}", b"")
            case "too_long":
                return b'{"id":1,"ok":{"x":"' + b"x" * 100_000 + b'"}}\n'
        return line


def _ok(request: Request, body: dict[str, Any]) -> Answer:
    return Answer(request.id, MappingProxyType(body))


def read_emulated(desk: Desk) -> PluginCard:
    """The desk's card and a PSAM, both emulated here."""
    assert desk.card is not None
    card, psam = HealthCardEmulator(desk.card), PsamEmulator()
    return read_health_card(
        lambda command: _spoilt(card.exchange(command), desk.misbehaviour),
        lambda command: _locked(psam.exchange(command), desk.misbehaviour),
    )


def _locked(answer: bytes | None, misbehaviour: str) -> bytes | None:
    return b"\x69\x82" if misbehaviour == "no_psam" else answer


def _spoilt(answer: bytes | None, misbehaviour: str) -> bytes | None:
    """What the card says, where the card itself is what goes wrong."""
    match misbehaviour:
        case "other_card":
            return b"\x6a\x82"
        case "pulled" if answer is not None and len(answer) > 20:
            raise CardRemoved("pulled")
        case "garbage" if answer is not None and len(answer) > 20:
            return answer[:2] + b"\x81\x20" + answer[4:]
    return answer
