"""What Prometheus is told: verdicts, refused, alarms, silence and age; nobody's name."""

from __future__ import annotations

from dataclasses import replace

import requests
from prometheus_client.parser import text_string_to_metric_families

from gateway.adapters.demo import people
from gateway.metrics import Metrics
from gateway.store import Store
from kiosk.domain.identity import Credential
from kiosk.hospital import contract as c
from tests.gateway.postgres import free_port
from tests.gateway.served import client, post, served
from tests.gateway.world import MORNING, TERMINAL, HandClock, World, record, screening


def told(world: World) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values."""
    families = text_string_to_metric_families(world.parts.gateway.metrics.text().decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_verdicts_refused_records_and_alarms_are_counted(world: World) -> None:
    sent = [record(n, screening(f"S{n}"), "screening") for n in (1, 2, 3)]
    world.ask(c.Outbox((*sent, record(4, "{", "screening"))))
    world.ask(c.Outbox((replace(sent[0], sequence=5, body="{}"),)))
    now = told(world)
    assert now["gateway_records_total", "accepted"] == 3
    assert now["gateway_records_total", "refused"] == 2
    assert now["gateway_refused_records", "body_not_understood"] == 1
    assert now["gateway_refused_records", "key_reused"] == 1
    assert now["gateway_alarms", "key_reused"] == 1
    assert now["gateway_store_up",] == 1


def test_silent_terminals_and_the_oldest_record_that_waits_are_seen(world: World) -> None:
    """RELIABILITY F8: a record that waits grows older, also when its terminal falls silent."""
    assert told(world)["gateway_terminals", "silent"] == 2
    assert told(world)["gateway_oldest_unsynced_seconds",] == 0
    world.ask(c.Hello(TERMINAL, "0.1.0", MORNING, waiting=7, oldest_s=100))
    world.ask(c.Hello("T2", "0.1.0", MORNING, waiting=0, oldest_s=9999), "T2")
    now = told(world)
    assert (now["gateway_terminals", "seen"], now["gateway_terminals", "silent"]) == (2, 0)
    assert now["gateway_waiting_records",] == 7
    assert now["gateway_oldest_unsynced_seconds",] == 100
    world.clock.advance(minutes=10)
    now = told(world)
    assert now["gateway_terminals", "seen"] == 0
    assert now["gateway_oldest_unsynced_seconds",] == 700


def test_the_page_is_served_with_times_and_names_nobody(light_world: World) -> None:
    with served(light_world) as url:
        asking = client(url)
        asking.ask(c.Identify(Credential.ID_CARD, people.ELDER.number))
        asking.ask(c.Outbox((record(1, screening("S1"), "screening"),)))
        asking.close()
        assert post(url, "/v1/today", b"{}").status_code == 422
        page = requests.get(f"{url}/metrics", timeout=5).text
    assert 'gateway_answer_seconds_bucket{endpoint="outbox",le="0.5"}' in page
    assert 'gateway_answers_total{endpoint="identify",status="200"} 1.0' in page
    assert 'gateway_answers_total{endpoint="today",status="422"} 1.0' in page
    for secret in (people.ELDER.number, people.ELDER.name, "马德福", TERMINAL, "S1"):
        assert secret not in page


def test_without_the_database_the_page_says_so() -> None:
    store = Store(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    page = Metrics(store, HandClock()).text().decode()
    assert "gateway_store_up 0.0" in page and "gateway_terminals" not in page
    store.close()
