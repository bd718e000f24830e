"""The fork server: three processes with books, and terminals forked one after the other.

Rule: a terminal opens its connections and its files after the fork, and leaves only by SIGKILL at
a mark or by its own end; what it must say goes through a pipe.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shutil
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from kiosk.hospital.client import HospitalClient
from tests.crash.devices import run_devices
from tests.crash.judge import Books, Verdict, judge, read_journal
from tests.crash.labels import is_of_money
from tests.crash.lines import LineClient, unix_listener
from tests.crash.marks import MarkedSession, Marks
from tests.crash.page import BEGIN_S, Page
from tests.crash.scenario import Scenario
from tests.crash.servers import run_hospital, run_provider
from tests.crash.terminal import Place, Terminal, opened

BUG = 70
PR_SET_PDEATHSIG = 1  # linux/prctl.h
SERVERS = ("devices", "provider", "hospital")
WARM_UP = 19
"""A scenario that ends well, by a card."""

DEATHS_MAX = 3
KILLED_AGAIN = 0.82
"""A mark that is never reached kills nobody: so many are tried, about half die again. Of the kinds
of by_chance() 78, 64 and 22 in a hundred are reached, the last 90 while there are rare labels."""

RECOVERY_MARKS = 150
MONEY_MARKS = 40
RARE_MARKS = 300
"""Killed again at one of the first so many of all marks, or of those of the payments; or where
none of so many was rare."""


@dataclass(frozen=True)
class Kill:
    """At which mark a life ends, of those that count. 0: it is not killed."""

    at: int = 0
    counts: Callable[[str], bool] = field(default=lambda label: True)


LIVES = Kill()

PAUSES_S = (0.2, 0.5, 2.0, 6.0, 15.0, 25.0, 35.0, 40.0, 60.0, 90.0, 900.0)
"""Between death and the next start; a pad gives up a payment that it holds after thirty."""


@dataclass(frozen=True)
class Life:
    """How one terminal fared. `died_at`: the mark's label, empty when it ended by itself."""

    died_at: str
    mark: int = 0
    marks: tuple[str, ...] = ()
    bug: str = ""


Plan = Callable[[int], Kill]
"""How the life of this number is to end; 1 is the first recovery."""


@dataclass
class Point:
    """One scenario, killed once or several times, then run to its end and compared."""

    deaths: list[str]
    kills: list[int]  # the numbers of their marks: given again, the same lives end there again
    verdict: Verdict
    marks: tuple[str, ...] = ()  # of the first life, if nobody killed it
    seen: frozenset[str] = frozenset()  # of all lives that ended by themselves


@dataclass
class Yard:
    """Everything that stands around a terminal. Use as a context; close() ends the processes."""

    folder: Path
    page: Page = field(default_factory=Page)
    _pids: list[int] = field(default_factory=list)

    def __enter__(self) -> Yard:
        pad_port, cash_port, hospital_port = (_tcp_listener() for _ in range(3))
        paths = {name: self.folder / f"{name}.sock" for name in SERVERS}
        controls = {name: unix_listener(path) for name, path in paths.items()}
        session, url = MarkedSession(), f"http://127.0.0.1:{hospital_port.getsockname()[1]}"
        self.place = Place(
            self.page,
            self.folder / "point",
            {"pad": pad_port.getsockname()[1], "cash": cash_port.getsockname()[1]},
            paths["devices"],
            paths["provider"],
            session,
            HospitalClient(url, "K03", "token", session=session),
        )
        self._server(lambda: run_provider(self.page, controls["provider"]))
        self._server(lambda: run_devices(self.page, pad_port, cash_port, controls["devices"]))
        provider = paths["provider"]
        self._server(lambda: run_hospital(self.page, provider, hospital_port, controls["hospital"]))
        for listener in (pad_port, cash_port, hospital_port, *controls.values()):
            listener.close()
        self._lines = {name: LineClient(path) for name, path in paths.items()}
        self._warm_up()
        return self

    def __exit__(self, *_fault: object) -> None:
        for line in self._lines.values():
            line.close()
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _warm_up(self) -> None:
        """A store to copy for each point; and a whole life here, so that no terminal spends its
        own on what Python does once. All is closed again before the first fork of a terminal."""
        records = opened(self.folder / "new", self.page, Random(1))
        assert records.admission() == ""  # with its ballast aboard
        records.close()
        scenario = Scenario.of(WARM_UP)
        self._begin(scenario)
        terminal = Terminal(self.place, Marks(self.page), scenario, 0)
        terminal.live()
        terminal.close()
        gc.collect()
        gc.freeze()  # a collection would copy every page of the parent

    def _server(self, run: Callable[[], None]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _end_with(parent)
            _as_child(run)
        self._pids.append(pid)

    # --- one point

    def point(self, scenario: Scenario, kill_at: int, plan: Plan) -> Point:
        """Killed at this mark (0: not at all), then as planned; its end compared with the books."""
        self._begin(scenario)
        pauses = Random(f"{scenario.seed}/{kill_at}")
        lives = [self._live(scenario, 0, Kill(kill_at))]
        while lives[-1].died_at:
            self._pass_time(pauses.choice(PAUSES_S))
            lives.append(self._live(scenario, len(lives), plan(len(lives))))
        verdict = self._judged()
        for life in lives:
            if life.bug:
                verdict.add("unresolved", f"the terminal died of a bug: {life.bug}")
        dead = [life for life in lives if life.died_at]
        deaths, kills = [life.died_at for life in dead], [life.mark for life in dead]
        return Point(deaths, kills, verdict, lives[0].marks, frozenset(lives[-1].marks))

    def _begin(self, scenario: Scenario) -> None:
        self.page.now_s = BEGIN_S
        for line in self._lines.values():
            line.ask(begin=scenario.told())
        shutil.rmtree(self.place.folder, ignore_errors=True)
        shutil.copytree(self.folder / "new", self.place.folder)

    def _pass_time(self, seconds: float) -> None:
        until_s = self.page.now_s + seconds
        while "sent" not in self._lines["devices"].ask(until_s=until_s, lines={}, awaits=""):
            pass  # the device has not noticed yet that its line is dead

    def _live(self, scenario: Scenario, number: int, kill: Kill) -> Life:
        self.page.last_word = ""
        heard, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            _as_child(lambda: self._be_terminal(scenario, number, kill, said))
        os.close(said)
        with open(heard, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            mark, _, label = self.page.last_word.partition(" ")
            return Life(label or "killed by somebody else", int(mark or 0))
        if os.waitstatus_to_exitcode(status) == 0:
            return Life("", marks=tuple(json.loads(told)))
        return Life("", bug=told.decode() or f"exit {status}")

    def _be_terminal(self, scenario: Scenario, number: int, kill: Kill, said: int) -> None:
        marks = Marks(self.page, kill.at, kill.counts)
        try:
            Terminal(self.place, marks, scenario, number).live()
        except BaseException:
            os.write(said, traceback.format_exc().encode()[-4000:])
            raise
        with open(said, "wb") as pipe:
            pipe.write(json.dumps(marks.trail).encode())

    def _judged(self) -> Verdict:
        asked: dict[str, Any] = {name: line.ask(books=True) for name, line in self._lines.items()}
        devices = asked["devices"]
        books = Books(devices["pad"], asked["provider"], asked["hospital"], devices["cash"])
        return judge(read_journal(self.place.folder), books)


def by_chance(chance: Random, rare: Collection[str]) -> Plan:
    """Killed again in about half of the recoveries: anywhere early, among the marks of payments,
    or at the first mark of a kind at which few have died so far."""

    def plan(life: int) -> Kill:
        luck = chance.random()
        if life >= DEATHS_MAX or luck > KILLED_AGAIN:
            return LIVES
        match chance.choice(("any", "money", "rare")):
            case "any":
                return Kill(chance.randint(1, RECOVERY_MARKS))
            case "money":
                return Kill(chance.randint(1, MONEY_MARKS), is_of_money)
        return Kill(1, rare_or_late(rare))

    return plan


def rare_or_late(rare: Collection[str]) -> Callable[[str], bool]:
    """One of these labels, or whatever comes when so many marks had none of them."""
    passed = count(1)
    return lambda label: label in rare or next(passed) > RARE_MARKS


def as_before(kills: Sequence[int]) -> Plan:
    """An earlier point's lives: `kills` are the marks of those after the first."""
    return lambda life: Kill(kills[life - 1]) if life <= len(kills) else LIVES


def _tcp_listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _end_with(parent: int) -> None:
    """A drill that is killed leaves nobody behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(BUG)


def _as_child(run: Callable[[], None]) -> None:
    """Nothing of the parent's may run on in a child, whatever happens in it."""
    gc.disable()
    code = BUG
    try:
        run()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        raise
    finally:
        os._exit(code)
