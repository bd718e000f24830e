"""What a terminal owns: numbers given once, quotes used once, by a time that cannot be turned back.

The gateway is the real one, in this process, before its demo hospital; its own book is compared.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given as tried
from hypothesis import strategies as st

from gateway import slots
from gateway.adapters.port import Refused
from kiosk.domain.bill import Quote, Split
from kiosk.domain.identity import Credential, DocumentKind, Identity
from kiosk.domain.visit import GivenNumber
from kiosk.flows.effects import GiveNumber, KeepMove, KeepPayment, KeepQuote, NoNumber
from kiosk.flows.payment import Payment
from kiosk.hospital import contract as c
from kiosk.lending import AGAIN_S, Lending
from kiosk.owned import SAFE_MARGIN, signed_by
from kiosk.ports import Answered, NumbersStood
from kiosk.records import StoreRecords, open_records
from offline.errors import StoreFull
from tests.drills.leases import fast_folder
from tests.engine.desk import HandClock
from tests.flows.people import WANG_NUMBER
from tests.flows.till import quote
from tests.gateway.world import MORNING, World, make_world, sqlite_url

ELDER = "P0001"
NEW = Identity(DocumentKind.RESIDENT, "110101200001010117", "张新", Credential.ID_CARD)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(SIGNER.public_key().public_bytes_raw()).decode()


@dataclass
class Terminal:
    """T1's store, its lending, and the line to the gateway, which may lose either way."""

    folder: Path
    world: World | None = None
    quote_key: str = PUBLIC
    clock: HandClock = field(default_factory=lambda: HandClock(MORNING))
    lost: str = ""  # request or answer: what the line loses
    numbers: list[int] = field(default_factory=list)  # as the engine was told
    boot: int = 1
    departments: int = 99
    refused: list[c.Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        chance = Random(self.boot)
        self.records: StoreRecords = open_records(
            self.folder,
            {},
            clock=replace(self.clock.store_clock(), boot_id=f"boot-{self.boot}"),
            zone=MORNING.tzinfo,  # type: ignore[arg-type]
            random_bytes=chance.randbytes,
            chance=chance,
            terminal="T1",
            quote_key=self.quote_key,
        )
        self.lending = Lending(
            self.records.owned, 2, self.clock, lambda told: self.numbers.append(_left(told))
        )

    def restart(self, reboot: bool = False) -> None:
        self.records.close()
        self.boot += reboot
        self.clock.boot_s = 10.0 if reboot else self.clock.boot_s
        self.open()

    # --- the line

    def ask(self, request: Any) -> Answered:
        assert self.world is not None
        if self.lost == "request":
            return Answered(0, why="unreachable")
        try:
            reply = self.world.ask(request)
        except Refused:
            return Answered(0, why="refused")
        return Answered(0, why="unknown") if self.lost == "answer" else Answered(0, reply)

    def fetch(self) -> None:
        """One heartbeat with the gateway there."""
        assert self.world is not None
        day = self.world.ask(c.AskDayList(self.clock.now().date()))
        self.lending.departments = day.departments[: self.departments]
        self.lending.look()
        self.lending.fetch(self.ask)

    def sync(self) -> list[c.Verdict]:
        """Everything that waits is sent; the verdicts."""
        said: list[c.Verdict] = []

        def send(records: Any) -> c.OutboxReply:
            assert self.world is not None
            reply: c.OutboxReply = self.world.ask(c.Outbox(tuple(records)))
            said.extend(reply.verdicts)
            self.refused += [one for one in reply.verdicts if one.state != "accepted"]
            return reply

        while self.records.waiting():
            self.records.send_round(send)
        return said

    def give(self, slot_id: str = "", number: str = WANG_NUMBER, **who: Any) -> Any:
        slot = slot_id or self.records.lent()[0].slot.id
        who = who or {"person": ELDER}
        key = f"T1-{self.records.fresh()}-lent"
        give = GiveNumber("given", key, slot, "8K42", self.clock.now(), number, **who)
        return self.records.give_number(give, "s1")


def _left(told: Any) -> int:
    assert isinstance(told, NumbersStood)
    return told.left


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "t").mkdir()
    world = make_world(sqlite_url(tmp_path))
    terminal = Terminal(tmp_path / "t", world)
    yield terminal
    terminal.records.close()
    world.close()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Terminal]:
    """Only the store: no gateway is needed."""
    box = Terminal(tmp_path)
    yield box
    box.records.close()


# --- fetching and giving back --------------------------------------------------------------------


def test_two_numbers_of_each_department_are_at_hand_and_told(terminal: Terminal) -> None:
    """Row 123; the women's department has none for walk-ins today."""
    terminal.fetch()
    left = terminal.records.owned.left_by_department(timedelta(0))
    assert set(left) >= {"cardio", "internal"} and "women" not in left
    assert max(left.values()) <= 2
    assert terminal.numbers[-1] == sum(left.values())


def test_what_is_at_hand_is_not_asked_for_again(terminal: Terminal) -> None:
    terminal.fetch()
    assert terminal.world is not None
    asked = len(terminal.world.his("leased"))
    terminal.fetch()
    terminal.clock.pass_s(AGAIN_S - 1)
    terminal.world.clock.now = terminal.clock.now()
    terminal.fetch()
    assert len(terminal.world.his("leased")) == asked


@pytest.mark.parametrize("restarted", [False, True])
def test_a_grant_whose_answer_is_lost_is_asked_for_by_the_same_key(
    terminal: Terminal, restarted: bool
) -> None:
    """No number is left with nobody: key on disk before it is asked, killed between or not."""
    terminal.lost = "answer"
    terminal.fetch()
    assert terminal.records.lent() == ()
    [wish] = terminal.records.owned.asked_for()
    if restarted:
        terminal.restart()
    terminal.lost = ""
    terminal.fetch()
    assert terminal.world is not None
    grants = [entry.subject for entry in terminal.world.his("leased")]
    assert grants.count(wish.ask.key) == 1
    assert wish.department.id in terminal.records.owned.left_by_department(timedelta(0))
    assert terminal.records.owned.asked_for() == ()


def test_a_department_that_lends_nothing_is_not_asked_for_ever(terminal: Terminal) -> None:
    """Refused: that key is done with."""
    terminal.fetch()
    terminal.clock.at += timedelta(hours=14)  # the terminal's clock alone: no window lasts so long
    terminal.lending.fetch(terminal.ask)
    assert terminal.records.owned.asked_for() == ()


def test_unused_numbers_go_back_before_their_deadline_and_others_get_them(
    terminal: Terminal,
) -> None:
    terminal.fetch()
    slot = terminal.records.lent()[0].slot
    terminal.clock.at = slot.ends - SAFE_MARGIN
    terminal.lending.look()
    assert all(one.slot.ends > slot.ends for one in terminal.records.lent())
    assert isinstance(terminal.give(slot.id), NoNumber), "given up is given out no more"
    assert {verdict.state for verdict in terminal.sync()} == {"accepted"}
    assert terminal.world is not None and terminal.world.his("lease_returned")
    again = terminal.world.ask(c.HoldSlot("h1", slot.id, ELDER), "T2")
    assert isinstance(again, c.Held)


def test_a_full_disk_does_not_end_the_sender(terminal: Terminal) -> None:
    """Tried again at the next heartbeat."""
    terminal.fetch()

    class Full:
        def __getattr__(self, name: str) -> Any:
            if name in ("return_overdue", "ask_for"):
                return _full
            return getattr(terminal.records.owned, name)

    terminal.lending.owned = Full()  # type: ignore[assignment]
    terminal.lending.look()
    terminal.lending.fetch(terminal.ask)


def _full(*_: Any) -> None:
    raise StoreFull("no room")


# --- giving --------------------------------------------------------------------------------------


def test_the_number_the_record_and_the_trail_are_one_and_hold_at_sync(terminal: Terminal) -> None:
    """Issue 3: the registration holds at sync, in the hospital's own book, exactly once."""
    terminal.fetch()
    given = terminal.give()
    assert isinstance(given, GivenNumber)
    assert terminal.records.waiting() == 1
    events = [event.event for event in terminal.records.find("s1")]
    assert [one for one in events if one.startswith("number")] == ["number_given"]
    terminal.restart()
    assert [verdict.state for verdict in terminal.sync()] == ["accepted"]
    assert terminal.world is not None
    today = terminal.world.ask(c.AskToday(ELDER))
    assert given.of.slot.starts in [one.starts for one in today.appointments]
    booked = [entry for entry in terminal.world.his("booked") if entry.terminal == "T1"]
    assert len(booked) == 1


def test_its_fee_is_owed_once_the_hospital_has_heard_of_it(terminal: Terminal) -> None:
    """Nothing was paid and nothing forgotten: the fee is a bill like any other."""
    assert terminal.world is not None
    terminal.fetch()
    before = {bill.id for bill in terminal.world.ask(c.AskToday(ELDER)).bills}
    given = terminal.give()
    terminal.sync()
    [fee] = [b for b in terminal.world.ask(c.AskToday(ELDER)).bills if b.id not in before]
    assert fee.total_fen == given.of.slot.fee_fen
    quoted = terminal.world.ask(c.PreSettle(ELDER, (fee.id,))).quote
    settle = c.Settle("K-1", ELDER, quoted.id, quoted.split.own_fen, "card", "trace")
    assert isinstance(terminal.world.ask(settle), c.Settled)
    assert fee.id not in {bill.id for bill in terminal.world.ask(c.AskToday(ELDER)).bills}


def test_somebody_new_is_entered_by_what_the_card_said(terminal: Terminal) -> None:
    terminal.fetch()
    terminal.give(number=NEW.number, person="", identity=NEW)
    assert [verdict.state for verdict in terminal.sync()] == ["accepted"]
    assert terminal.world is not None
    known = terminal.world.ask(c.Identify(Credential.ID_CARD, NEW.number)).patient
    assert len(terminal.world.ask(c.AskToday(known.person)).appointments) == 1


def test_the_same_person_gets_the_same_number_after_a_crash_and_one_record(
    terminal: Terminal,
) -> None:
    """Killed between the record and the paper: the paper can be had again."""
    terminal.fetch()
    slot = terminal.records.lent()[0].slot.id
    first = terminal.give(slot)
    terminal.restart(reboot=True)
    second = terminal.give(slot)
    assert (second.number, second.again, first.again) == (first.number, True, False)
    assert terminal.records.waiting() == 1


def test_what_is_called_at_the_door_is_the_hospitals_own_word(terminal: Terminal) -> None:
    terminal.fetch()
    given = terminal.give()
    terminal.sync()
    assert terminal.world is not None
    [made] = [entry for entry in terminal.world.his("booked") if entry.terminal == "T1"]
    ticket = terminal.world.ask(c.CheckIn("c1", ELDER, made.subject)).ticket
    assert ticket.number == given.called


def test_a_broken_transaction_gives_nothing(terminal: Terminal) -> None:
    """A key that was used before breaks the whole: number, record and trail stay as they were."""
    terminal.fetch()
    one = next(one for one in terminal.records.lent() if one.slot.left > 1)
    give = GiveNumber("given", "same", one.slot.id, "8K42", MORNING, WANG_NUMBER, ELDER)
    terminal.records.give_number(give, "s1")
    left = terminal.records.lent()
    trail = len(terminal.records.find("s1"))
    with pytest.raises(AssertionError):
        terminal.records.give_number(replace(give, number=NEW.number), "s1")
    assert terminal.records.lent() == left
    assert (terminal.records.waiting(), len(terminal.records.find("s1"))) == (1, trail)


WHAT = ("give", "give", "give", "fetch", "sync", "restart", "reboot", "look")
JUMPS_MIN = (0, 0, 0, 0, 5, 60, -60, 26 * 60, -26 * 60)
LOST = ("", "", "", "request", "answer")


@pytest.mark.parametrize("seed", [1, 2])
def test_no_number_is_given_twice_whatever_the_clocks_do(seed: int) -> None:
    """Issue 3: clock jumps on either side; a number at the window is a number too."""
    chance = Random(seed)
    with TemporaryDirectory(dir=fast_folder()) as folder:
        path = Path(folder)
        (path / "t").mkdir()
        world = make_world(sqlite_url(path))
        terminal = Terminal(path / "t", world, departments=3)
        out: list[tuple[str, int]] = []
        try:
            for place in range(150):
                jumps = chance.choice(JUMPS_MIN), chance.choice(JUMPS_MIN)
                terminal.lost = chance.choice(LOST)
                out += _one_step(terminal, world, (place, chance.choice(WHAT)), jumps)
            terminal.lost = ""
            terminal.sync()
            refused = terminal.refused
        finally:
            terminal.records.close()
            world.close()
    assert len(out) == len(set(out)) > 5, f"seed {seed}: {len(out)} numbers"
    assert refused == []


def _one_step(
    terminal: Terminal, world: World, step: tuple[int, str], jumps_min: tuple[int, int]
) -> Iterator[tuple[str, int]]:
    """What people walk away with: here, and at a window that the gateway serves."""
    place, what = step
    terminal.clock.pass_s(60)
    terminal.clock.at += timedelta(minutes=jumps_min[0])
    world.clock.now += timedelta(minutes=1 + jumps_min[1])
    match what:
        case "give" if terminal.records.lent():
            given = terminal.give(number=f"{place:018d}")
            if isinstance(given, GivenNumber):
                yield given.of.slot.id, given.number
        case "fetch":
            terminal.clock.at = world.clock.now  # time is set where the two can talk
            terminal.fetch()
        case "sync" if not terminal.lost:
            terminal.sync()
            yield from _walk_in(terminal, world, place)
        case "restart" | "reboot":
            terminal.restart(reboot=what == "reboot")
        case "look":
            terminal.lending.look()


def _walk_in(terminal: Terminal, world: World, place: int) -> Iterator[tuple[str, int]]:
    """Somebody at a window takes a number of the very hours that the terminal was lent."""
    day = world.clock.now.date()
    for slot in [one for one in world.ask(c.AskSlots("cardio", day), "T2").slots if one.left][:1]:
        key = f"h{place}"
        if isinstance(world.ask(c.HoldSlot(key, slot.id, ELDER), "T2"), c.Held):
            with world.parts.store.writing() as connection:
                booked = slots.book(connection, key, ELDER, world.clock.now)
            if booked is not None:
                yield booked.slot_id, booked.number


# --- time ----------------------------------------------------------------------------------------


def test_a_clock_that_is_turned_back_brings_no_deadline_back(terminal: Terminal) -> None:
    """S2: the floor is the gateway's time and what has gone by since, over a restart too."""
    terminal.records.owned.heard(MORNING, "")
    terminal.fetch()
    slot = terminal.records.lent()[0].slot
    terminal.clock.boot_s += (slot.ends - MORNING).total_seconds()  # an hour goes by
    terminal.clock.at = MORNING - timedelta(hours=3)  # and the wall clock is turned back
    assert isinstance(terminal.give(slot.id), NoNumber)
    terminal.lending.look()
    terminal.restart(reboot=True)
    assert isinstance(terminal.give(slot.id), NoNumber)
    assert terminal.records.owned.floor.now_ms() >= slot.ends.timestamp() * 1000


def test_a_clock_that_was_too_early_is_no_floor(box: Terminal) -> None:
    """A wall clock that was a year ahead for a while does not end all promises for a year."""
    floor = box.records.owned.floor
    box.records.owned.heard(MORNING, "")
    box.clock.at += timedelta(days=365)
    box.records.owned.keep_time()
    box.clock.at = MORNING
    assert floor.now_ms() == int(MORNING.timestamp() * 1000)


def test_the_gateway_can_take_its_own_word_back(box: Terminal) -> None:
    box.records.owned.heard(MORNING + timedelta(days=365), "")
    box.records.owned.heard(MORNING, "")
    assert box.records.owned.floor.now_ms() == int(MORNING.timestamp() * 1000)


# --- quotes --------------------------------------------------------------------------------------

HELD = replace(quote(), person="P100", terminal="T1", valid_until=MORNING + timedelta(minutes=30))


def signed(one: Quote = HELD, signer: Ed25519PrivateKey = SIGNER) -> Quote:
    data = c.to_json(replace(one, signature=""))
    return replace(one, signature=base64.b64encode(signer.sign(data)).decode())


def kept(box: Terminal, one: Quote) -> Quote | None:
    box.records.commit([KeepQuote(WANG_NUMBER, one)], "s1")
    return box.records.held_quote(WANG_NUMBER)


def test_a_signed_quote_is_there_after_a_restart_and_sealed(box: Terminal) -> None:
    assert kept(box, signed()) == signed()
    box.restart(reboot=True)
    assert box.records.held_quote(WANG_NUMBER) == signed()
    assert box.records.held_quote(NEW.number) is None
    on_disk = b"".join(one.read_bytes() for one in box.folder.glob("kiosk.db*"))
    assert "血常规".encode() not in on_disk


@pytest.mark.parametrize(
    "changed",
    [
        {"split": Split(7130 + 4119, 1600, 0, 1)},
        {"person": "P999"},
        {"valid_until": MORNING + timedelta(days=1)},
        {"bill_ids": ("B2",)},
        {"insured": False},
        {"id": "Q2"},
        {"signature": ""},
        {"signature": "AAAA"},
        {"signature": "no base64 at all"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_quote_that_was_changed_is_not_there(box: Terminal, changed: dict[str, Any]) -> None:
    """Amount, person, bills and end are all under the signature."""
    assert kept(box, replace(signed(), **changed)) is None


def test_a_quote_of_another_terminal_or_another_signer_is_not_there(box: Terminal) -> None:
    """A copied disk, a gateway that is none."""
    assert kept(box, signed(replace(HELD, terminal="T2"))) is None
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert kept(box, signed(signer=other)) is None
    assert kept(box, signed()) is not None


def test_the_first_key_is_pinned_and_no_later_one_is_believed(tmp_path: Path) -> None:
    box = Terminal(tmp_path, quote_key="")
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    theirs = base64.b64encode(other.public_key().public_bytes_raw()).decode()
    assert kept(box, signed()) is None, "nobody is believed yet"
    box.records.owned.heard(MORNING, PUBLIC)
    box.records.owned.heard(MORNING, theirs)
    box.restart()
    assert kept(box, signed()) is not None
    assert kept(box, signed(signer=other)) is None
    box.records.close()


@pytest.mark.parametrize(("minutes", "there"), [(29, True), (30, False)])
@pytest.mark.parametrize("turned_back", [False, True])
def test_a_quote_ends_by_the_time_floor(
    box: Terminal, minutes: int, there: bool, turned_back: bool
) -> None:
    box.records.owned.heard(MORNING, "")
    assert kept(box, signed()) is not None
    box.clock.pass_s(minutes * 60)
    if turned_back:
        box.clock.at = MORNING - timedelta(hours=1)
    assert (box.records.held_quote(WANG_NUMBER) is not None) is there


def begun(reference: str = "K03-1", quote_id: str = "Q1") -> list[Any]:
    payment = Payment(reference, "card", 4120, "P100", quote_id, MORNING, WANG_NUMBER)
    return [KeepPayment(payment), KeepMove(reference, "SENT")]


@pytest.mark.parametrize(
    ("moves", "there"),
    [
        ((), False),
        (("DECLINED",), True),
        (("UNKNOWN",), False),
        (("UNKNOWN", "DECLINED"), True),
        (("PAID", "BOOKING", "HIS_UNKNOWN"), False),
        (("PAID", "BOOKING", "SETTLED"), False),
        (("PAID", "BOOKING", "HIS_REJECTED", "REVERSING"), False),
        (("PAID", "BOOKING", "HIS_REJECTED", "REVERSING", "REVERSED"), True),
        (("PAID", "BOOKING", "HIS_REJECTED", "REVERSING", "REFUND_DUE"), False),
        (("UNKNOWN", "MANUAL"), False),
    ],
    ids=lambda one: one[-1] if isinstance(one, tuple) and one else None,
)
def test_a_quote_is_used_once_unless_nothing_was_taken(
    box: Terminal, moves: tuple[str, ...], there: bool
) -> None:
    """Used with the payment's own first record, free again by the pad's own word alone."""
    kept(box, signed())
    box.records.commit(begun(), "s1")
    for move in moves:
        box.records.commit([KeepMove("K03-1", move)], "s1")
    box.restart(reboot=True)
    assert (box.records.held_quote(WANG_NUMBER) is not None) is there


def test_an_older_payment_that_comes_to_nothing_frees_only_its_own_quote(box: Terminal) -> None:
    kept(box, signed())
    box.records.commit(begun(), "s1")
    kept(box, signed(replace(HELD, id="Q2")))
    box.records.commit(begun("K03-2", "Q2"), "s1")
    box.records.commit([KeepMove("K03-1", "DECLINED")], "s1")
    assert box.records.held_quote(WANG_NUMBER) is None
    box.records.commit([KeepMove("K03-2", "DECLINED")], "s1")
    held = box.records.held_quote(WANG_NUMBER)
    assert held is not None and held.id == "Q2"


def test_the_gateways_own_quotes_verify_over_the_wire(terminal: Terminal) -> None:
    """What the demo hospital signed, through JSON twice, with the key that hello names."""
    assert terminal.world is not None
    hello = terminal.world.ask(c.Hello("T1", "1", MORNING))
    bills = tuple(bill.id for bill in terminal.world.ask(c.AskToday(ELDER)).bills)
    got = terminal.world.ask(c.PreSettle(ELDER, bills)).quote
    assert (got.person, got.terminal) == (ELDER, "T1")
    again = c.from_json(Quote, c.to_json(got))
    assert signed_by(hello.quote_key, got) and signed_by(hello.quote_key, again)
    cheaper = replace(got, lines=(), split=Split(0, 0, 0, 0))
    assert not signed_by(hello.quote_key, cheaper)


@tried(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(MORNING.tzinfo)),  # type: ignore[arg-type]
    st.tuples(*[st.integers(0, 10**7)] * 4),
)
def test_a_signature_survives_every_journey_through_json(
    until: datetime, parts: tuple[int, int, int, int]
) -> None:
    """Written, read and written again, the signed bytes are the same."""
    split = Split(*parts)
    line = replace(HELD.lines[0], amount_fen=split.total_fen, day=until.date())
    one = signed(replace(HELD, lines=(line,), split=split, valid_until=until))
    assert signed_by(PUBLIC, c.from_json(Quote, c.to_json(one)))
