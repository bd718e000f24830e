"""kiosk-gateway as a process: killed in the middle, ended politely, commands that staff type."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import fleet
from gateway.adapters.demo import ledger, people
from gateway.cli import app, open_store
from gateway.daily_file import Channel, write
from gateway.tables import records, screenings
from kiosk.hospital import contract as c
from kiosk.hospital.client import HospitalClient
from kiosk.hospital.faults import HospitalError
from tests.gateway.postgres import Cluster
from tests.gateway.served import Program
from tests.gateway.world import MORNING, record, screening

NOW = ("--demo-controls", "--demo-now", "2026-11-20T08:42:00+08:00")


def command(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gateway.db"
    running: Cluster = request.getfixturevalue("postgres")
    return running.new_database()


def enrolled(url: str) -> str:
    store = open_store(url)
    token = fleet.add_terminal(store, "T1", MORNING)
    store.close()
    return token


def deliver(base_url: str, token: str, batches: list[c.Outbox]) -> list[c.Outbox]:
    """Send each batch once; those whose answer did not come."""
    asking = HospitalClient(base_url, "T1", token)
    unanswered = []
    for batch in batches:
        try:
            asking.ask(batch)
        except HospitalError:
            unanswered.append(batch)
    asking.close()
    return unanswered


def test_killed_in_the_middle_of_batches_everything_is_there_once(
    fresh_url: str, tmp_path: Path
) -> None:
    """SIGKILL while batches and check-ins are on their way; sent again until answered."""
    gateway = Program(fresh_url, tmp_path, *NOW)
    gateway.start()
    token = enrolled(fresh_url)
    printed = c.PrintedRecord(people.ELDER.id, "R20261120-P0001-1", MORNING)
    everything = [record(n, screening(f"S{n}"), "screening") for n in range(1, 1200)]
    everything.append(record(1200, printed, "printed"))
    batches = [c.Outbox(tuple(everything[at : at + 100])) for at in range(0, 1200, 100)]
    waiting = batches
    for kill_after_s in (0.05, 0.15):
        killer = threading.Timer(kill_after_s, gateway.kill)
        killer.start()
        waiting = deliver(gateway.base_url, token, waiting)
        killer.join()
        gateway.start()
    assert deliver(gateway.base_url, token, batches) == [], "all again, as after a lost answer"
    gateway.kill()
    store = open_store(fresh_url)
    with store.reading() as connection:
        assert len(connection.execute(records.select()).all()) == 1200
        assert len(connection.execute(screenings.select()).all()) == 1199
        assert len(ledger.his_entries(connection, "printed")) == 1
    store.close()


def test_sigterm_ends_it_cleanly_and_the_next_start_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    gateway = Program(url, tmp_path, *NOW)
    gateway.start()
    asking = HospitalClient(gateway.base_url, "T1", enrolled(url))
    before = asking.ask(c.AskToday(people.ELDER.id))
    assert gateway.stop() == 0
    gateway.start()
    assert asking.ask(c.AskToday(people.ELDER.id)) == before
    asking.close()
    assert gateway.stop() == 0
    lines = [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines].count("ended") == 2


def test_staff_enrol_a_terminal_read_the_books_and_revoke_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    gateway = Program(url, tmp_path, *NOW)
    gateway.start()
    token = command("add-terminal", "T1", "--url", url)
    asking = HospitalClient(gateway.base_url, "T1", token)
    asking.ask(c.OpenOrder("R1", 100))
    books = json.loads(command("ledger", "--url", url, "--json"))
    assert [entry["reference"] for entry in books["provider"]] == ["R1"]
    assert any(entry["kind"] == "booked" for entry in books["hospital"])
    command("revoke-terminal", "T1", "--url", url)
    with pytest.raises(HospitalError, match="terminal_unknown"):
        asking.ask(c.AskAccount(people.ELDER.id))
    asking.close()
    gateway.stop()


def test_finance_takes_a_file_and_matches_the_day(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    open_store(url).close()
    file = tmp_path / "codes.csv"
    file.write_text(write(Channel.CODES, MORNING.date(), ()))
    assert command("take-file", str(file), "--url", url) == "codes 2026-11-20: 0 rows"
    told = json.loads(command("reconcile", "--date", "2026-11-20", "--url", url, "--json"))
    assert (told["differences"], told["missing_files"]) == ([], ["cards"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--url", "postgresql+psycopg://x/y"), "--key-file"),
        (("--demo-now", "2026-11-20T08:42"), "--demo-controls"),
        (("--tls-cert", __file__), "--tls-key"),
        (("--tls-cert", "nowhere.pem", "--tls-key", __file__), "nowhere.pem"),
        (("--client-ca", __file__), "--tls-cert"),
        (("--host", "0.0.0.0"), "--plain"),
        (("--host", "gateway.hospital"), "--plain"),
        (("--demo-now", "yesterday", "--demo-controls"), "2026-11-20T08:42"),
        (("--adapter", "nobody"), "demo"),
    ],
)
def test_options_that_contradict_each_other_start_nothing(
    options: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    """Above all never plain HTTP by a forgotten option; never a stranger's key file."""
    url = () if "--url" in options else ("--url", f"sqlite:///{tmp_path}/gateway.db")
    result = CliRunner().invoke(app, ["serve", *url, *options])
    assert result.exit_code != 0
    assert word in result.output
    assert list(tmp_path.iterdir()) == []


def refused(folder: Path, *words: str) -> str:
    """What a command that must fail said to whoever typed it."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=folder,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reconcile", "--date", "2026-13-01"), "2026-13-01"),
        (("reconcile", "--date", "2026-11-20"), "there is no database gateway.db; give --url"),
        (("ledger", "--url", "sqlite:///nowhere/x.db"), "there is no database nowhere/x.db"),
        (("add-operator", "x", "--url", "sqlite:///nowhere/x.db"), "unable to open database file"),
        (("add-operator", "x", "--url", "nonsense"), "--url must be sqlite:///PATH"),
        (("take-file", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_a_mistyped_command_says_what_is_wrong_and_makes_nothing(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """Above all no empty database in which every book looks balanced."""
    assert said in refused(tmp_path, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_signs_policies_is_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "policy.key"
    command("make-policy-key", str(key))
    before = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in refused(tmp_path, "make-policy-key", str(key))
    assert key.read_bytes() == before
    days = ("--valid-from", "2026-11-20", "--valid-until", "2026-11-19", "--because", "x")
    assert "never be on" in refused(tmp_path, "sign-policy", "--key", str(key), *days)


def test_whoever_leaves_the_staff_no_longer_sees_the_console(tmp_path: Path) -> None:
    """Row 113."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    token = command("add-operator", "小张", "--url", url)
    store = open_store(url)
    with store.reading() as connection:
        assert fleet.operator_of(connection, "小张", token) is not None
    command("remove-operator", "小张", "--url", url)
    with store.reading() as connection:
        assert fleet.operator_of(connection, "小张", token) is None
    store.close()
    assert "no operator 小张" in refused(tmp_path, "remove-operator", "小张", "--url", url)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in refused(
            tmp_path, "serve", "--port", str(port)
        )
