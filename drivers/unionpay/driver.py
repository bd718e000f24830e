"""Host side of the UnionPay Business library: one record asked, one answered.

The library itself runs in a process of its own, behind a byte stream, so that its crash is a lost
device and no more. What an answer means for money stands in drivers/one_answer.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    wait_out,
)
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


class UnionPayDialect:
    """Fixed-width records on one connection. `draw(n)`: a number below n, for lrc echoes."""

    def __init__(
        self,
        stream: ByteStream,
        draw: Callable[[int], int],
        settings: UnionPaySettings | None = None,
    ) -> None:
        self._stream = stream
        self._settings = settings or UnionPaySettings()
        self._reader = FrameReader()
        self._records: list[bytes] = []
        self._lrc = draw(LRC_NUMBERS)

    def ask(self, ask: Ask, deadline: Deadline) -> Answer:
        """One record; an answer with another lrc belongs to someone before us."""
        self._lrc = (self._lrc + 1) % LRC_NUMBERS
        request = self._request(ask)
        self._stream.discard_input()
        self._reader = FrameReader()
        self._records.clear()
        self._stream.write(encode_frame(request.encode()), deadline)
        while True:
            response = parse_response(self._record(deadline))
            if response.lrc == request.lrc:
                return self._answer(ask, response)

    def probe(self, deadline: Deadline) -> DeviceIdentity:
        """Who answers; changes nothing."""
        self.ask(LookAtPad(), deadline)
        return DeviceIdentity(KIND, "UMS library")

    def quiet(self, deadline: Deadline) -> None:
        """The library says nothing unasked."""
        wait_out(self._record, deadline)

    def close(self) -> None:
        """Close the stream; may be called twice."""
        self._stream.close()

    def _record(self, deadline: Deadline) -> bytes:
        while not self._records:
            self._records += self._reader.feed(self._stream.read(deadline))
        return self._records.pop(0)

    def _request(self, ask: Ask) -> Request:
        types = self._settings.types
        match ask:
            case SignIn():
                return self._asking(types.sign_in)
            case SettleDay():
                return self._asking(types.settle)
            case LookAtPad() | RecallLast():
                # The library has no question about itself; asking for the last changes nothing.
                return self._asking(types.query)
            case Sale(amount_fen=amount_fen):
                return self._asking(types.sale, amount_fen)
            case RefundSale(amount_fen=amount_fen):
                return self._asking(types.refund, amount_fen)
            case VoidSale(charged):
                if charged.trace is None:
                    raise DeviceRefused("a void needs the trace")
                return self._asking(types.void, charged.amount_fen, f"{charged.trace:06d}")

    def _asking(self, tran_type: str, amount_fen: int = 0, old_trace: str = "") -> Request:
        settings = self._settings
        return Request(
            tran_type,
            amount_fen,
            f"{self._lrc:03d}",
            counter=settings.counter,
            operator=settings.operator,
            old_trace=old_trace,
        )

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
