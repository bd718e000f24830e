"""What holds for a payment whatever pad, provider, hospital, people and restarts do.

The storyteller keeps time and open questions, as the engine does; hypothesis chooses who speaks
next and what they say, true or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.flows.effects import (
    AcceptCash,
    Ask,
    ChargePad,
    CompletePad,
    Effect,
    KeepCash,
    KeepMove,
    RecallCash,
    RecallPad,
    ReleasePad,
    ReturnNote,
    StackNote,
    StopCash,
    Wake,
)
from kiosk.flows.events import (
    CashNoteHeld,
    CashNoteKept,
    CashNoteRefused,
    CashNoteReturned,
    CashRecalled,
    CashSilent,
    CashStopped,
    CashUnreachable,
    PadApproved,
    PadProgressed,
    PadRecalled,
    Replied,
)
from kiosk.flows.payment import FINAL, At
from kiosk.hospital.contract import Charge, Method
from tests.flows import payments as p
from tests.flows.payments import Told, attempt, charge, failed, recalled, replied, woke

METHODS: tuple[Any, ...] = get_args(Method)
STATES: tuple[Any, ...] = get_args(At)
PASSING = ("INTENT", "PAID", "HIS_REJECTED", "REFUNDED")  # never at rest here
WHATS = ("order", "charge", "query", "close", "settle", "settlement", "reverse", "nonsense")
TIMERS = ("poll", "ask", "recall", "reverse", "give_up_waiting", "hold_limit", "doubt")
CHARGED: tuple[Any, ...] = (
    "paid",
    "declined",
    "waiting",
    "closed",
    "reversed",
    "not_found",
    "unknown",
)
FOUND: tuple[Any, ...] = ("none", "held", "completed", "reversed", "unclear")
PAD = (
    p.APPROVED,
    p.OTHER_AMOUNT,
    p.DECLINED,
    p.SILENT,
    p.COMPLETED,
    p.RELEASED,
    p.UNREACHABLE,
    PadProgressed(p.REF, "enter_pin"),
    *(recalled(found) for found in FOUND),
    recalled("held", 1),
    recalled("completed", 1),
)
CASH = (
    *(CashNoteHeld(p.REF, fen, 7) for fen in (100, p.FEN, p.FEN + 1)),
    *(CashNoteKept(p.REF, fen, 8) for fen in (100, p.FEN, p.FEN + 1)),
    CashNoteReturned(p.REF, 8),
    CashNoteRefused(p.REF),
    CashStopped(p.REF),
    CashStopped(p.REF, "cash_away"),
    CashSilent(p.REF),
    CashUnreachable(p.REF),
    *(CashRecalled(p.REF, clear, fen, 9) for clear in (True, False) for fen in (0, 100, p.FEN)),
)
MUTE_CASH = (CashSilent(p.REF), CashUnreachable(p.REF))
HOSPITAL = (p.BOOKED.reply, p.REFUSED.reply, p.NOT_FOUND.reply, p.OPENED.reply)
PROVIDER = tuple(
    Charge(reference, state, amount_fen)
    for state in CHARGED
    for reference in (p.REF, p.OTHER)
    for amount_fen in (p.FEN, 1)
)
FAULTS: tuple[Any, ...] = ("unreachable", "unknown", "refused", "bad")
EVERY = (
    *PAD,
    *CASH,
    *(replied(what, reply) for what in WHATS for reply in (*HOSPITAL, *PROVIDER)),
    *(failed(what, why) for what in WHATS for why in FAULTS),
    *(woke(timer) for timer in TIMERS),
    p.GIVEN_UP,
)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("at", [at for at in STATES if at not in PASSING])
def test_every_event_in_every_state_is_taken_or_ignored(at: At, method: Method) -> None:
    """The whole product: nothing raises, nothing leaves an end, no move is forbidden."""
    for event in EVERY:
        for completed in (False, True):
            told = Told(attempt(method, at=at, completed=completed))
            told.tell(event)
            assert p.forbidden(at, told.moves) == "", event
            if at in FINAL:
                assert told.payment.at == at and told.orders == [], event
            assert not {"ChargePad", "PayByCode", "OpenOrder"} & set(told.orders), event


# --- whole lives ---------------------------------------------------------------------------------


@dataclass
class Teller:
    """One payment with its clock, its timers and the questions nobody has answered yet."""

    told: Told
    now_s: float = 0.0
    open: list[Effect] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    paid_at_s: float | None = None
    said: set[Any] = field(default_factory=set)
    kept: KeepCash | None = None

    @classmethod
    def begin(cls, method: Method) -> Teller:
        teller = cls(Told.begin(attempt(method)))
        teller.look()
        return teller

    def tell(self, event: Any) -> None:
        if isinstance(event, PadApproved | PadRecalled):
            self.said.add(event)
        self.told.tell(event)
        self.look()

    def look(self) -> None:
        """What the new effects ask for, checked against the rules as it comes."""
        before = self.told.moves[: self._moves_seen()]
        for effect in self.told.done[self.seen :]:
            match effect:
                case KeepMove(_, state, _):
                    before.append(state)
                    if state == "PAID":
                        self.paid_at_s = self.now_s
                case Wake(name) if name.endswith(":doubt"):
                    pass  # it asks nobody: a payment that waits for it alone would hang
                case Wake(name, after_s):
                    self.timers[name.rpartition(":")[2]] = self.now_s + after_s
                case Ask() | ChargePad() | CompletePad() | ReleasePad() | RecallPad():
                    self._check(effect, before)
                    self.open.append(effect)
                case AcceptCash() | StackNote() | ReturnNote() | StopCash() | RecallCash():
                    self.open.append(effect)
                case KeepCash():
                    self.kept = effect
        self.seen = len(self.told.done)

    def _moves_seen(self) -> int:
        return sum(isinstance(effect, KeepMove) for effect in self.told.done[: self.seen])

    def _check(self, effect: Effect, moves: list[str]) -> None:
        at = moves[-1]
        order = p.order_of(effect)
        if isinstance(effect, ReleasePad):
            other_amount = at == "UNKNOWN" and self.said & {p.OTHER_AMOUNT, recalled("held", 1)}
            assert at == "REVERSING" or other_amount, (at, moves)
        if order == "ReverseCharge":
            assert "HIS_REJECTED" in moves, "reversed without the hospital's no"
            assert self.paid_at_s is not None and self.now_s - self.paid_at_s >= 15, "too early"

    def restart(self) -> None:
        """What the journal gives back, and nothing else."""
        moves, began = self.told.moves, self.told.done
        at: Any = moves[-1]
        proof = [e.evidence for e in began if isinstance(e, KeepMove) and e.state == "PAID"]
        method = self.told.payment.method
        proven = proof[-1] if proof else ""
        found = replace(attempt(method), at=at, evidence=proven, completed=method != "card")
        if self.kept is not None:
            taken_fen, note_fen = self.kept.taken_fen, self.kept.note_fen
            found = replace(found, taken_fen=taken_fen, note_fen=note_fen)
        if found.final:
            return
        self.open.clear()
        self.timers.clear()
        stepped = p.saga.recover(found)
        self.told.payment = stepped[0]
        self.told.done += stepped[1]
        self.look()

    def pass_time(self) -> None:
        """To the next timer."""
        if not self.timers:
            return
        name = min(self.timers, key=lambda one: self.timers[one])
        self.now_s = max(self.now_s, self.timers.pop(name))
        self.tell(woke(name))


def answers(order: Effect) -> tuple[Any, ...]:
    """Whatever may be said to one question."""
    match order:
        case ChargePad():
            return (p.APPROVED, p.OTHER_AMOUNT, p.DECLINED, p.CANCELLED, p.SILENT)
        case CompletePad() | ReleasePad():
            return (p.COMPLETED, p.RELEASED, p.SILENT, p.UNREACHABLE)
        case RecallPad():
            return (*(recalled(found) for found in FOUND), p.UNREACHABLE)
        case AcceptCash():
            return CASH
        case StackNote() | ReturnNote():
            return (*CASH[3:7], *MUTE_CASH)
        case StopCash():
            return (CashStopped(p.REF), *MUTE_CASH)
        case RecallCash():
            return (*(one for one in CASH if isinstance(one, CashRecalled)), MUTE_CASH[1])
        case Ask(tag):
            what = tag.rpartition(":")[2]
            lost = tuple(failed(what, why) for why in FAULTS)
            if what in ("settle", "settlement"):
                replies = tuple(replied(what, reply) for reply in HOSPITAL[:3])
            elif what == "order":
                replies = (p.OPENED,)
            else:
                replies = tuple(charge(what, state) for state in CHARGED)
            return (*replies, *lost)
    raise AssertionError(order)


def at_last(order: Effect, kind: bool) -> Any:
    """What a working pad, provider and hospital say in the end."""
    match order:
        case ChargePad():
            return p.APPROVED if kind else p.DECLINED
        case CompletePad():
            return p.COMPLETED
        case ReleasePad():
            return p.RELEASED
        case RecallPad():
            return recalled("held" if kind else "reversed")
        case AcceptCash() | StopCash():
            return CashStopped(p.REF)
        case StackNote() | ReturnNote():
            return CashNoteReturned(p.REF, 9)
        case RecallCash():
            return CashRecalled(p.REF, True, 0, 9)
        case Ask(tag):
            what = tag.rpartition(":")[2]
            ends = {
                "settle": p.BOOKED if kind else p.REFUSED,
                "settlement": p.NOT_FOUND,
                "order": p.OPENED,
                "reverse": charge("reverse", "reversed"),
            }
            return ends.get(what) or charge(what, "paid" if kind else "closed")
    raise AssertionError(order)


def steps(data: st.DataObject, teller: Teller) -> Iterator[str]:
    for _ in range(data.draw(st.integers(0, 14), label="steps")):
        ways = ["time", "late", "restart", "give up", "doubt"]
        ways += ["answer"] * 4 * bool(teller.open)
        yield data.draw(st.sampled_from(ways))


def live(data: st.DataObject, teller: Teller) -> None:
    """Anybody speaks, at any time, truly or not."""
    for way in steps(data, teller):
        match way:
            case "answer":
                at = data.draw(st.integers(0, len(teller.open) - 1))
                order = teller.open.pop(at)
                teller.tell(data.draw(st.sampled_from(answers(order))))
            case "time":
                teller.pass_time()
            case "restart":
                teller.restart()
            case "give up":
                teller.tell(p.GIVEN_UP)
            case "doubt":
                teller.tell(woke("doubt"))
            case "late":
                late = data.draw(st.sampled_from(EVERY))
                if not isinstance(late, p.Woke):  # timers are our own: they come when due
                    teller.tell(late)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_story_charges_twice_or_breaks_a_rule(data: st.DataObject) -> None:
    """P1, P5, P6: once asked for; nothing back too early or in doubt; only allowed moves."""
    teller = Teller.begin(data.draw(st.sampled_from(METHODS)))
    live(data, teller)
    orders = teller.told.orders
    for once in ("ChargePad", "PayByCode", "OpenOrder"):
        assert orders.count(once) <= 1
    assert p.forbidden("INTENT", teller.told.moves) == ""


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans())
def test_every_payment_ends_once_pad_and_hospital_answer(data: st.DataObject, kind: bool) -> None:
    """P1: whatever went before, honest answers end it, within an hour."""
    teller = Teller.begin(data.draw(st.sampled_from(METHODS)))
    live(data, teller)
    teller.tell(p.GIVEN_UP)
    for _ in range(60):
        if teller.told.payment.final:
            break
        if teller.open:
            teller.tell(at_last(teller.open.pop(0), kind))
        else:
            assert teller.timers, f"{teller.told.payment.at}: nobody will ask again"
            teller.pass_time()
    assert teller.told.payment.final, teller.told.payment.at
    assert teller.now_s < 3600


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_not_finished_always_waits_for_an_answer_or_a_time(data: st.DataObject) -> None:
    """No payment hangs: as long as it is open, a question is out or a timer runs."""
    teller = Teller.begin(data.draw(st.sampled_from(METHODS)))
    live(data, teller)
    payment = teller.told.payment
    assert payment.final or teller.open or teller.timers


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_money_is_called_not_charged_only_on_the_word_of_pad_or_provider(
    data: st.DataObject,
) -> None:
    """P4: silence, faults and foreign answers never end in DECLINED."""
    teller = Teller.begin(data.draw(st.sampled_from(METHODS)))
    mute = (p.SILENT, p.UNREACHABLE, recalled("unclear"), *MUTE_CASH)
    for order in iter(lambda: teller.open.pop(0) if teller.open else None, None):
        wordless = [
            one
            for one in answers(order)
            if one in mute
            or (isinstance(one, p.Failed) and one.why != "unreachable")
            or (isinstance(one, Replied) and isinstance(one.reply, Charge) and _mute(one.reply))
        ]
        teller.tell(data.draw(st.sampled_from(wordless or [p.UNREACHABLE])))
        if not teller.open and teller.timers and teller.now_s < 600:
            teller.pass_time()
    assert teller.told.payment.at != "DECLINED"


def _mute(said: Charge) -> bool:
    return said.state in ("unknown", "waiting")
