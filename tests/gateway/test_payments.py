"""Charges at the provider: silence is unknown, never failure; the provider's book has one charge.

Row 63: WeChat, Alipay and UnionPay codes. The book that is counted is the provider's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway.adapters.demo import people
from gateway.adapters.demo.codes import demo_codes
from gateway.adapters.demo.knobs import ProviderMode, Settings
from gateway.adapters.port import PROVIDER_S, Away
from gateway.operations import KeyReused
from gateway.payments import Payments
from kiosk.hospital import contract as c
from tests.gateway.world import MORNING, World, all_at_once

CODES = demo_codes(people.PAYS_BY_CODE, MORNING)
WECHAT = CODES.wechat


def turn(world: World, mode: ProviderMode, seconds: float = 5.0) -> None:
    world.parts.knobs.turn(Settings(provider=mode, provider_seconds=seconds))


def kinds(world: World, reference: str) -> list[str]:
    return [entry.kind for entry in world.provider(reference)]


@pytest.mark.parametrize("code", [CODES.wechat, CODES.alipay, CODES.unionpay])
def test_each_wallets_code_is_charged_once(light_world: World, code: str) -> None:
    charge = light_world.ask(c.PayByCode("R1", 4120, code))
    assert (charge.state, charge.amount_fen) == ("paid", 4120)
    assert charge.business_date == "2026-11-20"
    assert light_world.ask(c.PayByCode("R1", 4120, code)) == charge
    assert kinds(light_world, "R1") == ["opened", "charged"]


@pytest.mark.parametrize("code", ["", "11010519491231002X", "https://evil.invalid", "99" * 9])
def test_what_is_no_payers_code_is_declined(light_world: World, code: str) -> None:
    charge = light_world.ask(c.PayByCode("R1", 4120, code))
    assert (charge.state, charge.reason) == ("declined", "code_unknown")
    assert light_world.taken_fen("R1") == 0


def test_a_code_pays_one_order_only(light_world: World) -> None:
    light_world.ask(c.PayByCode("R1", 4120, WECHAT))
    second = light_world.ask(c.PayByCode("R2", 4120, WECHAT))
    assert (second.state, second.reason) == ("declined", "code_used")


def test_sixteen_charges_at_once_take_the_money_once(world: World) -> None:
    answers = all_at_once(16, lambda _: world.ask(c.PayByCode("R1", 4120, WECHAT)))
    assert {answer.state for answer in answers} == {"paid"}
    assert world.taken_fen("R1") == 4120
    assert kinds(world, "R1").count("charged") == 1


def test_a_silent_provider_is_unknown_until_it_speaks_and_has_charged_once(world: World) -> None:
    turn(world, ProviderMode.SILENT)
    ask = c.PayByCode("R1", 4120, WECHAT)
    for _ in range(3):
        assert world.ask(ask).state == "unknown"
        assert world.ask(c.QueryCharge("R1")).state == "unknown"
    turn(world, ProviderMode.NORMAL)
    assert world.ask(c.QueryCharge("R1")).state == "paid"
    assert world.ask(ask).state == "paid"
    assert world.taken_fen("R1") == 4120


def test_a_late_charge_waits_and_is_then_paid(world: World) -> None:
    turn(world, ProviderMode.LATE, seconds=20)
    assert world.ask(c.PayByCode("R1", 4120, WECHAT)).state == "waiting"
    world.clock.advance(seconds=19)
    assert world.ask(c.QueryCharge("R1")).state == "waiting"
    assert world.taken_fen("R1") == 0
    world.clock.advance(seconds=1)
    assert world.ask(c.QueryCharge("R1")).state == "paid"
    assert world.ask(c.PayByCode("R1", 4120, WECHAT)).state == "paid"
    assert world.taken_fen("R1") == 4120


def test_a_late_charge_cannot_be_closed_away(light_world: World) -> None:
    turn(light_world, ProviderMode.LATE, seconds=20)
    light_world.ask(c.PayByCode("R1", 4120, WECHAT))
    assert light_world.ask(c.CloseOrder("R1")).state == "waiting"
    light_world.clock.advance(seconds=20)
    assert light_world.ask(c.CloseOrder("R1")).state == "paid"


def test_a_declining_provider_takes_nothing_and_the_refusal_is_final(light_world: World) -> None:
    turn(light_world, ProviderMode.DECLINING)
    declined = light_world.ask(c.PayByCode("R1", 4120, WECHAT))
    assert (declined.state, declined.reason) == ("declined", "insufficient_funds")
    turn(light_world, ProviderMode.NORMAL)
    assert light_world.ask(c.PayByCode("R1", 4120, WECHAT)) == declined
    assert light_world.taken_fen("R1") == 0


def test_the_same_reference_with_another_amount_is_refused_and_alarmed(world: World) -> None:
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    with pytest.raises(KeyReused):
        world.ask(c.PayByCode("R1", 1, WECHAT))
    assert world.alarms() == ["key_reused"]


def test_an_order_shown_on_screen_is_paid_by_a_phone(light_world: World) -> None:
    opened = light_world.ask(c.OpenOrder("R1", 4120))
    assert opened.url.endswith("R1")
    assert light_world.ask(c.QueryCharge("R1")).state == "waiting"
    light_world.parts.provider.pay("R1")
    light_world.parts.provider.pay("R1")
    charge = light_world.ask(c.QueryCharge("R1"))
    assert (charge.state, charge.amount_fen) == ("paid", 4120)
    assert kinds(light_world, "R1") == ["opened", "charged"]


def test_code_on_screen_and_payers_code_are_one_order(world: World) -> None:
    """Both directions on one page (row 64): whichever is used, the money is taken once."""
    world.ask(c.OpenOrder("R1", 4120))
    world.parts.provider.pay("R1")
    assert world.ask(c.PayByCode("R1", 4120, WECHAT)).state == "paid"
    assert world.taken_fen("R1") == 4120


def test_a_closed_order_can_never_be_paid(world: World) -> None:
    world.ask(c.OpenOrder("R1", 4120))
    assert world.ask(c.CloseOrder("R1")).state == "closed"
    assert world.parts.provider.pay("R1").state == "closed"
    assert world.ask(c.PayByCode("R1", 4120, WECHAT)).state == "closed"
    assert world.taken_fen("R1") == 0


def test_closing_an_order_never_heard_of_shuts_it_too(world: World) -> None:
    assert world.ask(c.QueryCharge("R1")).state == "not_found"
    assert world.ask(c.CloseOrder("R1")).state == "closed"
    assert world.ask(c.PayByCode("R1", 4120, WECHAT)).state == "closed"


def test_a_reversal_gives_the_money_back_once_and_shuts_the_hospitals_door(world: World) -> None:
    quote = elders_quote(world)
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    for _ in range(3):
        assert world.ask(c.ReverseCharge("R1")).state == "reversed"
    assert kinds(world, "R1") == ["opened", "charged", "reversed"]
    assert world.taken_fen("R1") == 0
    assert world.ask(settle("R1", quote)) == c.SettleRefused("R1", "closed")


class Hesitant:
    """A provider before which a reversal stands still until it is let go; others are refused."""

    def __init__(self) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.first, self.reversed = True, 0

    def reverse(self, reference: str) -> c.Charge:
        if not self.first:
            return c.Charge(reference, "paid", 4120, reason="not_now")
        self.first = False
        self.entered.set()
        assert self.let_go.wait(30)
        self.reversed += 1
        return c.Charge(reference, "reversed", 4120)

    def query(self, reference: str) -> c.Charge:
        return c.Charge(reference, "paid", 4120)

    def open(self, reference: str, amount_fen: int) -> str:
        raise Away

    def charge(self, reference: str, amount_fen: int, code: str) -> c.Charge:
        raise Away

    def close(self, reference: str) -> c.Charge:
        raise Away


def reversing(world: World, provider: Hesitant) -> Callable[[], c.Charge]:
    gateway = world.parts.gateway
    payments = Payments(gateway.store, gateway.keys, provider, gateway.hospital, world.clock)
    return lambda: payments.reverse_charge("T1", c.ReverseCharge("R1"))


def test_no_second_reversal_is_refused_while_the_first_is_still_at_the_provider(
    world: World,
) -> None:
    """Else the terminal would take the refusal for the end, and finance pay what went back."""
    provider = Hesitant()
    reverse = reversing(world, provider)
    with ThreadPoolExecutor() as others:
        slow = others.submit(reverse)
        assert provider.entered.wait(30)
        assert (reverse().state, reverse().reason) == ("unknown", "being_asked")
        provider.let_go.set()
        assert slow.result(30).state == "reversed"
    assert reverse().state == "reversed"


def test_a_reversal_whose_asker_was_lost_is_asked_again_and_the_first_word_stays(
    light_world: World,
) -> None:
    provider = Hesitant()
    reverse = reversing(light_world, provider)
    with ThreadPoolExecutor() as others:
        slow = others.submit(reverse)
        assert provider.entered.wait(30)
        light_world.clock.advance(seconds=PROVIDER_S + 1)
        refused = reverse()
        assert (refused.state, refused.reason) == ("paid", "not_now")
        provider.let_go.set()
        assert slow.result(30) == refused, "what was answered first stays"
    assert reverse() == refused
    assert light_world.alarms() == ["provider_said_otherwise"]


def test_what_the_hospital_has_booked_is_not_reversed(world: World) -> None:
    quote = elders_quote(world)
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    assert isinstance(world.ask(settle("R1", quote)), c.Settled)
    charge = world.ask(c.ReverseCharge("R1"))
    assert (charge.state, charge.reason) == ("paid", "booked")
    assert world.taken_fen("R1") == 4120
    assert world.alarms() == ["reversal_of_booked"]


def test_nothing_is_booked_that_the_provider_has_not_taken(world: World) -> None:
    quote = elders_quote(world)
    assert world.ask(settle("R1", quote)) == c.SettleRefused("R1", "not_paid")
    assert not world.his("settled")


def test_a_charge_of_another_amount_is_not_booked(light_world: World) -> None:
    quote = elders_quote(light_world)
    light_world.ask(c.PayByCode("R1", 4000, WECHAT))
    assert light_world.ask(settle("R1", quote)) == c.SettleRefused("R1", "amount_differs")


def test_a_settlement_waits_while_the_provider_does_not_say(world: World) -> None:
    quote = elders_quote(world)
    turn(world, ProviderMode.SILENT)
    world.ask(c.PayByCode("R1", 4120, WECHAT))
    with pytest.raises(Away):
        world.ask(settle("R1", quote))
    turn(world, ProviderMode.NORMAL)
    settled = world.ask(settle("R1", quote))
    assert isinstance(settled, c.Settled)
    turn(world, ProviderMode.SILENT)
    assert world.ask(settle("R1", quote)) == settled, "what is booked needs no provider"


def test_a_silent_provider_opens_no_order_and_says_so(light_world: World) -> None:
    turn(light_world, ProviderMode.SILENT)
    with pytest.raises(Away):
        light_world.ask(c.OpenOrder("R1", 4120))
    turn(light_world, ProviderMode.NORMAL)
    assert light_world.ask(c.OpenOrder("R1", 4120)).url.endswith("R1")


def elders_quote(world: World) -> Any:
    bills = tuple(bill.id for bill in world.ask(c.AskToday(people.ELDER.id)).bills)
    return world.ask(c.PreSettle(people.ELDER.id, bills)).quote


def settle(reference: str, quote: Any) -> c.Settle:
    asked = c.Settle(reference, people.ELDER.id, quote.id, 4120, "payer_code", "wechat")
    return replace(asked, amount_fen=quote.split.own_fen)
