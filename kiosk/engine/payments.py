"""The payments that are under way: each a saga that outlives the page and the session it began in.

Rule: one open attempt a terminal, and beside one long in doubt one on another way; whoever turns
away from it gives it up, and a number that was locked for it is unlocked once nobody stands there
to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kiosk.flows import payment as saga
from kiosk.flows.common import registration_ended
from kiosk.flows.effects import DropNote, Effect, KeepAudit, Tell
from kiosk.flows.events import CashNoteKept, Event, PadApproved, PadCompleted, PaymentMoved
from kiosk.flows.payment import GivenUp, Payment, Way
from kiosk.hospital.contract import ReleaseHold

NOBODY = -1
NOT_BEGUN = "payments_off"
"""Why a payment ended that left no trace: nobody was asked for money."""


def unlock(hold_key: str, disposition: str) -> tuple[Effect, ...]:
    """Give a locked number back. A number that was booked meanwhile stays booked."""
    release = ReleaseHold(f"{hold_key}-release", hold_key)
    ended = registration_ended(hold_key, disposition)
    return (ended, DropNote(f"hold:{hold_key}"), Tell(release))


class Payments:
    """`perform` records and carries out; `moved` tells the pages; both are the engine's.

    `ended` is called with the reference of each that has come to its end; `admission` is asked
    before each, and says why it may not be begun.
    """

    def __init__(
        self,
        perform: Callable[[tuple[Effect, ...]], None],
        moved: Callable[[PaymentMoved], None],
        ended: Callable[[str], None],
        admission: Callable[[], str],
    ) -> None:
        self._perform, self._moved, self._ended = perform, moved, ended
        self._admission = admission
        self._payments: dict[str, Payment] = {}
        self._payers: dict[str, int] = {}

    @property
    def closed_ways(self) -> frozenset[Way]:
        """Ways to pay on which nothing may be begun now."""
        return saga.closed_ways(self._payments.values())

    @property
    def ways_in_doubt(self) -> frozenset[Way]:
        """Ways that stay closed although others are open again."""
        return saga.ways_in_doubt(self._payments.values())

    def pending(self, person: str) -> bool:
        """Nothing can be paid by this person until an earlier payment is final."""
        return saga.pending(self._payments.values(), person)

    def in_doubt(self) -> list[str]:
        """References that staff must look after: asked about for long, and no end."""
        return [one.reference for one in self._payments.values() if one.in_doubt and not one.final]

    def states(self) -> dict[str, str]:
        """Reference and state of each that is still known; no personal data."""
        return {payment.reference: payment.at for payment in self._payments.values()}

    def open_references(self) -> list[str]:
        return [one.reference for one in self._payments.values() if not one.final]

    def recover(self, found: Iterable[Payment]) -> None:
        """At start: ask what became of each, and unlock what nobody pays for any more."""
        for payment in found:
            if not payment.final:
                self._payers[payment.reference] = NOBODY
                self._after(payment, *saga.recover(payment))

    def holds(self) -> frozenset[str]:
        """Numbers that an open payment may still book."""
        open_ones = (one for one in self._payments.values() if not one.final)
        return frozenset(one.hold_key for one in open_ones if one.hold_key)

    def begin(self, payment: Payment, payer: int) -> None:
        """`payer` is the layer whose page shows it."""
        assert payment.way not in self.closed_ways, "one open payment a way"
        if self._admission():  # it could not be recorded to its end: it never was
            self._moved(PaymentMoved(payment.reference, "DECLINED", NOT_BEGUN))
            return
        self._payers[payment.reference] = payer
        self._after(payment, *saga.begin(payment))

    def tell(self, reference: str, event: Event | GivenUp) -> None:
        payment = self._payments.get(reference)
        if payment is not None:
            self._after(payment, *saga.step(payment, event))
        elif isinstance(event, PadApproved | PadCompleted | CashNoteKept):
            # Of an attempt that ended long ago, or of another's: kept, applied to nobody.
            fields = (("cause", "money_after_end"),)
            keep = KeepAudit("payment_evidence", reference=reference, fields=fields)
            self._perform((keep,))

    def left(self, payer: int) -> None:
        """This layer has gone: its attempt is given up, and its ended ones are forgotten."""
        for reference in [one for one, whose in self._payers.items() if whose == payer]:
            self._payers[reference] = NOBODY
            if self._payments[reference].final:
                self._forget(reference)
            else:
                self.tell(reference, GivenUp())

    def _after(self, before: Payment, now: Payment, effects: tuple[Effect, ...]) -> None:
        self._payments[now.reference] = now
        ending = now.final and not before.final
        self._perform((*effects, *self._hold_after(now)) if ending else effects)
        if ending:
            self._ended(now.reference)
        if now != before or now.at == "SENT":
            self._moved(
                PaymentMoved(
                    now.reference,
                    now.at,
                    reason=now.reason,
                    url=now.url,
                    progress=now.progress,
                    settled=now.settled,
                    taken_fen=now.taken_fen,
                )
            )
        if now.final and self._payers[now.reference] == NOBODY:
            self._forget(now.reference)

    def _hold_after(self, payment: Payment) -> tuple[Effect, ...]:
        """A number that was paid is no longer merely locked; one that was not is the page's to
        keep or unlock, and ours when the page is gone."""
        if not payment.hold_key:
            return ()
        if payment.at == "SETTLED":
            ended = registration_ended(payment.hold_key, "done")
            return (ended, DropNote(f"hold:{payment.hold_key}"))
        if self._payers[payment.reference] != NOBODY:
            return ()
        return unlock(payment.hold_key, "cancelled" if payment.at == "DECLINED" else "failed")

    def _forget(self, reference: str) -> None:
        """Nothing of a person stays in memory once there is nothing left to do."""
        del self._payments[reference], self._payers[reference]
