"""The plug-in's exchanges under the contract. Flipped bits of a pipe are not judged as lies."""

from __future__ import annotations

from drivers.identity import DeviceIdentity
from drivers.pcsc.port import CardPutIn
from drivers.plugin.driver import DECODE_S, HELLO_S, LOOK_S, READ_CARD_S, Plugin, PluginCardRead
from drivers.plugin.emulator import HealthCardPlugin
from tests.drivers.contract import Row
from tests.drivers.plugin.people import ON_CARD, READ

CODE = "0123456789012345678901234567"


def put_card(plugin: HealthCardPlugin) -> None:
    plugin.behave()
    plugin.pull()
    plugin.put(ON_CARD)
    plugin.knows(CODE, ON_CARD)


def is_decoded(outcome: object) -> bool:
    return isinstance(outcome, PluginCardRead) and outcome.card.name == READ.name


ROWS = (
    Row(
        name="plugin probe",
        make_emulator=HealthCardPlugin,
        make_driver=Plugin,
        prepare=put_card,
        exchange=lambda plugin: plugin.probe(),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=HELLO_S,
    ),
    Row(
        name="plugin look",
        make_emulator=HealthCardPlugin,
        make_driver=lambda stream, clock: Plugin(stream, clock),
        prepare=put_card,
        exchange=lambda plugin: [plugin.look(), plugin.look()],
        is_good=lambda outcome: isinstance(outcome, list) and CardPutIn() in outcome,
        timeout_s=2 * LOOK_S,
    ),
    Row(
        name="plugin read",
        make_emulator=HealthCardPlugin,
        make_driver=Plugin,
        prepare=put_card,
        exchange=lambda plugin: plugin.read_card(),
        is_good=lambda outcome: outcome == PluginCardRead(READ),
        timeout_s=READ_CARD_S,
    ),
    Row(
        name="plugin decode",
        make_emulator=HealthCardPlugin,
        make_driver=Plugin,
        prepare=put_card,
        exchange=lambda plugin: plugin.decode_code(CODE, "01101"),
        is_good=is_decoded,
        timeout_s=DECODE_S,
    ),
)
