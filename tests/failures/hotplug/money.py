"""Payment pads and the cash box on a real port: what asking finds once the cable is back.

The pad's ledger and the box are the judges. After a pull the person presses the red key and goes;
what the pad is found to hold is released, as the terminal does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.cash import NoteEscrowed, NoteStacked
from drivers.cashbox.driver import BillValidator
from drivers.cashbox.emulator import BillValidatorEmulator, NoteLedger
from drivers.deadline import Deadline
from drivers.errors import DriverError
from drivers.idcard.emulator import IdCardReaderEmulator
from drivers.pad import Attempt, Finding, NothingFound, PadCondition, PadProgress, Watch, find
from drivers.pad_ledger import PadLedger
from drivers.transports.any_port import open_port
from drivers.zvt.codec import NOT_ISSUED, POSITIVE, encode_frame
from tests.drivers.pads import MISPOS, MORNING, UNIONPAY, ZVT_SERIAL, PadKind
from tests.failures.hotplug import ports
from tests.failures.hotplug.ports import CLOCK, Kind, Moment, State, Wire, quick_clock

AMOUNT_FEN, BEFORE_FEN = 1250, 700
PHASE_S, LOOK_S, SOON_S = 2.0, 1.5, 100.0
"""On the quick clock."""


def within(seconds: float) -> Deadline:
    return Deadline.after(quick_clock, seconds)


def _emulator_of(kind: PadKind) -> Callable[[], Any]:
    """A pad on which another person has paid before."""

    def make() -> Any:
        pad = kind.make_emulator(PadLedger())
        entry = pad.ledger.charge(BEFORE_FEN, "9999", "UnionPay", MORNING.isoformat())
        pad.ledger.complete(entry.trace)
        return pad

    return make


def _ready(driver: Any) -> None:
    """As after a start of the terminal."""
    driver.prepare(within(SOON_S))


def _card(emulator: Any) -> None:
    emulator.present_card()


def _found(emulator: Any, driver: Any) -> str:
    """What the terminal finds by asking until it is answered, and what the person lost."""
    deadline = within(SOON_S)
    while True:
        try:
            if driver.status(within(10)).condition is not PadCondition.BUSY:
                answer = driver.last_payment(within(20))
                break
        except DriverError:
            deadline.check("pad")
        deadline.check("pad")
    trace_before = emulator.ledger.entries[0].trace
    assert not isinstance(answer, NothingFound)
    finding = find(Attempt(AMOUNT_FEN, MORNING, trace_before), answer)
    if finding is Finding.HELD:
        driver.release(within(SOON_S))
    return f"{finding.value}, {emulator.ledger.standing_fen() - BEFORE_FEN} fen"


def _given_up(emulator: Any, driver: Any) -> str:
    """Who has laid no card down yet presses the red key and goes."""
    if emulator.waits_for_card:
        emulator.press_cancel()
    return _found(emulator, driver)


def _charge(driver: Any, wire: Wire, at: PadProgress | None = None) -> object:
    _ready(driver)
    wire.mark()

    def progressed(progress: PadProgress) -> None:
        if progress is at:
            wire.happen()

    return driver.authorise("R-0001", AMOUNT_FEN, within(SOON_S), Watch(on_progress=progressed))


def _charge_idle(driver: Any, wire: Wire) -> object:
    _ready(driver)
    wire.happen()
    return driver.authorise("R-0001", AMOUNT_FEN, within(SOON_S))


def _charge_and_release(driver: Any, wire: Wire, gate: bytes = b"") -> object:
    _charge(driver, wire)
    wire.shut(gate)
    return driver.release(within(SOON_S))


# --- pads of one answer --------------------------------------------------------------------------


def _asks_bank(emulator: Any) -> None:
    emulator.present_card()
    emulator.knobs.bank_s = PHASE_S


def _answers_slowly(emulator: Any) -> None:
    emulator.present_card()
    emulator.knobs.slow_s = PHASE_S


def _of_payment(true: Callable[[Any], bool]) -> Moment:
    return lambda wire: wire.marked and bool(wire.emulator(true))


_WANTS_CARD = _of_payment(lambda pad: pad.waits_for_card)
_IN_BANK = _of_payment(lambda pad: pad.is_busy and not pad.waits_for_card)
_CHARGED = _of_payment(lambda pad: pad.ledger.standing_fen() == BEFORE_FEN + AMOUNT_FEN)
_VOIDED = _of_payment(
    lambda pad: len(pad.ledger.entries) > 1 and pad.ledger.standing_fen() == BEFORE_FEN
)


def _one_answer(kind: PadKind) -> Kind:
    return Kind(
        make=_emulator_of(kind),
        driver=lambda stream: kind.make_driver(stream, quick_clock),
        look=lambda pad: pad.probe(LOOK_S),
        states={
            "idle": State(_charge_idle, by_itself=True, prepare=_card),
            "wants card": State(_charge, _WANTS_CARD),
            "asks bank": State(_charge, _IN_BANK, prepare=_asks_bank),
            "answering": State(_charge, _CHARGED, prepare=_answers_slowly),
            "voiding": State(_charge_and_release, _VOIDED, prepare=_answers_slowly),
        },
        stranger=IdCardReaderEmulator,
        settle=_given_up,
        clock=quick_clock,
    )


MIS_POS, UNION_PAY = _one_answer(MISPOS), _one_answer(UNIONPAY)

# --- ZVT: the pad holds the money until it is told -----------------------------------------------


def _in_phases(emulator: Any) -> None:
    emulator.present_card()
    emulator.knobs.pin_s = emulator.knobs.bank_s = PHASE_S


def _at(progress: PadProgress) -> State:
    return State(
        lambda driver, wire: _charge(driver, wire, progress), by_itself=True, prepare=_in_phases
    )


def _holding(driver: Any, wire: Wire) -> object:
    _charge(driver, wire)
    wire.happen()
    return driver.keep_holding(within(10))


def _complete(driver: Any, wire: Wire) -> object:
    _charge(driver, wire)
    wire.shut(encode_frame(POSITIVE))
    return driver.complete(within(SOON_S))


def _is_settled(emulator: Any) -> bool:
    return len(emulator.ledger.entries) > 1 and not emulator.holding


ZVT = Kind(
    make=_emulator_of(ZVT_SERIAL),
    driver=lambda stream: ZVT_SERIAL.make_driver(stream, quick_clock),
    look=lambda pad: pad.probe(LOOK_S),
    states={
        "idle": State(_charge_idle, by_itself=True, prepare=_card),
        "wants card": _at(PadProgress.INSERT_CARD),
        "wants pin": _at(PadProgress.ENTER_PIN),
        "asks bank": _at(PadProgress.AUTHORISING),
        "holding": State(_holding, by_itself=True, prepare=_card),
        "completing": State(_complete, _of_payment(_is_settled), prepare=_card),
        "releasing": State(
            lambda driver, wire: _charge_and_release(driver, wire, encode_frame(NOT_ISSUED)),
            _of_payment(_is_settled),
            prepare=_card,
        ),
    },
    stranger=IdCardReaderEmulator,
    settle=_found,
    clock=quick_clock,
    open=lambda name: open_port(name, 9600, quick_clock, stopbits=2),
)

# --- notes ---------------------------------------------------------------------------------------


BOX_LOOK_S = 0.3


def soon() -> Deadline:
    """Its manual's waits are short enough for the wall's clock."""
    return ports.within(10.0)


def _box() -> BillValidatorEmulator:
    emulator = BillValidatorEmulator(NoteLedger(), crc=False)
    emulator.transport_s, emulator.escrow_s = 0.05, 1.0
    return emulator


def _accept(driver: BillValidator, wire: Wire, *, at: str) -> None:
    driver.prepare(soon())
    driver.look(soon())
    if at == "idle":
        wire.happen()
    driver.accept(AMOUNT_FEN, soon())
    if at == "accepting":
        wire.happen()
    wire.emulator(lambda e: e.insert_note(10))
    deadline = soon()
    while NoteEscrowed(1000) not in driver.look(soon()):
        deadline.check("note")
    wire.mark()
    if at == "in escrow":
        wire.happen()


def _stack(at: str) -> Callable[[BillValidator, Wire], None]:
    def stack(driver: BillValidator, wire: Wire) -> None:
        _accept(driver, wire, at=at)
        driver.stack(soon())

    return stack


def _give_back(driver: BillValidator, wire: Wire) -> None:
    _accept(driver, wire, at="")
    driver.give_back(soon())


def _moved(where: str) -> Moment:
    return _of_payment(lambda box: (where, 1000) in box.ledger.events)


def _counted(emulator: BillValidatorEmulator, driver: BillValidator) -> str:
    """From the first event on, as from the mark on disk: what is believed, and what is there."""
    deadline = soon()
    while emulator.ledger.events[-1:] == [("inserted", 1000)]:
        deadline.check("note to go one way or the other")
    driver.prepare(deadline)
    seen = driver.look(deadline)
    believed_fen = sum(event.value_fen for event in seen if isinstance(event, NoteStacked))
    return f"{believed_fen} believed, {emulator.ledger.stacked_fen()} in the box"


CASHBOX = Kind(
    make=_box,
    driver=lambda stream: BillValidator(stream, CLOCK, mark=0),
    look=lambda box: box.probe(BOX_LOOK_S),
    states={
        "idle": State(_stack("idle"), by_itself=True),
        "accepting": State(_stack("accepting"), by_itself=True),
        "in escrow": State(_stack("in escrow"), by_itself=True),
        "stacking": State(_stack(""), _moved("stacked")),
        "returning": State(_give_back, _moved("returned")),
    },
    stranger=IdCardReaderEmulator,
    settle=_counted,
    calm=lambda box: None,
    open=lambda name: open_port(name, 9600, CLOCK),
)
