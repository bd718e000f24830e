"""A vendor's process: every state × every failure; afterwards start anew, look, and read."""

from __future__ import annotations

import pytest

from drivers.errors import (
    CardRemoved,
    DeadlineExceeded,
    DeviceLost,
    DeviceRefused,
    DriverError,
    ProtocolError,
)
from drivers.pcsc.port import CardPutIn, SlotUnchanged
from drivers.plugin.driver import Plugin, PluginCardRead
from drivers.plugin.emulator import HealthCardPlugin
from drivers.socialcard.driver import CardAbsent, NotThisCard
from tests.drivers.plugin.people import ON_CARD, OTHER, READ
from tests.failures.troubled import Strike, TroubledCable

REQUEST_BYTES = 22


def vendor(cable: TroubledCable) -> HealthCardPlugin:
    assert isinstance(cable.emulator, HealthCardPlugin)
    return cable.emulator


def misbehave(name: str) -> Strike:
    return lambda cable: vendor(cable).misbehave(name)


FAILURES: dict[str, Strike] = {
    "process ended before the question": lambda cable: cable.unplug(),
    "process ends in mid-answer": lambda cable: cable.die_after(REQUEST_BYTES + 6),
    "crashes in the reading": misbehave("crash_in_read"),
    "silent": misbehave("silent"),
    "prints": misbehave("prints"),
    "half an answer": misbehave("half_a_line"),
    "no braces": misbehave("not_json"),
    "a line without end": misbehave("too_long"),
    "the last answer first": misbehave("late_answer"),
    "another protocol": misbehave("other_protocol"),
    "wrong types": misbehave("wrong_types"),
    "too late": lambda cable: cable.spoil(delay_s=60.0),
    "stuck pipe": lambda cable: cable.spoil(stuck=True),
    "no PSAM": misbehave("no_psam"),
    "another kind of card": misbehave("other_card"),
    "card pulled": lambda cable: vendor(cable).pull(),
    "card pulled in the reading": misbehave("pulled"),
    "card's bytes make no sense": misbehave("garbage"),
    "other card slipped in": lambda cable: vendor(cable).put(OTHER),
}

STATES: dict[str, tuple[bytes, bool]] = {
    "starting": (b'"hello"', True),
    "waiting for a card": (b'"look"', False),
    "seeing a card": (b'"look"', True),
    "reading it": (b'"read"', True),
}
"""The question under way, and whether a card is in the slot."""

LOST, LATE, BAD = DeviceLost, DeadlineExceeded, ProtocolError
GOOD, NO, NONE = PluginCardRead, DeviceRefused, SlotUnchanged

# Columns: the states in their order. A type is what is raised or returned.
TABLE: dict[str, tuple[type, type, type, type]] = {
    "process ended before the question": (LOST, LOST, LOST, LOST),
    "process ends in mid-answer": (LOST, LOST, LOST, LOST),
    "crashes in the reading": (LATE, NONE, LATE, LATE),
    "silent": (LATE, LATE, LATE, LATE),
    "prints": (GOOD, NONE, GOOD, GOOD),
    "half an answer": (LATE, LATE, LATE, LATE),
    "no braces": (LATE, LATE, LATE, LATE),
    "a line without end": (LATE, LATE, LATE, LATE),
    "the last answer first": (GOOD, NONE, GOOD, GOOD),
    "another protocol": (BAD, NONE, GOOD, GOOD),
    "wrong types": (BAD, BAD, BAD, BAD),
    "too late": (LATE, LATE, LATE, LATE),
    "stuck pipe": (LATE, LATE, LATE, LATE),
    "no PSAM": (NO, NONE, NO, NO),
    "another kind of card": (NotThisCard, NONE, NotThisCard, NotThisCard),
    "card pulled": (NONE, NONE, NONE, CardAbsent),
    "card pulled in the reading": (CardRemoved, NONE, CardRemoved, CardRemoved),
    "card's bytes make no sense": (BAD, NONE, BAD, BAD),
    "other card slipped in": (GOOD, GOOD, GOOD, GOOD),
}

CELLS = [(failure, state) for failure in FAILURES for state in STATES]


@pytest.mark.parametrize(("failure", "state"), CELLS)
def test_each_failure_in_each_state_has_its_outcome_and_the_next_process_is_well(
    failure: str, state: str
) -> None:
    question, card_in = STATES[state]
    emulator = HealthCardPlugin()
    if card_in:
        emulator.put(ON_CARD)
    cable = TroubledCable(emulator, question, FAILURES[failure])
    outcome = one_visit(Plugin(cable, cable.clock))
    assert cable.struck, "the state was never reached"
    assert type(outcome) is TABLE[failure][list(STATES).index(state)]
    # A new process, a look, and only then a reading.
    emulator.behave()
    emulator.pull()
    cable.plug()
    again = Plugin(cable, cable.clock)
    assert again.look() == SlotUnchanged()
    emulator.put(ON_CARD)
    assert again.look() == CardPutIn()
    assert again.read_card() == PluginCardRead(READ)


def one_visit(plugin: Plugin) -> object:
    """Say hello, look, and read what is there; the outcome, or the fault that ended it."""
    try:
        plugin.hello()
        event = plugin.look()
        return plugin.read_card() if isinstance(event, CardPutIn) else event
    except DriverError as fault:
        return fault
