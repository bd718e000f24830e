"""Random walks through one flow, from a seed: which states it reaches, and what it may be told.

Half of the steps are what the page offers, the rest is what devices, hospital and time may say at
any moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from kiosk.flows import events as ev
from kiosk.flows.effects import (
    Ask,
    AskLent,
    AskTrail,
    CheckPin,
    Effect,
    EndSession,
    FindOffline,
    GiveNumber,
    Go,
    HandOver,
    HelpCall,
    Lent,
    NoNumber,
    PrintReport,
    PrintSlip,
    Return,
    ToIdentify,
    Volunteer,
    Wake,
)
from kiosk.flows.scene import Business, Scene
from kiosk.flows.slips import TrailLine
from kiosk.hospital import contract as hospital
from kiosk.views import Works
from tests.flows.people import (
    BILL,
    CHEN,
    CHEN_CARD,
    CHILD,
    DAY,
    DEPARTMENTS,
    LI,
    LI_CARD,
    NOTHING,
    NOW,
    RULES,
    SLOTS,
    TICKET,
    WANG,
    WANG_CARD,
    WANG_EXPECTED,
    WANG_NUMBER,
    given,
    hold,
    lent,
    quote,
)
from tests.flows.targets import targets

KNOWN = Scene(NOW, 1, RULES, Works(), person=WANG, today=DAY, look_up=True)
NEW = replace(KNOWN, person=None, today=None)
PROXY = replace(KNOWN, person=LI, acting=WANG, today=NOTHING, relation="child")
AWAY = replace(KNOWN, works=Works(False, False, False, False, False, False))
AT_HAND = replace(KNOWN, works=Works(hospital=False, numbers=4))
CARD = replace(AT_HAND, person=replace(WANG, person=""), today=None, by_card=WANG_CARD)
BACK = replace(CARD, works=Works(numbers=4))

STARTS: dict[str, list[tuple[Scene, Any]]] = {
    "attract": [(NEW, None), (replace(NEW, works=AWAY.works), None)],
    "identify": [
        (NEW, None),
        (NEW, "family"),
        (NEW, "pay"),
        (NEW, ToIdentify("start", ev.CardRead(WANG_CARD))),
        (NEW, ToIdentify("start", ev.CodeScanned("a" * 64 + ":0"))),
    ],
    "home": [
        *((scene, None) for scene in (KNOWN, AWAY, PROXY, AT_HAND, CARD, BACK)),
        (replace(KNOWN, today=None), None),
    ],
    "check_in": [(KNOWN, "A1"), (AWAY, "A1"), (KNOWN, "A9"), (NEW, "A1")],
    "register": [(KNOWN, ""), (AWAY, ""), (PROXY, "last"), (NEW, ""), (AT_HAND, ""), (CARD, "")],
    "register_lent": [(AT_HAND, ""), (CARD, ""), (NEW, "")],
    "print_reports": [(KNOWN, None), (AWAY, None), (replace(KNOWN, today=None), None), (NEW, None)],
    "proxy": [(KNOWN, None), (PROXY, None), (replace(KNOWN, today=NOTHING), None), (NEW, None)],
    "inquire": [(KNOWN, "more"), (AWAY, ""), (PROXY, None), (NEW, None)],
    "hand_over": [(KNOWN, HandOver("pay", 4120, "K03-1")), (NEW, HandOver("identify"))],
    "call_help": [(KNOWN, HelpCall()), (NEW, HelpCall("emergency")), (NEW, None)],
    "unlock": [(NEW, None)],
    "green_channel": [
        (NEW, Volunteer("张志愿", "3号门")),
        (replace(NEW, works=AWAY.works), Volunteer("张志愿", "3号门", waiting="{")),
        (replace(NEW, look_up=False), Volunteer("张志愿", "3号门")),
    ],
}

PDF = hospital.ReportFile("R1", b"JVBERi0=", 1)
REPLIES: dict[type, list[Any]] = {
    hospital.Identify: [
        hospital.Known(WANG),
        hospital.Known(CHEN),
        hospital.NotKnown(),
        hospital.SecondFactorAsked("phone_last4"),
        hospital.CodeExpired(),
        hospital.FactorWait(15),
    ],
    hospital.Enter: [hospital.Known(WANG), hospital.Known(LI)],
    hospital.AskToday: [DAY, NOTHING],
    hospital.AskDepartments: [hospital.DepartmentList(DEPARTMENTS), hospital.DepartmentList(())],
    hospital.AskSlots: [hospital.SlotList(SLOTS), hospital.SlotList(SLOTS), hospital.SlotList(())],
    hospital.HoldSlot: [
        hospital.Held(hold(SLOTS[0])),
        hospital.Held(hold(SLOTS[0], minutes=0)),
        hospital.SlotGone("none_left"),
        hospital.SlotGone("already_registered"),
    ],
    hospital.PreSettle: [
        hospital.Quoted(quote()),
        hospital.Quoted(quote(insured=False)),
        hospital.QuoteRefused("insurer_away"),
        hospital.QuoteRefused("hold_ended"),
        hospital.QuoteRefused("unknown_bill"),
    ],
    hospital.CheckIn: [hospital.CheckedIn(TICKET), hospital.CheckInRefused("too_early")],
    hospital.FetchReport: [PDF],
    hospital.AskAccount: [hospital.Account((BILL,)), hospital.Account(())],
    hospital.BindRelative: [hospital.Bound(CHILD)],
    hospital.CallHelp: [hospital.Help("k"), hospital.Help("k", "小张")],
    hospital.AskHelp: [hospital.Help("k"), hospital.Help("k", "小张")],
    hospital.LookUpHealthCode: [hospital.HealthCode("clear", NOW)],
}
ANY_REPLY = [reply for replies in REPLIES.values() for reply in replies]
LENT = Lent((lent(SLOTS[0]), lent(SLOTS[1]), lent(SLOTS[2], department=2)))
TRAIL = (TrailLine(NOW, "check_in_begun"),)
CARDS = (WANG_CARD, LI_CARD, CHEN_CARD)
CODES = ("a" * 64 + ":1", "134567890123456789", WANG_NUMBER, "\x00", "'; --", "x" * 5000)
NAMES = ("refresh", "notice", "over", "hold_ends", "paused", "curtain", "poll", "escalate")
WAKES = (*NAMES, "following", "unlocked", "nothing")
ODD_TARGETS = ("", ":", "slot:", "person:-1", "person:99", "day:yesterday", "question:", "key:")
STRAY_TARGETS = ("key:１", "key:-", "relation:", "waiting:", "kind:", "none", "confirm", "next")


@dataclass
class Explorer:
    """One flow under way; `met` has the states it was in, by their `at`."""

    business: Business
    random: Random
    scene: Scene = KNOWN
    state: Any = None
    asked: list[Effect] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    wakes: set[str] = field(default_factory=set)
    begun: bool = False

    def restart(self) -> tuple[Effect, ...]:
        scene, argument = self.random.choice(STARTS[self.business.name])
        self.scene = replace(scene, fresh=self.scene.fresh + 1)
        self.state, effects = self.business.start(self.scene, argument)
        self.asked, self.jobs, self.wakes = [], [], set()
        self.begun = True
        self._keep(effects)
        return effects

    def step(self, event: ev.Event) -> tuple[Effect, ...]:
        """One step; a flow that was left is begun anew at the next one."""
        now = self.scene.now + timedelta(seconds=self.random.choice((0, 0, 1, 7)))
        self.scene = replace(self.scene, fresh=self.scene.fresh + 1, now=now)
        self.state, effects = self.business.step(self.state, event, self.scene)
        self._keep(effects)
        return effects

    def event(self) -> ev.Event:
        """What happens next: mostly what the page offers, or an answer that is due."""
        shown = self.business.view(self.state, self.scene)
        offered = targets(shown)
        dice = self.random.random()
        if dice < 0.1 and shown.accepts.cards:
            return ev.CardRead(self.random.choice(CARDS))
        if dice < 0.45 and offered:
            return ev.Touched(self.random.choice(offered))
        if dice < 0.75 and (self.asked or self.jobs):
            return self.random.choice(list(self._due()))
        return self.random.choice(list(self.anything()))

    def _keep(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case Ask() | AskTrail() | AskLent() | GiveNumber() | FindOffline() | CheckPin():
                    self.asked.append(effect)
                case PrintSlip(job) | PrintReport(job):
                    self.jobs.append(job)
                case Wake(name):
                    self.wakes.add(name)
                case Go() | Return() | EndSession():
                    self.begun = False

    def _due(self) -> Iterator[ev.Event]:
        for asked in self.asked[-2:]:
            match asked:
                case Ask(tag, request):
                    yield from (ev.Replied(tag, reply) for reply in REPLIES[type(request)])
                    yield ev.Failed(tag, "unreachable")
                case AskLent(tag):
                    yield ev.Replied(tag, LENT)
                    yield ev.Replied(tag, LENT)
                    yield ev.Replied(tag, Lent(()))
                case GiveNumber(tag):
                    yield ev.Replied(tag, given(LENT.slots[0]))
                    yield ev.Replied(tag, given(LENT.slots[0], again=True))
                    yield ev.Replied(tag, NoNumber())
                case AskTrail(tag):
                    yield ev.Replied(tag, TRAIL)
                case FindOffline(tag):
                    yield ev.FoundOffline(tag, WANG_EXPECTED)
                    yield ev.FoundOffline(tag, None)
                case CheckPin():
                    yield ev.PinChecked(True, "张志愿", "3号门")
                    yield ev.PinChecked(False, tries_left=2)
                    yield ev.PinChecked(False, wait_s=30)
        for job in self.jobs[-1:]:
            yield from _paper(job)

    def anything(self) -> Iterator[ev.Event]:
        """Every type of event, with values that fit this moment and values that do not."""
        offered = targets(self.business.view(self.state, self.scene))
        for target in (*offered, "end", "back", "quit", *ODD_TARGETS, *STRAY_TARGETS):
            yield ev.Touched(target)
        yield from self._due()
        tags = [effect.tag for effect in self.asked if isinstance(effect, Ask | FindOffline)]
        for tag in {*tags[-1:], "", "who:0", "report:"}:
            yield from (ev.Replied(tag, reply) for reply in (*ANY_REPLY[::5], TRAIL, LENT, None))
            yield from (ev.Failed(tag, why) for why in ("unreachable", "unknown", "refused", "bad"))
            yield ev.FoundOffline(tag, WANG_EXPECTED)
        yield from (ev.Woke(name) for name in {*self.wakes, *WAKES})
        yield from _devices()


def _paper(job: str) -> Iterator[ev.Event]:
    yield ev.SlipPrinted(job)
    yield ev.SlipFailed(job, "no_receipt_paper", maybe=True)
    yield ev.ReportSending(job)
    yield ev.ReportPrinted(job)
    yield ev.ReportPaused(job, "no_report_paper")
    yield ev.ReportFailed(job, "a4_printer_away")


def _devices() -> Iterator[ev.Event]:
    yield ev.CardLaid()
    yield from (ev.CardRead(card) for card in CARDS)
    yield ev.CardTrouble("put_again")
    yield from (ev.CodeScanned(text) for text in CODES)
    yield ev.CodeRejected()
    yield ev.CodeHint("glare")
    yield from _paper("no job of ours")
    yield ev.PinChecked(True, "张志愿", "3号门")
    yield ev.BankCardInserted()
    yield ev.PadProgressed("K03-1", "enter_pin")
    yield ev.PadApproved("K03-1", 100, "trace")
    yield ev.PadDeclined("K03-1", "declined")
    yield ev.PadSilent("K03-1")
    yield ev.PadCompleted("K03-1")
    yield ev.PadReleased("K03-1")
    yield ev.PadRecalled("K03-1", "none")
    yield ev.PadUnreachable("K03-1")
    yield ev.CashNoteHeld("K03-1", 2000, 1)
    yield ev.CashNoteKept("K03-1", 2000, 2)
    yield ev.CashNoteReturned("K03-1", 2)
    yield ev.CashNoteRefused("K03-1")
    yield ev.CashStopped("K03-1")
    yield ev.CashSilent("K03-1")
    yield ev.CashUnreachable("K03-1")
    yield ev.CashRecalled("K03-1", True, 0, 2)
    yield ev.PaymentMoved("K03-1", "SETTLED")
