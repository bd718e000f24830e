"""Many payments in one life of a terminal, and the comparison of the books at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.simulation.people import Crowd
from tests.simulation.world import World

STEPS_A_PAYMENT_MAX = 4000
PERSON_CASES = ("MANUAL", "REFUND_DUE")


@dataclass(frozen=True)
class Lived:
    """`violations` empty: every promise held. `ends` counts the states that were reached, `notes`
    where banknotes went."""

    seed: int
    payments: int
    starts: int
    ends: dict[str, int]
    violations: tuple[str, ...]
    notes: dict[str, int]


def live(seed: int, payments: int) -> Lived:
    """One terminal until it has begun so many payments; then all of them end and are compared."""
    world = World(seed)
    try:
        _walk(world, payments)
    except AssertionError as bug:
        world.broken.append(f"a bug: {bug or type(bug).__name__}")
    except BaseException as error:
        error.add_note(f"in the life of seed {seed}")
        raise
    ends: dict[str, int] = {}
    for reference in world.records.payments:
        state = world.records.state(reference)
        ends[state] = ends.get(state, 0) + 1
    notes = {str(where): count for where, count in world.box.gone.items()}
    begun = len(world.records.payments)
    return Lived(seed, begun, world.starts, ends, tuple(world.broken), notes)


def _walk(world: World, payments: int) -> None:
    crowd = Crowd(world)
    world.weather()
    _act_again(world, crowd)
    left = STEPS_A_PAYMENT_MAX * payments
    while len(world.records.payments) < payments and left > 0:
        world.step()
        left -= 1
    if left == 0:
        world.broken.append("no payment is begun any more: the terminal is stuck")
    crowd.patience = -1_000_000  # nobody comes any more
    crowd.way = "leave"
    world.settle()
    world.broken += compare(world)


def _act_again(world: World, crowd: Crowd) -> None:
    """People act, weather changes, power fails, clocks jump: each at its own pace."""
    chance = world.chance
    if crowd.patience > -1000:
        luck = chance.random()
        if luck < 0.03:
            world.weather()
        elif luck < 0.05:
            world.kill()
        elif luck < 0.06:
            world.line_turns()
        elif luck < 0.065:
            world.clock.ahead = timedelta(hours=chance.uniform(-30, 30))
        crowd.act()
    world.later(chance.uniform(0.2, 8.0), lambda: _act_again(world, crowd))


def compare(world: World) -> list[str]:
    """The pad's, the provider's and the hospital's books against each other and our journal."""
    found = []
    for reference in world.records.payments:
        found += [f"{reference}: {words}" for words in _of_one(world, reference)]
    unknown = {one.reference for one in world.pad.book.entries} | set(world.provider.orders)
    for reference in unknown - set(world.records.payments):
        found.append(f"{reference}: money was asked for and no journal knows of it")
    for bill, references in _standing_by_bill(world).items():
        if len(references) > 1:
            found.append(f"{bill}: paid for {len(references)} times, by {references}")
    found += _of_the_box(world)
    held = [key for key, locked in world.book.locks.items() if locked]
    if held:
        found.append(f"{len(held)} numbers stay locked")
    return found


def _of_one(world: World, reference: str) -> list[str]:
    state, standing = world.records.state(reference), world.standing(reference)
    booked = world.book.booked.get(reference)
    order = world.provider.orders.get(reference)
    charges = world.pad.book.charges(reference) + (order.charges if order else 0)
    found = []
    if charges > 1:
        found.append(f"charged {charges} times")
    if world.records.open_payments() and state not in _ENDS:
        found.append(f"never ended: {state}")
    if state in PERSON_CASES:
        return found + _handed_over(world, reference, state)
    if standing and booked is None:
        found.append(f"{standing} fen are lost: {state}, and nothing is booked")
    if booked is not None and booked.amount_fen and not standing:
        found.append(f"booked and not paid: {state}")
    if booked is not None and standing not in (0, booked.amount_fen):
        found.append(f"{booked.amount_fen} fen booked, {standing} taken")
    if (state == "SETTLED") != (booked is not None):
        found.append(f"{state}, but the hospital says booked={booked is not None}")
    return found


def _of_the_box(world: World) -> list[str]:
    """The validator's own ledger against our journal, person by person and as a whole."""
    found, box = [], world.box
    for reference, payment in world.records.payments.items():
        kept = world.records.cash.get(reference)
        taken_fen, stacked_fen = kept.taken_fen if kept else 0, box.stacked[reference]
        if payment.method != "cash" and stacked_fen:
            found.append(f"{reference}: notes in the box for a payment by {payment.method}")
        if world.records.state(reference) != "MANUAL" and taken_fen != stacked_fen:
            found.append(f"{reference}: {stacked_fen} fen in the box, {taken_fen} in the journal")
    if box.inserted != sum(box.gone.values()):
        found.append(f"{box.inserted} notes went in, {sum(box.gone.values())} went anywhere")
    return found


_ENDS = frozenset({"DECLINED", "SETTLED", "REVERSED", "REFUND_DUE", "MANUAL"})


def _handed_over(world: World, reference: str, state: str) -> list[str]:
    """A person decides only where the books really contradict, and finance has been told."""
    found = []
    if f"{reference}-{state}" not in world.records.keys:
        found.append(f"{state}, and finance does not know")
    if state == "MANUAL" and reference not in world.pad.excused | world.box.excused:
        found.append("handed to a person without need")
    if state == "REFUND_DUE" and not world.standing(reference):
        found.append("a refund is due for money that nobody took")
    return found


def _standing_by_bill(world: World) -> dict[str, list[str]]:
    """Who paid for which bill, cases that a person has already left out."""
    paid: dict[str, list[str]] = {}
    for reference, payment in world.records.payments.items():
        if world.standing(reference) and world.records.state(reference) not in PERSON_CASES:
            bill = world.book.bill_of_quote[payment.quote_id]
            paid.setdefault(bill, []).append(reference)
    return paid
