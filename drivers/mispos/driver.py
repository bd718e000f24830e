"""Host side of a bank MIS-POS on a serial line: one request, one answer, told apart by the echo.

What an answer means for money stands in drivers/one_answer.py. Facts: PROTOCOL.md beside this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.deadline import Clock, Deadline
from drivers.errors import DeviceRefused, ProtocolError
from drivers.identity import DeviceIdentity
from drivers.mispos.codec import (
    NOTICES,
    FrameReader,
    Request,
    Response,
    encode_frame,
    parse_response,
)
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

KIND = "mispos"
CAPABILITIES = frozenset({"charge", "reverse", "refund", "last_payment", "end_of_day"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

LAST_INVOICE = 0
NEEDS_SIGN_IN = "00010014"
CARD_TROUBLE = frozenset({"00000002", "00000004"})
ECHOES = 10_000


@dataclass(frozen=True)
class TranCodes:
    """DF02 by acquirer. Only `sale` and `status` have a source; ask for the others on site."""

    sale: int = 1
    void: int = 2
    refund: int = 3
    sign_in: int = 5
    settle: int = 6
    reprint: int = 7
    status: int = 13


@dataclass(frozen=True)
class MisPosSettings:
    """What differs between acquirers and desks."""

    codes: TranCodes = TranCodes()
    desk: str = ""
    operator: str = ""
    cancel_results: frozenset[str] = frozenset()
    """Eight-digit results that the acquirer names as "given up before the bank was asked"."""
    busy_results: frozenset[str] = frozenset()
    """Eight-digit results that mean: another request is being served, this one was not begun."""


class MisPosDialect(EchoedLine):
    """The DF tags, on one connection. `draw(n)`: a number below n, for echoes that never repeat."""

    def __init__(
        self,
        stream: ByteStream,
        draw: Callable[[int], int],
        settings: MisPosSettings | None = None,
    ) -> None:
        super().__init__(stream, FrameReader, draw, ECHOES)
        self._settings = settings or MisPosSettings()

    def ask(self, ask: Ask, deadline: Deadline) -> Answer:
        """One request; an answer with another echo belongs to someone before us."""
        request = self._request(ask, self.next_echo())

        def take(body: bytes) -> Answer | None:
            if body.startswith(NOTICES):
                return None
            response = parse_response(body)
            ours = (response.echo, response.tran_code) == (request.echo, request.tran_code)
            return self._answer(ask, response) if ours else None

        return self.exchange(encode_frame(request.encode()), take, deadline)

    def probe(self, deadline: Deadline) -> DeviceIdentity:
        """Who answers; changes nothing."""
        self.ask(LookAtPad(), deadline)
        return DeviceIdentity(KIND, "MIS-POS")

    def _request(self, ask: Ask, echo: int) -> Request:
        settings = self._settings
        codes = settings.codes
        blank = Request(0, echo, desk=settings.desk, operator=settings.operator)
        match ask:
            case LookAtPad():
                return replace(blank, tran_code=codes.status)
            case SignIn():
                return replace(blank, tran_code=codes.sign_in)
            case SettleDay():
                return replace(blank, tran_code=codes.settle)
            case RecallLast():
                return replace(blank, tran_code=codes.reprint, old_invoice=LAST_INVOICE)
            case Sale(amount_fen=amount_fen):
                return replace(blank, tran_code=codes.sale, amount_fen=amount_fen)
            case RefundSale(amount_fen=amount_fen):
                return replace(blank, tran_code=codes.refund, amount_fen=amount_fen)
            case VoidSale(charged):
                if charged.receipt_no is None:
                    raise DeviceRefused("a void needs the receipt number")
                amount_fen, receipt_no = charged.amount_fen, charged.receipt_no
                return replace(
                    blank, tran_code=codes.void, amount_fen=amount_fen, old_invoice=receipt_no
                )

    def _answer(self, ask: Ask, response: Response) -> Answer:
        result = response.result
        moves_money = isinstance(ask, Sale | RefundSale | VoidSale)
        if moves_money and result == "00" and response.charged.trace is None:
            raise ProtocolError("approved, without a trace")
        verdict = self._verdict(result)
        if isinstance(ask, RecallLast) and verdict is Verdict.DONE:
            verdict = Verdict.REVERSED if response.is_undone else Verdict.DONE
            if response.charged.trace is None:
                verdict = Verdict.NOT_FOUND
        return Answer(verdict, result, response.charged)

    def _verdict(self, result: str) -> Verdict:
        settings = self._settings
        match result:
            case "00":
                return Verdict.DONE
            case "25":
                return Verdict.NOT_FOUND
            case code if code in UNCLEAR_CODES:
                return Verdict.UNCLEAR
            case code if len(code) == 2:
                return Verdict.DECLINED
            case code if code in settings.cancel_results:
                return Verdict.CANCELLED
            case code if code == NEEDS_SIGN_IN or code in settings.busy_results:
                return Verdict.NOT_READY
            case code if code in CARD_TROUBLE:
                return Verdict.DECLINED
            case _:
                return Verdict.UNCLEAR


def mispos_pad(
    stream: ByteStream,
    clock: Clock,
    draw: Callable[[int], int],
    settings: MisPosSettings | None = None,
) -> OneAnswerPad:
    """A pad on a serial line. `draw`: random.SystemRandom().randrange, or a test's own."""
    dialect = MisPosDialect(stream, draw, settings)
    return OneAnswerPad(dialect, clock)
