"""The loop's heart: event → step → recorded → performed → view. One thread owns all of it.

The engine is handed everything (records, outside, clock, flows) and starts nothing: a thread or
a test calls tell() with one event after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiosk.engine import idle
from kiosk.engine.cash import CashBox
from kiosk.engine.frame import Drawing, Drawn
from kiosk.engine.hands import Hands
from kiosk.engine.payments import Payments, unlock
from kiosk.engine.printing import print_audit
from kiosk.engine.questions import answer
from kiosk.engine.session import Layer, Session
from kiosk.engine.sessions import Around, Sessions
from kiosk.engine.standing import Standing, Stood
from kiosk.engine.timers import Timers
from kiosk.flows.common import index_of
from kiosk.flows.effects import (
    Ask,
    AskLent,
    AskQuote,
    AskTrail,
    BeginPayment,
    CheckPin,
    DropNote,
    Effect,
    EndSession,
    FindOffline,
    GiveNumber,
    GiveUpPayment,
    Go,
    HelpCall,
    KeepAudit,
    KeepCash,
    KeepMove,
    KeepNote,
    KeepPayment,
    KeepQueued,
    KeepQuote,
    KeepReturned,
    PrintReport,
    PrintSlip,
    Return,
    SetActing,
    SetPerson,
    SetToday,
    Tell,
    Wake,
)
from kiosk.flows.events import (
    BankCardInserted,
    CardLaid,
    CardRead,
    CardTrouble,
    CashSaid,
    CodeHint,
    CodeRejected,
    CodeScanned,
    Event,
    Failed,
    PadProgressed,
    PadSaid,
    Replied,
    ReportFailed,
    ReportPaused,
    ReportPrinted,
    ReportSending,
    SlipFailed,
    SlipPrinted,
    Touched,
    Woke,
)
from kiosk.flows.payment import GivenUp, Payment
from kiosk.flows.scene import Business, Rules, Scene, Shown
from kiosk.hospital.contract import CallHelp
from kiosk.ports import (
    Answered,
    AskHospital,
    Clock,
    DeviceStood,
    Listen,
    NumbersStood,
    Outside,
    PadLooked,
    Part,
    Records,
    TellHospital,
    Ticked,
    Told,
)
from kiosk.views import Named, Touch, View

PAYMENTS = 0
"""The owner of the payments' asks and timers: they outlive every session."""

_KEEPS = (
    *(KeepQueued, KeepAudit, KeepMove, KeepPayment, KeepCash, KeepReturned),
    *(KeepNote, DropNote, KeepQuote),
)


@dataclass(frozen=True)
class Setting:
    """The parts of the profile that the frame shows."""

    hospital: Named
    place: Named
    rules: Rules


class Engine:
    """All state of the terminal. Call start() once, then tell() for everything that happens."""

    def __init__(
        self,
        setting: Setting,
        businesses: Mapping[str, Business],
        *,
        records: Records,
        outside: Outside,
        clock: Clock,
        show: Callable[[View], None],
    ) -> None:
        self._setting, self._clock = setting, clock
        self._records, self._outside = records, outside
        self._show = show
        self._drawing = Drawing(setting.hospital, setting.place)
        self._timers = Timers()
        self._standing = Standing(CashBox(records.notes(CashBox.NOTE)))
        self._hands = Hands()
        self._asked = 0
        self._asks: dict[int, tuple[int, str]] = {}
        self._later: deque[Callable[[], None]] = deque()
        self._payments = Payments(
            perform=lambda effects: self._perform(None, effects),
            moved=lambda moved: self._later.append(lambda: self._sessions.broadcast(moved)),
            ended=self._payment_ended,
            admission=records.admission,
        )
        around = Around(self._scene, self._commit, self._perform, self._forget)
        self._sessions = Sessions(businesses, records, around)
        self._active_s = clock.monotonic_s()
        self._listening = Listen(False, "")
        self.drawn: Drawn | None = None

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Settle what was open by asking, unlock what was locked, then show the first page."""
        self._standing.queued = self._records.waiting()
        self._payments.recover(self._records.open_payments())
        for name in self._records.notes("hold:"):
            if name.removeprefix("hold:") not in self._payments.holds():
                self._perform(None, unlock(name.removeprefix("hold:"), "failed"))
        self._sessions.enter("attract", None, None)
        self._settle()

    def tell(self, told: Told) -> None:
        """One thing happened. Everything that follows from it is done before this returns."""
        match told:
            case Touch():
                self._touch(told)
            case Answered():
                self._answered(told)
            case _ if isinstance(told, Stood):
                self._stood(told)
            case CardLaid() | CardRead() | CardTrouble() | BankCardInserted():
                self._credential(told)
            case CodeScanned() | CodeRejected():
                self._credential(told)
            case CodeHint():
                self._sessions.step(self._session.top, told)  # a word, and no sign of life
            case SlipPrinted() | SlipFailed() | ReportPrinted() | ReportFailed():
                self._paper(told)
            case _ if isinstance(told, PadProgressed | PadSaid | CashSaid):
                # No sign of life: a payer's own page stays of itself, and others are asked about.
                self._payments.tell(told.reference, told)
            case ReportSending() | ReportPaused():
                self._active()
                self._sessions.broadcast(told)
            case Ticked():
                pass
            case _:
                raise AssertionError(f"{type(told).__name__} is made by the engine, not told to it")
        self._settle()

    def next_due_s(self) -> float | None:
        """When tell(Ticked()) is needed at the latest, on the monotonic clock."""
        return self._timers.next_s()

    def status(self) -> dict[str, Any]:
        """For `kiosk status`: no personal data."""
        works = self._standing.works
        return {
            "page": self.drawn.view.page.page if self.drawn else "",
            "works": {part: it for part, it in vars(works).items() if isinstance(it, bool)},
            "numbers": works.numbers,
            "queued": self._standing.queued,
            "open_payments": self._payments.open_references(),
            "payments": self._payments.states(),
            "in_doubt": self._payments.in_doubt(),
            "cash_box": self._standing.cash.status(),
        }

    def _settle(self) -> None:
        self._run_timers()
        while self._later:
            self._later.popleft()()
        shown = self._shown()
        if self._left_alone(shown):
            while self._later:
                self._later.popleft()()
            shown = self._shown()
        self._draw(shown)

    def _run_timers(self) -> None:
        for owner, name in self._timers.take_due(self._clock.monotonic_s()):
            if owner == PAYMENTS:
                self._payments.tell(name.split(":")[1], Woke(name))
            else:
                self._sessions.to_layer(owner, Woke(name))

    def _stood(self, stood: Stood) -> None:
        self._commit(self._standing.told(stood))
        part = self._hands.wanted(stood, self._clock.monotonic_s())
        if part is not None:
            self._call_to(part)
        match stood:
            case DeviceStood("receipt_printer", True):
                self._print_again()
            case PadLooked(mark):
                self._records.pad_looked(mark)

    def _call_to(self, part: Part) -> None:
        scene = self._scene()
        call = CallHelp(scene.key("help"), scene.rules.place, part)
        self._outside.order(TellHospital(call))

    # --- the person and the flows ----------------------------------------------------------------

    @property
    def _session(self) -> Session:
        return self._sessions.now

    def _forget(self, layer: Layer) -> None:
        self._timers.drop(layer.token)
        self._asks = {id: ask for id, ask in self._asks.items() if ask[0] != layer.token}
        self._later.append(lambda: self._payments.left(layer.token))

    def _scene(self) -> Scene:
        """For one step: with a number that no other step gets."""
        return self._look(self._records.fresh())

    def _look(self, fresh: int) -> Scene:
        session, standing = self._session, self._standing
        return Scene(
            now=self._clock.now(),
            fresh=fresh,
            rules=self._setting.rules,
            works=standing.works,
            language=session.language,
            person=session.person,
            acting=session.acting,
            relation=session.relation,
            today=session.today,
            elder=session.elder,
            card_expired=session.card_expired,
            by_card=session.by_card,
            quote=session.quote,
            payment_open=self._payments.pending(session.person.person if session.person else ""),
            ways_in_doubt=self._payments.ways_in_doubt,
            pad_mark=standing.pad_mark,
            notes_fen=standing.cash.notes_fen,
            look_up=standing.policy.on,
            look_up_version=standing.policy.version,
            queued=standing.queued,
        )

    # --- fingers and credentials -----------------------------------------------------------------

    def _touch(self, touch: Touch) -> None:
        if self.drawn is None:
            return
        warned = self.drawn.view.frame.idle_left_s is not None
        self._active()
        if warned or touch.serial != self.drawn.view.serial:
            return  # somebody is there; on a warning, or a page that is gone, it means no more
        session = self._session
        match touch.target:
            case target if session.adjusted(target):
                pass
            case "help" if session.top.business.name != "call_help":
                self._sessions.enter("call_help", HelpCall(page=self.drawn.view.page.page), None)
            case target:
                self._sessions.step(session.top, Touched(target))

    def _credential(self, event: Event) -> None:
        self._active()
        if self.drawn is not None and self.drawn.view.frame.idle_left_s is not None:
            return  # somebody is there; the warning goes, the page stays
        self._sessions.step(self._session.top, event)

    def _active(self) -> None:
        self._active_s = self._clock.monotonic_s()

    def _left_alone(self, shown: Shown) -> bool:
        """True: nobody has touched anything for long, and it was locked or wiped."""
        session = self._session
        now_s = self._clock.monotonic_s()
        on_attract = session.top.business.name == "attract"
        stays = session.as_new if on_attract else shown.idle == "never"
        if stays:
            self._active_s = now_s
            return False
        idle_s = now_s - self._active_s
        if shown.idle == "volunteer":
            if idle_s < idle.VOLUNTEER_S:
                return False
            self._active()
            self._sessions.step(session.top, Touched("lock"))
            return True
        if not idle.over(session, idle_s):
            return False
        self._wipe()
        return True

    def _wipe(self) -> None:
        """Nobody is there any more: each flow may tidy up, then all of it goes."""
        self._sessions.tidy(besides=None)
        self._sessions.end("timed_out")

    # --- payments --------------------------------------------------------------------------------

    def _begin(self, begin: BeginPayment, payer: int) -> None:
        session, standing = self._session, self._standing
        assert session.person is not None, "a payment is for a known person"
        payment = Payment(
            reference=begin.reference,
            method=begin.method,
            amount_fen=begin.amount_fen,
            person=session.person.person,
            quote_id=begin.quote.id,
            begun=self._clock.now(),
            number=index_of(session.person),
            hold_key=begin.hold_key,
            acting=session.acting.person if session.acting else "",
            pad_mark=standing.cash.mark if begin.method == "cash" else standing.pad_mark,
            payer_code=begin.payer_code,
        )
        self._payments.begin(payment, payer)

    def _payment_ended(self, reference: str) -> None:
        self._timers.drop_named(PAYMENTS, f"pay:{reference}:")
        if self._standing.pad_mark:  # by what is known of this one, the pad's last may be known
            self._records.pad_looked(self._standing.pad_mark)

    # --- answers ---------------------------------------------------------------------------------

    def _answered(self, answered: Answered) -> None:
        owner, tag = self._asks.pop(answered.id, (-1, ""))
        event: Event = Replied(tag, answered.reply)
        if answered.why:
            event = Failed(tag, answered.why)
        if owner == PAYMENTS:
            self._payments.tell(tag.split(":")[1], event)
        else:
            self._sessions.to_layer(owner, event)

    def _paper(self, event: SlipPrinted | SlipFailed | ReportPrinted | ReportFailed) -> None:
        self._active()
        fields: tuple[tuple[str, str | int | bool], ...] = (("job", event.job),)
        match event:
            case SlipFailed(job, why, maybe):
                self._session.failed(job, maybe)
                disposition = "unknown" if maybe else "failed"
                fields = (*fields, ("disposition", disposition), ("cause", why))
            case ReportFailed(_, why):
                fields = (*fields, ("disposition", "failed"), ("cause", why))
            case _:
                fields = (*fields, ("disposition", "done"))
        printed = self._session.slips.get(event.job)
        number = printed.slip.number if printed else ""
        self._commit([KeepAudit("print_ended", slip=number, fields=fields)])
        self._sessions.broadcast(event)

    # --- effects ---------------------------------------------------------------------------------

    def _commit(self, keeps: list[Effect]) -> None:
        if keeps:
            self._records.commit(keeps, self._session.id)
            self._standing.queued = self._records.waiting()

    def _perform(self, layer: Layer | None, effects: tuple[Effect, ...]) -> None:
        """Records first, in one transaction; then the rest, in the flow's order."""
        keeps: list[Effect] = [effect for effect in effects if isinstance(effect, _KEEPS)]
        keeps += [print_audit(e) for e in effects if isinstance(e, PrintSlip | PrintReport)]
        keeps += self._standing.cash.after(keeps)
        self._commit(keeps)
        for effect in effects:
            if not isinstance(effect, _KEEPS):
                self._do(layer, effect)

    def _do(self, layer: Layer | None, effect: Effect) -> None:
        owner = layer.token if layer else PAYMENTS
        session = self._session
        match effect:
            case Ask(tag, request):
                self._asked += 1
                self._asks[self._asked] = (owner, tag)
                self._outside.order(AskHospital(self._asked, request))
            case Tell(request):
                self._outside.order(TellHospital(request))
            case Wake(name, after_s):
                self._timers.set(owner, name, self._clock.monotonic_s() + after_s)
            case FindOffline() | CheckPin() | AskTrail() | AskLent() | GiveNumber() | AskQuote():
                self._answer(owner, answer(self._records, effect, session.id))
                if isinstance(effect, GiveNumber):
                    self._count_numbers()
            case SetPerson() | SetToday() | SetActing():
                today = self._clock.now().date()
                session.learn(effect, today, self._setting.rules.elder_age)
            case BeginPayment():
                self._begin(effect, owner)
            case GiveUpPayment(reference):
                self._later.append(lambda: self._payments.tell(reference, GivenUp()))
            case Go() | Return() | EndSession():
                self._later.append(lambda: self._sessions.go(layer, effect, session))
            case PrintSlip():
                self._print(replace(effect, language=session.language))
            case _:
                self._outside.order(effect)

    def _print(self, effect: PrintSlip) -> None:
        self._session.slips[effect.job] = effect
        self._outside.order(effect)

    def _print_again(self) -> None:
        """The printer is well again: what could not be printed for this person is printed now."""
        for job in sorted(self._session.unprinted):
            effect = self._session.slips[job]
            self._session.unprinted.discard(job)
            self._commit([print_audit(effect)])
            self._outside.order(effect)

    def _count_numbers(self) -> None:
        """One of them has been given away, and its record waits."""
        self._standing.queued = self._records.waiting()
        left = sum(one.slot.left for one in self._records.lent())
        self._commit(self._standing.told(NumbersStood(left)))

    def _answer(self, owner: int, event: Event) -> None:
        self._later.append(lambda: self._sessions.to_layer(owner, event))

    # --- the page --------------------------------------------------------------------------------

    def _shown(self) -> Shown:
        top = self._session.top
        return top.business.view(top.state, self._look(0))

    def _draw(self, shown: Shown) -> None:
        counting = shown.idle == "count" and self._session.top.business.name != "attract"
        idle_s = self._clock.monotonic_s() - self._active_s
        idle_left_s = idle.left_s(self._session, idle_s) if counting else None
        drawn = self._drawing.draw(
            shown,
            self._session,
            works=self._standing.works,
            now=self._clock.now(),
            idle_left_s=idle_left_s,
            before=self.drawn,
        )
        accepts = shown.accepts
        listen = Listen(accepts.cards, accepts.codes, accepts.bank_cards)
        if listen != self._listening:
            self._listening = listen
            self._outside.order(listen)
        before, self.drawn = self.drawn, drawn
        if before is None or drawn.view != before.view:
            self._show(drawn.view)
