"""Stories of the ZVT driver over a virtual cable; the pad's ledger says what really happened."""

from __future__ import annotations

import pytest

from drivers.deadline import Deadline
from drivers.errors import DeviceRefused, DriverError, OutcomeUnknown, ProtocolError
from drivers.identity import DeviceIdentity
from drivers.pad import (
    Approved,
    Cancelled,
    Completed,
    Declined,
    DeclineReason,
    Finding,
    LastPayment,
    NothingFound,
    PadCondition,
    PadProgress,
    PaymentState,
    Refunded,
    Released,
    StillHeld,
    Watch,
)
from drivers.pad_ledger import Fate, PadLedger
from drivers.zvt.codec import NAK, Apdu, encode_frame
from drivers.zvt.driver import ZvtPad, ZvtSettings, serial_pad
from drivers.zvt.emulator import (
    MISBEHAVIOURS,
    Abandoned,
    AbortStyle,
    PadEmulator,
    PadModel,
)
from tests.drivers.cable import Cable, Faults
from tests.drivers.pads import MORNING, ZVT_SERIAL, Rig

CHARGE_CNY_1250 = bytes.fromhex("10 02 06 01 0A 04 00 00 00 00 12 50 49 01 56 10 03 F2 62")
REGISTER_CNY = bytes.fromhex("10 02 06 00 06 12 34 56 BA 01 56 10 03 C5 BC")


def emulator(rig: Rig) -> PadEmulator:
    assert isinstance(rig.hands, PadEmulator)
    return rig.hands


def charged_rig() -> Rig:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    return rig


def test_the_wire_carries_the_manuals_frames() -> None:
    """PROTOCOLS 4.1: registration and authorisation in CNY."""
    cable = Cable(PadEmulator(PadLedger(), lambda: MORNING))
    pad = serial_pad(cable, cable.clock, ZvtSettings(max_status_infos=None))
    assert pad.prepare(Deadline.after(cable.clock, 5)) == "52500038"
    assert REGISTER_CNY in cable.sent
    cable.emulator.present_card()  # type: ignore[attr-defined]
    pad.authorise("R", 1250, Deadline.after(cable.clock, 30))
    assert CHARGE_CNY_1250 in cable.sent


def test_the_person_is_told_what_to_do() -> None:
    """Row 63."""
    rig, seen = Rig(ZVT_SERIAL), []
    rig.hands.present_card()
    rig.charge(watch=Watch(on_progress=seen.append))
    assert seen == [PadProgress.INSERT_CARD, PadProgress.ENTER_PIN, PadProgress.AUTHORISING]


def test_a_quick_hospital_is_not_kept_waiting_for_the_next_question() -> None:
    rig = charged_rig()
    began_s = rig.cable.now_s
    assert rig.pad.complete(rig.within(10)) == Completed()
    assert rig.cable.now_s - began_s < 0.1
    assert encode_frame(Apdu(0x849C)) not in rig.cable.sent


def test_a_slow_hospital_is_waited_for_with_need_time() -> None:
    rig = charged_rig()
    assert rig.hold_for(60) == StillHeld()
    assert rig.newest().fate is Fate.HELD
    assert encode_frame(Apdu(0x849C)) in rig.cable.sent
    assert rig.pad.complete(rig.within(10)) == Completed()


def test_a_hold_that_lasts_too_long_is_reversed_by_the_pad() -> None:
    """Portalum.Zvt: after so many questions (BMP 02) the pad reverses by itself."""
    rig = charged_rig()
    said: object = None
    while not isinstance(said, Released):
        said = rig.pad.keep_holding(rig.within(0.5))
    assert said == Released(by_pad=True)
    assert rig.newest().fate is Fate.REVERSED


def test_a_pad_that_reversed_by_itself_says_so_when_asked_to_complete() -> None:
    rig = charged_rig()
    emulator(rig).knobs.abandoned_s = 1.0
    rig.cable.pass_time(60)
    with pytest.raises(DriverError):
        rig.pad.complete(rig.within(5))
    assert rig.found(rig.ask_until_answered()) is Finding.REVERSED


def test_a_pad_that_was_silent_after_a_real_charge_is_asked_and_shows_it_once() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    emulator(rig).knobs.silent_after_charge = True
    rig.hands.present_card()
    with pytest.raises(OutcomeUnknown):
        rig.charge(within_s=15)
    answer = rig.ask_until_answered()
    assert rig.found(answer) is Finding.TAKEN
    assert isinstance(answer, LastPayment) and answer.charged.trace == rig.newest().trace
    assert [entry.amount_fen for entry in rig.hands.ledger.entries] == [700, 1250]


def test_a_pad_silent_before_the_charge_is_asked_and_shows_none() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    emulator(rig).knobs.silent_before_charge = True
    with pytest.raises(OutcomeUnknown):
        rig.charge(within_s=15)
    assert rig.found(rig.ask_until_answered()) is Finding.NOT_TAKEN


def test_a_terminal_that_died_while_holding_takes_the_payment_over() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    rig.hands.present_card()
    rig.charge()
    rig.cable.pass_time(10)
    answer = rig.ask_until_answered()
    assert isinstance(answer, LastPayment) and answer.state is PaymentState.HELD
    assert rig.found(answer) is Finding.HELD
    assert rig.pad.complete(rig.within(10)) == Completed()
    assert rig.newest().fate is Fate.COMPLETED


@pytest.mark.parametrize(
    ("knob", "fate", "finding"),
    [
        (Abandoned.REVERSES, Fate.REVERSED, Finding.REVERSED),
        (Abandoned.KEEPS, Fate.COMPLETED, Finding.TAKEN),
    ],
)
def test_whatever_an_abandoned_pad_decides_is_found_by_asking(
    knob: Abandoned, fate: Fate, finding: Finding
) -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    rig.hands.present_card()
    rig.charge()
    emulator(rig).knobs.when_abandoned = knob
    rig.cable.unplug()
    rig.cable.pass_time(120)
    # The pad has its own clock: it goes on without the cable.
    rig.hands.tick(rig.cable.now_s)
    rig.cable.plug()
    assert rig.found(rig.ask_until_answered()) is finding
    assert rig.newest().fate is fate


@pytest.mark.parametrize("decision", ["complete", "release"])
def test_a_decision_whose_answer_is_lost_is_unknown_until_asked(decision: str) -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    rig.hands.present_card()
    rig.charge()
    rig.cable.faults = Faults(delay_s=60)
    with pytest.raises(OutcomeUnknown):
        getattr(rig.pad, decision)(rig.within(8))
    rig.cable.plug()
    wanted = Finding.TAKEN if decision == "complete" else Finding.REVERSED
    assert rig.found(rig.ask_until_answered()) is wanted


@pytest.mark.parametrize("style", list(AbortStyle))
def test_a_person_who_presses_back_gets_out_or_must_use_the_red_key(style: AbortStyle) -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).knobs.abort_style = style
    asked_s = []

    def gives_up() -> bool:
        asked_s.append(rig.cable.now_s)
        if rig.cable.now_s > asked_s[0] + 8:
            rig.hands.press_cancel()
        return True

    outcome = rig.charge(watch=Watch(gives_up=gives_up), within_s=40)
    assert outcome == Cancelled(by_host=True)
    assert not rig.hands.ledger.entries


def test_a_card_that_was_charged_before_the_pad_took_the_abort_is_approved() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card()
    emulator(rig).knobs.bank_s = 4.0
    outcome = rig.charge(watch=Watch(gives_up=lambda: True))
    assert isinstance(outcome, Approved)
    assert rig.newest().fate is Fate.HELD


def test_a_bank_that_says_no_gives_a_reason() -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).decline(51)
    rig.hands.present_card()
    assert rig.charge() == Declined(DeclineReason.NOT_ENOUGH_MONEY, "33")


def test_a_charge_for_another_amount_is_never_taken_for_ours() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    status = encode_frame(Apdu(0x040F, bytes.fromhex("27 00 04 00 00 00 00 99 99 0B 00 00 50")))

    def tell(_progress: PadProgress) -> None:
        rig.cable.inject(status)

    with pytest.raises(OutcomeUnknown, match="another amount"):
        rig.charge(watch=Watch(on_progress=tell))


def test_the_last_payments_late_repetition_is_not_taken_for_the_new_one() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    old = encode_frame(Apdu(0x040F, bytes.fromhex("27 00 04 00 00 00 00 12 50 0B 00 00 01")))
    repeated = []

    def repeat(progress: PadProgress) -> None:
        if progress is PadProgress.INSERT_CARD:
            repeated.append(old)
            rig.cable.inject(old)
            rig.hands.press_cancel()

    outcome = rig.charge(watch=Watch(on_progress=repeat))
    assert repeated and outcome == Cancelled(by_host=False)


def test_a_naked_frame_is_sent_again_and_charges_once() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card()
    settings = ZvtSettings(looks_first=False)
    rig.pad = serial_pad(rig.cable, rig.cable.clock, settings)
    emulator(rig).nak_next(2)
    assert isinstance(rig.charge(), Approved)
    assert rig.cable.sent.count(bytes([0x06, 0x01, 0x0C, 0x04])) == 3
    assert len(rig.hands.ledger.entries) == 1


def test_a_frame_refused_three_times_is_given_up() -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).nak_next(3)
    with pytest.raises(ProtocolError):
        rig.pad.status(rig.within(10))


def test_a_noise_byte_that_looks_like_nak_does_not_repeat_a_charge() -> None:
    rig = Rig(ZVT_SERIAL)

    def noise(_progress: PadProgress) -> None:
        rig.cable.inject(bytes([NAK]))
        rig.hands.present_card()

    assert isinstance(rig.charge(watch=Watch(on_progress=noise)), Approved)
    assert rig.cable.sent.count(bytes([0x06, 0x01, 0x0C, 0x04])) == 1


def test_a_pad_that_holds_a_payment_is_not_registered_anew_but_asked() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card()
    rig.charge()
    rig.connect()
    assert rig.pad.prepare(rig.within(8)) == "52500038"
    answer = rig.pad.last_payment(rig.within(8))
    assert isinstance(answer, LastPayment) and answer.state is PaymentState.HELD


def test_a_pad_that_holds_refuses_a_payment_and_takes_one_after_it_gave_up_by_itself() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card()
    rig.charge()
    rig.connect()
    for _ in range(2):
        with pytest.raises(DeviceRefused):
            rig.charge()
    rig.cable.pass_time(60)
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    fates = [entry.fate for entry in rig.hands.ledger.entries]
    assert fates == [Fate.REVERSED, Fate.HELD]


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_whatever_a_bench_makes_it_do_no_person_pays_twice(name: str) -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    emulator(rig).misbehave(name)
    rig.hands.present_card()
    try:
        rig.charge(within_s=20)
        rig.pad.complete(rig.within(20))
    except DriverError:
        pass
    emulator(rig).behave()
    rig.ask_until_answered()
    assert rig.hands.ledger.standing_fen() in (700, 1950)


def test_a_busy_pad_is_not_charged() -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).knobs.busy = True
    assert rig.pad.status(rig.within(10)).condition is PadCondition.BUSY
    with pytest.raises(DeviceRefused):
        rig.charge()
    with pytest.raises(DeviceRefused):
        rig.pad.last_payment(rig.within(10))


def test_a_pad_that_is_not_registered_refuses() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.power_cut()
    rig.hands.power_up()
    with pytest.raises(DeviceRefused, match="6B"):
        rig.charge()


def test_a_pad_in_another_currency_refuses_to_be_prepared() -> None:
    cable = Cable(PadEmulator(PadLedger(), lambda: MORNING, PadModel(currency=978)))
    pad = serial_pad(cable, cable.clock)
    with pytest.raises(DeviceRefused, match="6F"):
        pad.prepare(Deadline.after(cable.clock, 5))


def test_a_pad_that_forgets_its_last_payment_proves_nothing() -> None:
    """Portalum.Zvt #26: 06 20 is empty on a PAX A80."""
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    emulator(rig).knobs.forgets_last = True
    answer = rig.pad.last_payment(rig.within(10))
    assert answer == NothingFound()
    assert rig.found(answer) is Finding.UNCLEAR


def test_a_pad_that_reverses_only_its_last_payment_says_no_to_an_older_one() -> None:
    """Portalum.Zvt #24."""
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    first = rig.pad.last_payment(rig.within(10))
    rig.hands.present_card()
    rig.charge()
    rig.pad.complete(rig.within(10))
    emulator(rig).knobs.reverses_last_only = True
    assert isinstance(first, LastPayment)
    assert isinstance(rig.pad.reverse(first.charged, rig.within(10)), Declined)
    assert rig.hands.ledger.standing_fen() == 1950


def test_a_refund_goes_to_the_card_presented() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    rig.hands.present_card(last4="4321")
    refunded = rig.pad.refund("R-0002", 700, rig.within(20))
    assert isinstance(refunded, Refunded) and refunded.charged.amount_fen == 700
    assert rig.hands.ledger.standing_fen() == 0


def test_the_day_is_handed_in() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.pay_before()
    assert rig.pad.end_of_day(rig.within(10)).amount_fen == 700
    assert rig.pad.end_of_day(rig.within(10)).amount_fen == 0


def test_initialisation_and_diagnosis_are_served() -> None:
    rig = Rig(ZVT_SERIAL)
    assert isinstance(rig.pad, ZvtPad)
    rig.pad.initialise(rig.within(10))
    rig.pad.diagnose(rig.within(10))


def test_a_probe_names_the_pad_and_changes_nothing() -> None:
    rig = Rig(ZVT_SERIAL)
    assert isinstance(rig.pad, ZvtPad)
    assert rig.pad.probe() == DeviceIdentity("zvt", "ZVT 2.14.15")
    assert not rig.hands.ledger.entries


def test_a_pad_slower_than_the_person_still_pays_once() -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).knobs.slow_s = 0.8
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    assert rig.pad.complete(rig.within(15)) == Completed()
    assert len(rig.hands.ledger.entries) == 1


def test_a_pad_that_says_everything_twice_does_not_keep_the_money_undecided() -> None:
    rig = Rig(ZVT_SERIAL)
    emulator(rig).knobs.answers_twice = True
    rig.hands.present_card()
    assert isinstance(rig.charge(), Approved)
    assert rig.newest().fate is Fate.HELD
    assert rig.hold_for(20) == StillHeld()
    assert rig.pad.release(rig.within(15)) == Released(by_pad=False)
    assert rig.newest().fate is Fate.REVERSED


def test_no_card_number_is_in_any_value_or_fault() -> None:
    rig = Rig(ZVT_SERIAL)
    rig.hands.present_card(last4="7788")
    approved = rig.charge()
    assert "7788" not in f"{approved!r} {approved}"
    assert isinstance(approved, Approved) and approved.charged.pan is not None
    assert approved.charged.pan.for_slip() == "**** 7788"
