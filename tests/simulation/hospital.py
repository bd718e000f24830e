"""A hospital small enough for a million payments: one patient at a time, one bill, some numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from kiosk.domain.bill import Bill, BillLine, Quote, Split
from kiosk.domain.visit import Hold
from kiosk.hospital import contract as c
from tests.flows.people import DEPARTMENTS, WANG, slot
from tests.simulation.books import HospitalBook, ProviderBook


class Away(Exception):
    """The gateway says that nothing was done."""


@dataclass
class MiniHospital:
    """The gateway's endpoints, as the terminal meets them; its word is in `book`."""

    book: HospitalBook
    provider: ProviderBook
    chance: Random
    now: Callable[[], datetime]
    refuses: float = 0.0
    will_not_reverse: float = 0.0
    silent: float = 0.0
    may_reverse: Callable[[str], None] = field(default=lambda reference: None)
    payer: str = "paid"  # what the payer's own phone does with a scanned code
    own_fen: int = 4120
    bill: int = 0
    quotes: int = 0
    told: list[Any] = field(default_factory=list)
    reversals: dict[str, c.Charge] = field(default_factory=dict)  # final words of the gateway

    def new_patient(self) -> None:
        """The next person has another bill."""
        self.bill += 1

    def ask(self, request: Any) -> Any:
        """The reply; Away: nothing was done."""
        match request:
            case c.Identify():
                return c.Known(WANG)
            case c.AskToday():
                return self._today()
            case c.PreSettle():
                return self._quote(request)
            case c.AskDepartments():
                return c.DepartmentList(DEPARTMENTS)
            case c.AskSlots():
                return c.SlotList((slot("S9", 9), slot("S10", 10)))
            case c.HoldSlot(key):
                # One that arrives after its release ends by itself, at its own time.
                self.book.locks.setdefault(key, True)
                return c.Held(Hold(key, slot("S9", 9), self.now() + timedelta(minutes=30)))
            case c.ReleaseHold(_, key):
                self.book.locks[key] = False
                return c.Done()
            case c.CallHelp(key) | c.AskHelp(key):
                return c.Help(key, "小张")
        return self._money(request)

    def _money(self, request: Any) -> Any:
        match request:
            case c.OpenOrder(reference, amount_fen):
                self.provider.open(reference, amount_fen)
                return c.OrderOpened(f"https://pay.demo.invalid/o/{reference}")
            case c.PayByCode(reference, amount_fen):
                typing_s = self.chance.uniform(2, 40)
                said = self.provider.by_code(reference, amount_fen, self.payer, typing_s)
                return self._provider(said)
            case c.QueryCharge(reference):
                return self._provider(self.provider.query(reference))
            case c.CloseOrder(reference):
                return self._provider(self.provider.close(reference))
            case c.ReverseCharge(reference):
                return self._reverse(reference)
            case c.Settle():
                said = self.book.settle(request, self.chance.random() < self.refuses)
                if said is None:
                    raise Away
                if request.hold_key and isinstance(said, c.Settled):
                    self.book.locks[request.hold_key] = False
                return said
            case c.QuerySettlement(reference):
                return self.book.query(reference)
        raise Away  # reports, accounts, relatives: not in this small hospital

    def _provider(self, said: c.Charge) -> c.Charge:
        """On a bad day the provider does not say."""
        return replace(said, state="unknown") if self.chance.random() < self.silent else said

    def _reverse(self, reference: str) -> c.Charge:
        """The gateway asks the hospital first and keeps the first final word, as payments.py does.

        Without that word a slow request could give back what was refused to a later one meanwhile.
        """
        self.may_reverse(reference)
        if isinstance(self.book.query(reference), c.Settled):
            return replace(self.provider.query(reference), reason="booked")
        if (known := self.reversals.get(reference)) is not None:
            return known
        will = self.chance.random() >= self.will_not_reverse
        said = self._provider(self.provider.reverse(reference, will))
        if said.state in ("paid", "reversed", "closed", "declined"):
            self.reversals[reference] = said
        return said

    def _today(self) -> c.Today:
        paid = f"B{self.bill}" in self.book.paid_bills
        bill = Bill(f"B{self.bill}", "检查费", (BillLine("检查费", 1, 12850),))
        bills = () if paid else (bill,)
        return c.Today((), bills, self.own_fen if bills else 0, (), ())

    def _quote(self, ask: c.PreSettle) -> Any:
        self.quotes += 1
        of = f"Q{self.quotes}"
        bill = f"hold:{ask.hold_key}" if ask.hold_key else f"B{self.bill}"
        if bill in self.book.paid_bills:
            return c.QuoteRefused("already_paid")
        self.book.bill_of_quote[of] = bill
        own = 0 if self.chance.random() < 0.05 else self.own_fen
        split = Split(12850 - own, 0, 0, own)
        until = self.now() + timedelta(minutes=30)
        lines = (BillLine("检查费", 1, 12850),)
        quote = Quote(of, ask.bill_ids, lines, split, True, until, "signed", ask.person)
        return c.Quoted(quote)
