"""The client over real sockets: what it says of each fault is what is known about the request."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.hospital import contract as c
from kiosk.hospital.client import (
    ANSWER_BYTES_MAX,
    CONNECT_S,
    RETRY_AFTER_MAX_S,
    SILENT_S,
    HospitalClient,
)
from kiosk.hospital.faults import (
    HospitalAnsweredBadly,
    HospitalBusy,
    HospitalError,
    HospitalOutcomeUnknown,
    HospitalRefused,
    HospitalUnreachable,
)
from kiosk.hospital.pace import BEAT_FIRST_S
from tests.gateway.postgres import free_port
from tests.hospital.servers import (
    Behaviour,
    RawServer,
    answer,
    raw_server,
    read_request,
    reads_then_closes,
    resets_under_the_request,
    says,
    stays_silent,
)

READ = c.AskDepartments(date(2026, 11, 20))
CHANGE = c.ReleaseHold("r1", "h1")
DONE = answer(b'{"kind":"done"}')


SHORT_S = 0.35  # for the whole exchange, in place of the endpoint's seconds


def client_of(server: RawServer, **more: Any) -> HospitalClient:
    return HospitalClient(server.url, "T1", "secret", timeout_max_s=SHORT_S, **more)


def fault(server: RawServer, request: Any) -> type[HospitalError]:
    asking = client_of(server)
    with pytest.raises(HospitalError) as raised:
        asking.ask(request)
    asking.close()
    assert "secret" not in str(raised.value)
    return type(raised.value)


def test_nobody_listening_means_nothing_was_sent() -> None:
    asking = HospitalClient(f"http://127.0.0.1:{free_port()}", "T1", "secret")
    for request in (READ, CHANGE):
        with pytest.raises(HospitalUnreachable):
            asking.ask(request)


def test_a_name_that_does_not_exist_means_nothing_was_sent() -> None:
    with pytest.raises(HospitalUnreachable):
        HospitalClient("http://gateway.invalid:1", "T1", "secret").ask(CHANGE)


@pytest.mark.parametrize("behaviour", [reads_then_closes, stays_silent])
def test_sent_and_not_answered_is_unknown_for_a_change(behaviour: Behaviour) -> None:
    with raw_server(behaviour) as server:
        assert fault(server, CHANGE) is HospitalOutcomeUnknown
        assert fault(server, READ) is HospitalUnreachable


def test_a_connection_reset_under_the_request_is_unknown() -> None:
    """The bytes were handed to the system; what came of them nobody can say."""
    with raw_server(resets_under_the_request) as server:
        assert fault(server, CHANGE) is HospitalOutcomeUnknown


def test_a_listener_that_never_accepts_is_given_up_in_time() -> None:
    """A full queue of connections drops new ones in silence: nothing of the request left."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(HospitalUnreachable):
            HospitalClient(f"http://127.0.0.1:{port}", "T1", "secret", timeout_max_s=SHORT_S).ask(
                CHANGE
            )
        assert time.monotonic() - began < 2
        for one in waiting:
            one.close()


@pytest.mark.parametrize("where", ["head", "body"])
def test_an_answer_that_drips_ends_at_the_deadline_of_the_whole(where: str) -> None:
    """One byte each 50 ms keeps every single read alive; the exchange ends all the same."""
    whole = answer(b'{"kind":"done"}' + b" " * 1000)
    first = 5 if where == "head" else whole.index(b"\r\n\r\n") + 6

    def drip(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(whole[:first])
        for place in range(first, len(whole)):
            if server.ended.wait(0.05):
                return
            peer.sendall(whole[place : place + 1])

    with raw_server(drip) as server:
        began = time.monotonic()
        assert fault(server, CHANGE) is HospitalOutcomeUnknown
        assert time.monotonic() - began < SHORT_S + 0.6


def test_an_answer_cut_short_is_not_used() -> None:
    def cut(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(DONE[:-4])

    with raw_server(cut) as server:
        assert fault(server, CHANGE) is HospitalOutcomeUnknown


@pytest.mark.parametrize(
    "body",
    [
        b"<html><h1>Please log in to the network</h1></html>",
        b"",
        b"{}",
        b'{"kind":"gone"}',
        b'{"error":"failed"}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_200_that_is_not_the_contract_is_never_used(body: bytes) -> None:
    """RELIABILITY B7: HTML, a 200 with an error in it, garbage."""
    with raw_server(says(answer(body))) as server:
        assert fault(server, CHANGE) is HospitalAnsweredBadly


QUOTE = (
    b'{"quote":{"id":"Q","bill_ids":["B1"],"lines":[{"name":"x","quantity":1,"amount_fen":100}],'
    b'"split":{"basic_fen":%d,"serious_fen":0,"aid_fen":0,"own_fen":%d},"insured":true,'
    b'"valid_until":"2026-11-20T10:00:00Z"},"kind":"quoted"}'
)


LEASE = (
    b'{"id":"L1","first":1,"count":2,"called":["A001"],"until":"2026-11-20T11:00:00Z","slot":'
    b'{"id":"S","department_id":"D","doctor":"x","title":"t","starts":"2026-11-20T10:00:00Z",'
    b'"ends":"2026-11-20T11:00:00Z","left":2,"fee_fen":0,"room":"1"}}'
)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (c.GrantLease("L1", "D", date(2026, 11, 20), 2), LEASE),
        (c.QueryCharge("R1"), b'{"reference":"R2","state":"paid"}'),
        (c.QueryCharge("R1"), b'{"reference":"R1","state":"fine"}'),
        (c.QuerySettlement("R1"), b'{"reference":"R2","kind":"settlement_not_found"}'),
        (c.AskHelp("k1"), b'{"key":"k2","coming":"x"}'),
        (c.FetchReport("P1", "r1"), b'{"report_id":"r2","pdf":"","pages":1}'),
        (c.PreSettle("P1", ("B1",)), QUOTE % (40, 50)),
        (c.PreSettle("P1", ("B1",)), QUOTE % (-50, 150)),
        (c.PreSettle("P1", ("B2",)), QUOTE % (40, 60)),
    ],
)
def test_an_answer_to_another_question_is_never_used(request_: Any, body: bytes) -> None:
    """RELIABILITY B7: other reference, other bill, a sum that is none, numbers without a name."""
    with raw_server(says(answer(body))) as server:
        assert fault(server, request_) is HospitalAnsweredBadly


def test_a_true_answer_of_that_form_is_used() -> None:
    with raw_server(says(answer(QUOTE % (40, 60)))) as server:
        quoted = client_of(server).ask(c.PreSettle("P1", ("B1",)))
    assert quoted.quote.split.own_fen == 60


@pytest.mark.parametrize("status", ["302 Found", "204 No Content", "304 Not Modified"])
def test_a_captive_portals_redirect_is_not_followed(status: str) -> None:
    elsewhere = answer(b"", status).replace(b"\r\n", b"\r\nLocation: http://127.0.0.1:1/\r\n", 1)
    with raw_server(says(elsewhere)) as server:
        assert fault(server, CHANGE) is HospitalAnsweredBadly
        assert server.connections == 1


def test_a_hundred_megabytes_are_refused_long_before_they_are_held() -> None:
    """RELIABILITY B6. Counted at the server: how much it could send before the client left."""
    sent = 0

    def flood(peer: socket.socket) -> None:
        nonlocal sent
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(100):
            peer.sendall(b" " * 1_048_576)
            sent += 1_048_576

    with raw_server(flood) as server, pytest.raises(HospitalAnsweredBadly):
        HospitalClient(server.url, "T1", "secret").ask(READ)
    assert sent < ANSWER_BYTES_MAX + 20 * 1_048_576


def test_an_answer_without_a_length_is_limited_too() -> None:
    def flood(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            peer.sendall(b"100000\r\n" + b" " * 1_048_576 + b"\r\n")

    with raw_server(flood) as server, pytest.raises(HospitalAnsweredBadly):
        HospitalClient(server.url, "T1", "secret").ask(READ)


@pytest.mark.parametrize(
    ("status", "of_read", "of_change"),
    [
        ("400 Bad Request", HospitalRefused, HospitalRefused),
        ("401 Unauthorized", HospitalRefused, HospitalRefused),
        ("409 Conflict", HospitalRefused, HospitalRefused),
        ("500 Internal Server Error", HospitalRefused, HospitalOutcomeUnknown),
        ("502 Bad Gateway", HospitalRefused, HospitalOutcomeUnknown),
        ("503 Service Unavailable", HospitalUnreachable, HospitalUnreachable),
        ("504 Gateway Timeout", HospitalRefused, HospitalOutcomeUnknown),
    ],
)
def test_each_status_means_one_thing(
    status: str, of_read: type[HospitalError], of_change: type[HospitalError]
) -> None:
    with raw_server(says(answer(b'{"code":"why_not"}', status))) as server:
        assert fault(server, READ) is of_read
        assert fault(server, CHANGE) is of_change


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code":"key_reused"}', "key_reused"),
        (b'{"code":"Wang Xiulan 110105"}', "unnamed"),
        (b"<html>", "unnamed"),
        (b'{"code":"' + b"x" * 200 + b'"}', "unnamed"),
    ],
)
def test_only_a_plain_code_of_a_refusal_is_repeated(body: bytes, code: str) -> None:
    with (
        raw_server(says(answer(body, "409 Conflict"))) as server,
        pytest.raises(HospitalRefused) as refused,
    ):
        client_of(server).ask(CHANGE)
    assert (refused.value.status, refused.value.code) == (409, code)


def test_what_came_is_quoted_in_no_fault() -> None:
    """An answer with a wrong field names a person; the exception must not."""
    body = b'{"patient":{"person":"P1","name":"WangXiulan","number":"110105"},"kind":"known"}'
    with (
        raw_server(says(answer(body))) as server,
        pytest.raises(HospitalAnsweredBadly) as raised,
    ):
        client_of(server).ask(c.Identify(c.Credential.ID_CARD, "11010519491231002X"))
    words = repr(raised.value) + str(raised.value) + repr(raised.value.__cause__)
    assert "WangXiulan" not in words
    assert "110105" not in words


def test_one_connection_is_kept_and_one_that_died_idle_is_replaced() -> None:
    first_done = threading.Event()

    def once(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(DONE)
        peer.shutdown(socket.SHUT_RDWR)
        first_done.set()

    with raw_server(once, says(DONE)) as server:
        asking = client_of(server)
        assert asking.ask(CHANGE) == c.Done()
        assert first_done.wait(5)
        for _ in range(3):
            assert asking.ask(CHANGE) == c.Done()
        assert server.connections == 2
        asking.close()


def test_after_a_fault_the_next_request_gets_a_new_connection() -> None:
    """A late answer to the first request must never be read as the answer to the second."""
    release = threading.Event()

    def late(peer: socket.socket) -> None:
        read_request(peer)
        release.wait(5)
        peer.sendall(answer(b'{"kind":"late"}'))

    with raw_server(late, says(DONE)) as server:
        asking = client_of(server)
        with pytest.raises(HospitalOutcomeUnknown):
            asking.ask(CHANGE)
        release.set()
        assert asking.ask(CHANGE) == c.Done()
        assert server.connections == 2
        asking.close()


def test_a_crowded_gateway_says_when_to_come_again() -> None:
    crowded = b"HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 2\r\n\r\n{}"
    with raw_server(says(crowded)) as server:
        for request in (READ, CHANGE):
            with pytest.raises(HospitalBusy) as raised:
                client_of(server).ask(request)
            assert raised.value.wait_s == 17


@pytest.mark.parametrize("told", [b"Fri, 20 Nov 2026 08:00:00 GMT", b"-5", b"1e9", b"", b"9" * 40])
def test_a_time_to_come_again_that_is_no_number_is_no_time(told: bytes) -> None:
    crowded = b"HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 2\r\n\r\n{}" % told
    with raw_server(says(crowded)) as server:
        assert fault(server, CHANGE) is HospitalUnreachable


def test_nobody_is_told_to_stay_away_for_ever() -> None:
    crowded = b"HTTP/1.1 503 Busy\r\nRetry-After: 99999999\r\nContent-Length: 2\r\n\r\n{}"
    with raw_server(says(crowded)) as server:
        with pytest.raises(HospitalBusy) as raised:
            client_of(server).ask(READ)
        assert raised.value.wait_s == RETRY_AFTER_MAX_S


def test_a_kept_connection_that_ends_is_noticed_without_asking() -> None:
    goodbye, gone = threading.Event(), threading.Event()

    def answers_once(peer: socket.socket) -> None:
        read_request(peer)
        peer.sendall(DONE)
        goodbye.wait(5)
        peer.shutdown(socket.SHUT_RDWR)
        gone.set()

    with raw_server(answers_once, says(DONE)) as server:
        asking = client_of(server)
        assert not asking.connected()
        asking.ask(CHANGE)
        assert asking.connected()
        goodbye.set()
        assert gone.wait(5)
        assert not asking.connected()
        asking.ask(CHANGE)
        assert asking.connected()
        asking.close()


def test_a_silent_peer_is_looked_after_by_the_system() -> None:
    """Half-open: within SILENT_S of silence, so that core notices within 15 s (RELIABILITY B6).

    5 s until core looks, 3 s for the new connection that then fails; the drill `halfopen` measures
    it with packets that vanish.
    """
    assert SILENT_S + BEAT_FIRST_S + CONNECT_S <= 15
    with raw_server(says(DONE)) as server:
        asking = client_of(server)
        asking.ask(CHANGE)
        sock = asking._exchange.sock
        assert sock is not None
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENT_S * 1000
        idle, every = (
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL)
        )
        assert idle + every < SILENT_S
        asking.close()


def test_a_large_request_is_packed_and_a_small_one_is_not() -> None:
    seen: list[bytes] = []

    def keep(peer: socket.socket) -> None:
        while True:
            seen.append(read_request(peer))
            peer.sendall(answer(b'{"verdicts":[],"held_up_to":0}'))

    record = c.Record(1, "k", "screening", datetime(2026, 11, 20, tzinfo=UTC), '{"a":"b"}' * 50)
    with raw_server(keep) as server:
        asking = client_of(server)
        asking.ask(c.Outbox((record,) * 100))
        asking.ask(c.Outbox(()))
        asking.close()
    large, small = (data.partition(b"\r\n\r\n") for data in seen)
    assert b"Content-Encoding: gzip" in large[0]
    assert gzip.decompress(large[2]).count(b'"key":"k"') == 100
    assert b"Content-Encoding" not in small[0]
    assert small[2] == b'{"records":[]}'


def test_token_and_terminal_travel_with_every_request() -> None:
    seen: list[bytes] = []

    def keep(peer: socket.socket) -> None:
        seen.append(read_request(peer))
        peer.sendall(DONE)

    with raw_server(keep) as server:
        client_of(server).ask(CHANGE)
    assert b"X-Terminal: T1\r\n" in seen[0]
    assert b"Authorization: Bearer secret\r\n" in seen[0]


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with raw_server(says(DONE)) as server:
        assert client_of(server).ask(CHANGE) == c.Done()


# --- TLS ------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


def secured(own: tuple[Path, Path], client: Path, inner: Behaviour) -> Behaviour:
    """The behaviour behind mutual TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED

    def behave(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as inside:
            inner(inside)

    return behave


def test_both_sides_show_their_certificates(tmp_path: Path) -> None:
    gateway, terminal = certificate(tmp_path, "gateway"), certificate(tmp_path, "terminal")
    with raw_server(secured(gateway, terminal[0], says(DONE))) as server:
        url = server.url.replace("http://", "https://")
        asking = HospitalClient(url, "T1", "secret", ca=gateway[0], cert=terminal)
        for _ in range(3):
            assert asking.ask(CHANGE) == c.Done()
        assert server.connections == 1
        asking.close()


def test_a_gateway_with_a_strange_certificate_is_told_nothing(tmp_path: Path) -> None:
    gateway, terminal = certificate(tmp_path, "gateway"), certificate(tmp_path, "terminal")
    other = certificate(tmp_path, "other")
    with raw_server(secured(gateway, terminal[0], says(DONE))) as server:
        url = server.url.replace("http://", "https://")
        for trusted in (other[0], None):
            asking = HospitalClient(url, "T1", "secret", ca=trusted, cert=terminal)
            with pytest.raises(HospitalUnreachable):
                asking.ask(CHANGE)


def test_the_deadline_holds_under_tls_as_well(tmp_path: Path) -> None:
    gateway, terminal = certificate(tmp_path, "gateway"), certificate(tmp_path, "terminal")

    def drip(peer: socket.socket) -> None:
        read_request(peer)
        for byte in DONE:
            if server.ended.wait(0.05):
                return
            peer.sendall(bytes([byte]))

    with raw_server(secured(gateway, terminal[0], drip)) as server:
        url = server.url.replace("http://", "https://")
        asking = HospitalClient(
            url, "T1", "secret", ca=gateway[0], cert=terminal, timeout_max_s=SHORT_S
        )
        began = time.monotonic()
        with pytest.raises(HospitalOutcomeUnknown):
            asking.ask(CHANGE)
        assert time.monotonic() - began < SHORT_S + 0.6
