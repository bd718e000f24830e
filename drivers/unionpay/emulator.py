"""The library's side: fixed-width records before the shared bench of hands, bank and ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

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
from drivers.unionpay.codec import FrameReader, Request, Response, encode_frame, parse_request
from drivers.unionpay.driver import BUSY, UNDONE, TranTypes

__all__ = ["MISBEHAVIOURS", "UnionPayEmulator"]

TERMINAL_ID, MERCHANT_ID = "52500040", "104000000000002"
SENTENCES = {"00": "交易成功", "51": "卡内余额不足", "3G": "用户取消", "A4": "未签到，请重新签到"}


class UnionPayEmulator(PadBench):
    """An Emulator (drivers/transport.py)."""

    def __init__(self, ledger: PadLedger, wall: Callable[[], datetime]) -> None:
        super().__init__(ledger, wall, FrameReader)
        self._types = TranTypes()

    def serve(self, body: bytes) -> None:
        request = parse_request(body)
        types = self._types
        if self.is_busy:
            self._refuse(request, BUSY)
        elif request.tran_type == types.sign_in:
            self.signed_in = True
            self._answer(request, "00", Charged(0, terminal_id=TERMINAL_ID))
        elif request.tran_type == types.query:
            self._recall(request)
        elif not self.signed_in:
            self._refuse(request, "A4")
        elif request.tran_type == types.settle:
            self.ledger.close_day()
            self._answer(request, "00", Charged(0))
        elif request.tran_type in (types.sale, types.refund) and request.amount_fen:
            purpose = Purpose.SALE if request.tran_type == types.sale else Purpose.REFUND

            def say(conclusion: Conclusion) -> None:
                self._conclude(request, conclusion)

            self.open_payment(purpose, request.amount_fen, "", say)
        elif request.tran_type == types.void:
            self._void(request)
        else:
            self._refuse(request, "12")

    def _void(self, request: Request) -> None:
        asked = int(request.old_trace) if request.old_trace.isdecimal() else 0
        found = [entry for entry in self.ledger.entries if entry.trace == asked]
        if not found:
            self._refuse(request, "V0")
            return
        self._conclude(request, self.void(found[-1].receipt_no, request.amount_fen))

    def _recall(self, request: Request) -> None:
        entry = self.last()
        if entry is None:
            self._refuse(request, "V0")
        else:
            code = UNDONE if entry.fate is Fate.REVERSED else "00"
            self._answer(request, code, told_of(entry, TERMINAL_ID, MERCHANT_ID))

    def _conclude(self, request: Request, conclusion: Conclusion) -> None:
        match conclusion:
            case Entry():
                self._answer(request, "00", told_of(conclusion, TERMINAL_ID, MERCHANT_ID))
            case Refusal(code):
                self._refuse(request, code)
            case Failure.CANCELLED:
                self._refuse(request, "3G")
            case Failure.TIMED_OUT:
                self._refuse(request, "3F")

    def _answer(self, request: Request, code: str, charged: Charged) -> None:
        response = Response(code, request.lrc, charged, SENTENCES.get(code, "交易失败"))
        self.say(encode_frame(response.encode()))

    def _refuse(self, request: Request, code: str) -> None:
        self.refusals.append(code)
        self._answer(request, code, Charged(0))
