"""The gateway over HTTP: every endpoint of the contract, what is refused, and the documents."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import requests

from gateway.adapters.demo import people
from gateway.adapters.demo.codes import demo_codes
from gateway.app import BATCH_BYTES_MAX, BODY_BYTES_MAX
from kiosk.domain.identity import Credential, DocumentKind, Identity, Sex
from kiosk.hospital import contract as c
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.faults import HospitalRefused
from tests.gateway.served import client, post, served
from tests.gateway.world import MORNING, World, record, screening

TODAY = date(2026, 11, 20)


@dataclass
class Here:
    url: str
    client: HospitalClient
    world: World


@pytest.fixture
def here(light_world: World) -> Iterator[Here]:
    with served(light_world, controls=True) as url:
        asking = client(url)
        yield Here(url, asking, light_world)
        asking.close()


def visit(asking: HospitalClient) -> dict[str, Any]:
    """One visit that uses every endpoint of the contract once; the replies by endpoint."""
    elder, codes = people.ELDER.id, demo_codes(people.ELDER, MORNING)
    said: dict[str, Any] = {}

    def ask(request: Any) -> Any:
        shape: Any = type(request)
        said[c.endpoint_of(shape).name] = reply = asking.ask(request)
        return reply

    ask(c.Hello("T1", "0.1.0", MORNING, waiting=2, troubles=("a4_printer",)))
    ask(c.Identify(Credential.ID_CARD, people.ELDER.number))
    newcomer = Identity(
        DocumentKind.RESIDENT, "110101200001010117", "张新", Credential.ID_CARD, sex=Sex.MALE
    )
    ask(c.Enter("e1", newcomer))
    ask(c.BindRelative("b1", elder, newcomer, "parent"))
    today = ask(c.AskToday(elder))
    ask(c.CheckIn("c1", elder, today.appointments[0].id))
    ask(c.AskDepartments(TODAY))
    slots = ask(c.AskSlots("internal", TODAY)).slots
    ask(c.HoldSlot("h1", next(one for one in slots if one.left).id, elder))
    ask(c.ReleaseHold("r1", "h1"))
    quote = ask(c.PreSettle(elder, (today.bills[0].id,))).quote
    ask(c.OpenOrder("R1", quote.split.own_fen))
    ask(c.PayByCode("R1", quote.split.own_fen, codes.wechat))
    ask(c.QueryCharge("R1"))
    ask(c.Settle("R1", elder, quote.id, quote.split.own_fen, "payer_code", "wechat"))
    ask(c.QuerySettlement("R1"))
    ask(c.CloseOrder("R2"))
    ask(c.ReverseCharge("R3"))
    ask(c.AskAccount(elder))
    ask(c.FetchReport(elder, today.reports[0].id))
    ask(c.MarkPrinted("m1", elder, today.reports[0].id))
    ask(c.CallHelp("help-1", "一楼大厅 3 号机", "pay"))
    ask(c.AskHelp("help-1"))
    ask(c.AskDayList(TODAY))
    ask(c.GrantLease("l1", "internal", TODAY, 1))
    ask(c.Outbox((record(1, screening("S1"), "screening"),)))
    return said


def test_every_endpoint_of_the_contract_is_answered(here: Here) -> None:
    said = visit(here.client)
    with pytest.raises(HospitalRefused, match="policy_off"):
        here.client.ask(c.LookUpHealthCode("610102194302110097", "V1", "老人没有手机"))
    assert {*said, "look-up-health-code"} == {endpoint.name for endpoint in c.ENDPOINTS}
    assert said["hello"].hospital == "市第一医院"
    assert said["identify"].patient.person == "P0001"
    assert said["check-in"].ticket.number.startswith("A")
    assert isinstance(said["settle"], c.Settled)
    assert said["close-order"].state == said["reverse-charge"].state == "closed"
    assert said["fetch-report"].pdf.startswith(b"%PDF-")
    assert said["day-list"].people
    assert said["outbox"].held_up_to == 1


def test_nothing_known_is_asked_again(here: Here) -> None:
    """Row 119: who was entered once is found by the card, with nothing typed."""
    newcomer = Identity(DocumentKind.PASSPORT, "G99887766", "ANNA BERG", Credential.ID_CARD)
    entered = here.client.ask(c.Enter("e1", newcomer)).patient
    again = here.client.ask(c.Enter("e2", newcomer)).patient
    found = here.client.ask(
        c.Identify(Credential.ID_CARD, "g99887766", document=DocumentKind.PASSPORT)
    )
    assert entered == again == found.patient
    today = here.client.ask(c.AskToday(entered.person))
    assert (today.appointments, today.bills, today.reports, today.dependants) == ((), (), (), ())
    assert here.client.ask(c.AskAccount(entered.person)).bills == ()


@pytest.mark.parametrize(
    ("terminal", "token"),
    [("T1", ""), ("T1", "wrong"), ("T9", "the token of terminal 1"), ("", ""), ("T2", "x" * 9000)],
)
def test_without_its_own_token_a_terminal_is_told_nothing(
    here: Here, terminal: str, token: str
) -> None:
    """Row 113: deny by default, at every endpoint."""
    headers = {"X-Terminal": terminal, "Authorization": f"Bearer {token}"}
    for endpoint in c.ENDPOINTS:
        answer = requests.post(f"{here.url}{endpoint.path}", b"{}", headers=headers, timeout=10)
        assert (answer.status_code, answer.json()) == (401, {"code": "terminal_unknown"})


def test_a_terminal_speaks_only_for_itself(here: Here) -> None:
    with pytest.raises(HospitalRefused, match="other_terminal"):
        here.client.ask(c.Hello("T2", "0.1.0", MORNING))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"person": 7}', b"\xff\xfe", b"null"])
def test_what_is_no_message_gets_422_and_no_word_of_it_back(here: Here, body: bytes) -> None:
    answer = post(here.url, "/v1/today", body)
    assert (answer.status_code, answer.json()) == (422, {"code": "not_understood"})


@pytest.mark.parametrize(
    ("name", "bytes_max"), [("today", BODY_BYTES_MAX), ("outbox", BATCH_BYTES_MAX)]
)
def test_a_body_without_end_is_cut_off(here: Here, name: str, bytes_max: int) -> None:
    assert post(here.url, f"/v1/{name}", b" " * bytes_max).status_code == 422
    assert post(here.url, f"/v1/{name}", b" " * (bytes_max + 1)).status_code == 413


def test_a_small_body_that_unpacks_without_end_is_cut_off(here: Here) -> None:
    bomb = gzip.compress(b" " * (BODY_BYTES_MAX * 20))
    assert len(bomb) < 200_000
    answer = post(here.url, "/v1/today", bomb, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"no gzip at all", gzip.compress(b'{"person":"P0001"}', mtime=0)[:-9]], ids=["a", "b"]
)
def test_a_spoilt_packed_body_is_not_understood(here: Here, body: bytes) -> None:
    answer = post(here.url, "/v1/today", body, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 422


def test_a_patient_is_named_in_no_log_line(here: Here) -> None:
    """RELIABILITY A3."""
    visit(here.client)
    post(here.url, "/v1/identify", json.dumps({"value": people.ELDER.number}).encode())
    written = here.world.log.getvalue()
    assert written.count('"event": "answered"') == len(c.ENDPOINTS)
    for secret in (people.ELDER.name, people.ELDER.number, people.ELDER.phone, "张新", "马德福"):
        assert secret not in written


def test_openapi_names_every_endpoint_and_every_reference_resolves(here: Here) -> None:
    described = requests.get(f"{here.url}/openapi.json", timeout=10).json()
    assert set(described["paths"]) == {endpoint.path for endpoint in c.ENDPOINTS}
    schemas = described["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references
    assert references <= set(schemas)
    assert {"Settle", "Settled", "SettleRefused", "SettlementNotFound", "Charge"} <= set(schemas)


def test_the_documents_need_no_internet(here: Here) -> None:
    page = requests.get(f"{here.url}/docs", timeout=10)
    assert page.status_code == 200
    assert "/v1/settle" in page.text
    assert not re.search(r'(?:src|href)="(?!#|/openapi.json")', page.text)
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_demo_controls_do_not_exist_unless_asked_for(light_world: World) -> None:
    with served(light_world) as url:
        for path in ("pay", "provider", "hospital", "ledger", "state", "pay/R1"):
            for method in ("get", "post"):
                assert requests.request(method, f"{url}/demo/{path}", timeout=10).status_code == 404


def test_a_hand_pays_turns_knobs_and_reads_both_books(here: Here) -> None:
    here.client.ask(c.OpenOrder("R1", 100))
    assert "R1" in requests.get(f"{here.url}/demo/pay/R1", timeout=10).text
    paid = requests.post(f"{here.url}/demo/pay", json={"reference": "R1"}, timeout=10)
    assert paid.json()["state"] == "paid"
    books = requests.get(f"{here.url}/demo/ledger", timeout=10).json()
    assert [entry["kind"] for entry in books["provider"]] == ["opened", "charged"]
    turned = requests.post(f"{here.url}/demo/provider", json={"mode": "silent"}, timeout=10)
    assert turned.json()["provider"] == "silent"
    assert here.client.ask(c.QueryCharge("R1")).state == "unknown"
    wrong = requests.post(f"{here.url}/demo/provider", json={"mode": "nonsense"}, timeout=10)
    assert wrong.status_code == 422


def test_the_pay_page_cannot_be_made_to_run_a_strangers_script(here: Here) -> None:
    page = requests.get(f"{here.url}/demo/pay/%3C%2Fscript%3E%3Cscript%3Ealert", timeout=10).text
    assert "</script><script>alert" not in page
