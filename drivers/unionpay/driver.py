"""Host side of the UnionPay Business library: one record asked, one answered.

The library itself runs in a process of its own, behind a byte stream, so that its crash is a lost
device and no more. What an answer means for money stands in drivers/one_answer.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.deadline import Clock, Deadline
from drivers.errors import DeviceRefused, ProtocolError
from drivers.identity import DeviceIdentity
from drivers.one_answer import (
    UNCLEAR_CODES,
    Answer,
    Ask,
    LookAtPad,
    OneAnswerPad,
    RecallLast,
    RefundSale,
    Sale,
    SettleDay,
    SignIn,
    Verdict,
    VoidSale,
)
from drivers.one_answer_line import EchoedLine
from drivers.transport import ByteStream
from drivers.unionpay.codec import (
    FrameReader,
    Request,
    Response,
    encode_frame,
    parse_response,
)

KIND = "unionpay"
CAPABILITIES = frozenset({"charge", "reverse", "refund", "last_payment", "end_of_day"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

LRC_NUMBERS = 1000
NOT_FOUND = frozenset({"25", "V0", "Y4"})
CANCELLED = frozenset({"3E", "3F", "3G"})
"""PIN not typed in time, key not pressed in time, cancelled by the person: before the bank."""
NOT_READY = frozenset({"58", "A4", "1K"})
"""Sign in first."""
UNDONE = "X5"
BUSY = "90"


@dataclass(frozen=True)
class TranTypes:
    """Two digits by library version. Sources disagree from 04 on: see PROTOCOL.md."""

    sale: str = "00"
    void: str = "01"
    refund: str = "02"
    query: str = "04"
    settle: str = "05"
    sign_in: str = "06"


@dataclass(frozen=True)
class UnionPaySettings:
    """What differs between libraries and desks."""

    types: TranTypes = TranTypes()
    counter: str = ""
    operator: str = ""


class UnionPayDialect(EchoedLine):
    """Fixed-width records on one connection. `draw(n)`: a number below n, for lrc echoes."""

    def __init__(
        self,
        stream: ByteStream,
        draw: Callable[[int], int],
        settings: UnionPaySettings | None = None,
    ) -> None:
        super().__init__(stream, FrameReader, draw, LRC_NUMBERS)
        self._settings = settings or UnionPaySettings()

    def ask(self, ask: Ask, deadline: Deadline) -> Answer:
        """One record; an answer with another lrc belongs to someone before us."""
        request = self._request(ask, f"{self.next_echo():03d}")

        def take(record: bytes) -> Answer | None:
            response = parse_response(record)
            return self._answer(ask, response) if response.lrc == request.lrc else None

        return self.exchange(encode_frame(request.encode()), take, deadline)

    def probe(self, deadline: Deadline) -> DeviceIdentity:
        """Who answers; changes nothing."""
        self.ask(LookAtPad(), deadline)
        return DeviceIdentity(KIND, "UMS library")

    def _request(self, ask: Ask, lrc: str) -> Request:
        settings = self._settings
        types = settings.types
        blank = Request("", 0, lrc, counter=settings.counter, operator=settings.operator)
        match ask:
            case SignIn():
                return replace(blank, tran_type=types.sign_in)
            case SettleDay():
                return replace(blank, tran_type=types.settle)
            case LookAtPad() | RecallLast():
                # The library has no question about itself; asking for the last changes nothing.
                return replace(blank, tran_type=types.query)
            case Sale(amount_fen=amount_fen):
                return replace(blank, tran_type=types.sale, amount_fen=amount_fen)
            case RefundSale(amount_fen=amount_fen):
                return replace(blank, tran_type=types.refund, amount_fen=amount_fen)
            case VoidSale(charged):
                if charged.trace is None:
                    raise DeviceRefused("a void needs the trace")
                amount_fen, trace = charged.amount_fen, f"{charged.trace:06d}"
                return replace(blank, tran_type=types.void, amount_fen=amount_fen, old_trace=trace)

    def _answer(self, ask: Ask, response: Response) -> Answer:
        code, charged = response.code, response.charged
        moves_money = isinstance(ask, Sale | RefundSale | VoidSale)
        if moves_money and code == "00" and (charged.trace is None or charged.amount_fen == 0):
            raise ProtocolError("approved, without trace or amount")
        verdict = _verdict(code)
        if isinstance(ask, RecallLast) and code == UNDONE:
            verdict = Verdict.REVERSED
        if isinstance(ask, RecallLast) and verdict is Verdict.DONE and charged.trace is None:
            verdict = Verdict.NOT_FOUND
        return Answer(verdict, code, charged)


def _verdict(code: str) -> Verdict:
    if code == "00":
        return Verdict.DONE
    if code in NOT_FOUND:
        return Verdict.NOT_FOUND
    if code in NOT_READY or code == BUSY:
        return Verdict.NOT_READY
    if code in CANCELLED:
        return Verdict.CANCELLED
    # Two digits are a bank's or the switch's; letters are the library's own troubles, which
    # may strike after the bank was asked.
    if code in UNCLEAR_CODES or not code.isdigit():
        return Verdict.DECLINED if code == UNDONE else Verdict.UNCLEAR
    return Verdict.DECLINED


def unionpay_pad(
    stream: ByteStream,
    clock: Clock,
    draw: Callable[[int], int],
    settings: UnionPaySettings | None = None,
) -> OneAnswerPad:
    """A pad behind the library's process. `draw`: random.SystemRandom().randrange, or a test's."""
    dialect = UnionPayDialect(stream, draw, settings)
    return OneAnswerPad(dialect, clock)
