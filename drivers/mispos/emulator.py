"""Device side of a bank MIS-POS: DF tags before the shared bench of hands, bank and ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from drivers.mispos.codec import FrameReader, Request, Response, encode_frame, parse_request
from drivers.mispos.driver import LAST_INVOICE, MisPosSettings, TranCodes
from drivers.pad import Charged
from drivers.pad_bench import (
    MISBEHAVIOURS,
    Conclusion,
    Failure,
    PadBench,
    Purpose,
    Refusal,
    told_of,
)
from drivers.pad_ledger import Entry, Fate, PadLedger

__all__ = ["CANCELLED", "EMULATED", "MISBEHAVIOURS", "MisPosEmulator"]

ACK = b"\x06"
CANCELLED, BUSY = "00000001", "00000009"
"""This emulator's own codes: no source names them."""

EMULATED = MisPosSettings(
    desk="0001",
    operator="81",
    cancel_results=frozenset({CANCELLED}),
    busy_results=frozenset({BUSY}),
)
"""Settings that fit this emulator."""

TERMINAL_ID, MERCHANT_ID = "52500039", "104000000000001"


class MisPosEmulator(PadBench):
    """An Emulator (drivers/transport.py)."""

    def __init__(self, ledger: PadLedger, wall: Callable[[], datetime]) -> None:
        super().__init__(ledger, wall, FrameReader)
        self._codes = TranCodes()

    def serve(self, body: bytes) -> None:
        request = parse_request(body)
        self.say(ACK)
        codes = self._codes
        if self.is_busy:
            self._refuse(request, BUSY)
        elif request.tran_code == codes.status:
            self._answer(request, "00", Charged(0, terminal_id=TERMINAL_ID))
        elif request.tran_code == codes.sign_in:
            self.signed_in = True
            self._answer(request, "00", Charged(0, terminal_id=TERMINAL_ID))
        elif not self.signed_in and request.tran_code != codes.reprint:
            self._refuse(request, "00010014")
        elif request.tran_code == codes.settle:
            self.ledger.close_day()
            self._answer(request, "00")
        elif request.tran_code == codes.reprint:
            self._reprint(request)
        else:
            self._pay(request)

    def _pay(self, request: Request) -> None:
        codes, amount_fen = self._codes, request.amount_fen or 0
        if amount_fen == 0:
            self._refuse(request, "13")
        elif request.tran_code in (codes.sale, codes.refund):
            purpose = Purpose.SALE if request.tran_code == codes.sale else Purpose.REFUND

            def say(conclusion: Conclusion) -> None:
                self._conclude(request, conclusion)

            self.open_payment(purpose, amount_fen, "", say)
        elif request.tran_code == codes.void:
            self._conclude(request, self.void(request.old_invoice or 0, amount_fen))
        else:
            self._refuse(request, "12")

    def _reprint(self, request: Request) -> None:
        entry = self.last()
        if request.old_invoice != LAST_INVOICE:
            entry = self.ledger.by_receipt(request.old_invoice or 0)
        self._conclude(request, entry if entry is not None else Refusal("25"))

    def _conclude(self, request: Request, conclusion: Conclusion) -> None:
        match conclusion:
            case Entry():
                self._answer(request, "00", self._told(conclusion), conclusion.fate)
                if request.tran_code == self._codes.sale:
                    notice = b"ACKACK" + f"{conclusion.receipt_no:06d}".encode("ascii")
                    self.say(encode_frame(notice))
            case Refusal(code):
                self._refuse(request, code)
            case Failure():
                self._refuse(request, CANCELLED)

    def _told(self, entry: Entry) -> Charged:
        told = told_of(entry, TERMINAL_ID, MERCHANT_ID)
        return replace(told, trace=entry.reversal_trace or entry.trace)

    def _answer(
        self,
        request: Request,
        result: str,
        charged: Charged | None = None,
        fate: Fate = Fate.COMPLETED,
    ) -> None:
        undone = fate is Fate.REVERSED
        told = charged if charged is not None else Charged(0)
        response = Response(request.tran_code, request.echo, result, told, undone)
        self.say(encode_frame(response.encode()))

    def _refuse(self, request: Request, code: str) -> None:
        self.refusals.append(code)
        self._answer(request, code)
