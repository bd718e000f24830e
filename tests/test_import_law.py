"""The law of imports: who may import whom, read from the source of every module.

Rule: a module that no line of the tables below speaks of is itself a breach, so that a new
package starts with a decision. The tests of the reader are small trees that break one rule each.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("drivers", "gateway", "kiosk", "offline", "provisioning", "ui")
PURE = ("kiosk.domain", "kiosk.flows", "kiosk.views")
CONTRACT = "kiosk.hospital.contract"
"""Frozen messages without I/O; see docs/decisions/001."""
FAULTS = "kiosk.hospital.faults"
"""For those who turn them into events; see docs/decisions/002."""
ROOTS = ("kiosk.__main__", "kiosk.app", "kiosk.cli", "kiosk.outbox_cli", "kiosk.demo")
"""They may import everything; nothing but each other imports them."""

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "kiosk.__init__": (),
    "drivers": (),
    "offline": (),
    "kiosk.domain": PURE,
    "kiosk.flows": (*PURE, CONTRACT),
    "kiosk.views": PURE,
    "kiosk.clock": (),
    "kiosk.logs": (),
    "kiosk.policy": (),
    "kiosk.ports": (*PURE, CONTRACT),
    "kiosk.link": ("kiosk.views",),
    "kiosk.profile": ("kiosk.domain",),
    "kiosk.engine": (*PURE, CONTRACT, FAULTS, "kiosk.ports", "kiosk.logs"),
    "kiosk.hospital": ("kiosk.domain",),
    "kiosk.devices": ("kiosk.ports", *PURE, "drivers"),
    "kiosk.making": ("kiosk.openers", "kiosk.profile", "kiosk.ports", "drivers"),
    "kiosk.openers": ("kiosk.profile", "drivers"),
    "kiosk.keeping": ("offline",),
    "kiosk.records": (
        *("kiosk.ports", "kiosk.keeping", "kiosk.owned", "kiosk.sending"),
        *(*PURE, CONTRACT, FAULTS, "offline"),
    ),
    "kiosk.owned": (*PURE, CONTRACT, "offline"),
    "kiosk.sending": ("kiosk.ports", CONTRACT, FAULTS, "offline"),
    "kiosk.lending": ("kiosk.ports", "kiosk.owned", *PURE, CONTRACT, "offline"),
    "kiosk.questions": ("kiosk.records", "kiosk.keeping", "kiosk.cash_count", "offline"),
    "kiosk.cash_count": ("kiosk.records", "kiosk.engine", "kiosk.flows", CONTRACT),
    "kiosk.upkeep": ("kiosk.records", "kiosk.ports", "kiosk.logs", "offline"),
    "kiosk.paper": (*PURE, "kiosk.words"),
    "kiosk.words": ("kiosk.views",),
    "ui": ("kiosk.views", "kiosk.link", "kiosk.logs"),
    "gateway": ("kiosk.domain", CONTRACT, "kiosk.logs"),
    "provisioning": ("drivers", "kiosk.profile", "kiosk.hospital", "kiosk.logs"),
    "kiosk.__main__": ("kiosk.cli",),
    "kiosk.app": PACKAGES,
    "kiosk.cli": PACKAGES,
    "kiosk.outbox_cli": PACKAGES,
    "kiosk.demo": PACKAGES,
}
"""Of our own packages, besides itself. kiosk.logs is a leaf that every program needs."""

ONLY_IN: dict[str, tuple[str, ...]] = {
    "kivy": ("ui",),
    "serial": ("drivers",),
    "smartcard": ("drivers",),
    "cv2": ("drivers",),
    "pyzbar": ("drivers",),
    "zxingcpp": ("drivers", "kiosk.demo"),  # the tour's phone reads codes off the screen
    "socket": (
        *("drivers", "kiosk.link", "kiosk.hospital.client"),
        *("kiosk.demo", "ui.hands", "ui.bench"),
    ),
    "socketserver": ("drivers", "kiosk.link", "kiosk.demo"),
    "requests": ("kiosk.hospital.client",),
    "urllib3": ("kiosk.hospital.client",),
    "http.client": ("drivers",),
    "urllib.request": ("drivers", "kiosk.demo"),
    "sqlite3": ("offline",),
    "sqlite_utils": ("offline",),
    "apsw": ("offline",),
    "sqlalchemy": ("gateway", "kiosk.demo"),
    "psycopg": ("gateway",),
    "fastapi": ("gateway",),
}
"""Each way out has one place, other doors to the same room are closed; see docs/decisions/005."""

NOT_IN_PURE = (
    "asyncio",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "uuid",
)
UNREADABLE = "?"
CLOCKS = ("now", "today", "utcnow")


@dataclass(frozen=True)
class Module:
    """One source file under its import name."""

    name: str
    path: Path
    tree: ast.Module


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of these packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def modules_of(root: Path) -> dict[str, Module]:
    """Every module of our packages under root."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path, ast.parse(path.read_text("utf-8")))
    return found


def imported(module: Module, known: dict[str, Module]) -> Iterator[tuple[str, int]]:
    """What a module imports, wherever in the file, as full names with the line."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield alias.name, node.lineno
            case ast.ImportFrom():
                base = absolute(module, node)
                foreign = base.split(".")[0] not in PACKAGES
                for alias in node.names:
                    deeper = f"{base}.{alias.name}"
                    # `from kiosk.hospital import contract` imports the module of that name
                    yield (deeper if deeper in known or foreign else base), node.lineno
            case ast.Call() if (name := run_time_name(node)) is not None:
                yield name or UNREADABLE, node.lineno


def run_time_name(call: ast.Call) -> str | None:
    """What a call of import_module imports, as far as it stands there; None for other calls.

    import_module(f"ui.screens.{name}") is "ui.screens"; a name that is all variable is "".
    """
    match call.func:
        case ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"):
            pass
        case _:
            return None
    match call.args:
        case [ast.Constant(value=str() as name), *_]:
            return name
        case [ast.JoinedStr(values=[ast.Constant(value=str() as start), *_]), *_]:
            return start.rpartition(".")[0]
    return ""


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """The full name after `from`, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    inside = module.name.split(".")
    if module.path.name != "__init__.py":
        inside = inside[:-1]
    inside = inside[: len(inside) - (node.level - 1)]
    return ".".join([*inside, *filter(None, [node.module])])


def law_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The line of the table that speaks of this module: its package, and what that may import."""
    for package, allowed in MAY_IMPORT.items():
        if within(f"{name}.__init__" if name == "kiosk" else name, (package,)):
            return package, allowed
    return None


def breaches(root: Path) -> list[str]:
    """Every breach of the law under root, as sentences with file and line."""
    known = modules_of(root)
    found: list[str] = []
    for module in known.values():
        where = module.path.relative_to(root)
        law = law_of(module.name)
        if law is None:
            found.append(f"{where}: the law has no line for {module.name}")
            continue
        for target, line in imported(module, known):
            wrong = breach(module.name, law, target)
            found += [f"{where}:{line}: {wrong}"] if wrong else []
        found += [f"{where}:{line}: {wrong}" for line, wrong in hidden(module)]
    return list(dict.fromkeys(found))


def breach(importer: str, law: tuple[str, tuple[str, ...]], target: str) -> str | None:
    """Why this import is not allowed, or None."""
    own, allowed = law
    if target == UNREADABLE:
        return "imports at run time cannot be read"
    if target.split(".")[0] in PACKAGES or target.split(".")[0] == "tests":
        if within(target, ROOTS) and not within(importer, ROOTS):
            return f"nothing may import {target}, a program"
        if not within(target, (own, *allowed)):
            return f"{own} may not import {target}"
        return None
    for name, places in ONLY_IN.items():
        if within(target, (name,)) and not within(importer, places):
            return f"{name} belongs in {', '.join(places) or 'no package'}, not in {importer}"
    if within(importer, PURE) and within(target, NOT_IN_PURE):
        return f"{target.split('.')[0]} has no place in {own}, which is pure"
    return None


def hidden(module: Module) -> Iterator[tuple[int, str]]:
    """Ways around the law that need no import: clocks and files in pure code."""
    pure = within(module.name, PURE)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(attr=attr) if pure and attr in CLOCKS:
                yield node.lineno, f"{attr}() reads a clock: hand the moment in"
            case ast.Name(id="open" | "print" | "input") if pure:
                yield node.lineno, "pure code neither reads nor writes"


def test_every_import_obeys_the_law() -> None:
    found = breaches(ROOT)
    assert not found, "\n".join(found)


def test_the_law_is_read_over_the_whole_project() -> None:
    """A reader that found no files would find no breach either."""
    known = modules_of(ROOT)
    assert {"kiosk.domain", "drivers.errors", "offline", "gateway.adapters", "ui"} <= set(known)


BREACHES = [
    ("kiosk/__init__.py", "from kiosk.domain import money", "kiosk.__init__ may not import"),
    ("drivers/a.py", "import kiosk.domain", "drivers may not import kiosk.domain"),
    ("drivers/a.py", "from offline import store", "drivers may not import offline"),
    ("offline/a.py", "from drivers.errors import DriverError", "offline may not import drivers"),
    ("kiosk/domain/a.py", "from kiosk import ports", "kiosk.domain may not import kiosk.ports"),
    ("kiosk/domain/a.py", "from ..engine import loop", "kiosk.domain may not import kiosk.engine"),
    ("kiosk/domain/a.py", "import time", "time has no place in kiosk.domain"),
    ("kiosk/flows/a.py", "from os import path", "os has no place in kiosk.flows"),
    ("kiosk/flows/a.py", "def f():\n    import random", "random has no place in kiosk.flows"),
    ("kiosk/views.py", "import threading", "threading has no place in kiosk.views"),
    ("kiosk/views.py", "import socket", "socket belongs in"),
    ("kiosk/views.py", "from datetime import date\nx = date.today()", "today() reads a clock"),
    ("kiosk/flows/a.py", "x = open('/etc/passwd')", "neither reads nor writes"),
    ("kiosk/engine/a.py", "import drivers", "kiosk.engine may not import drivers"),
    ("kiosk/engine/a.py", "from kiosk import profile", "kiosk.engine may not import kiosk.profile"),
    ("kiosk/views.py", "from kiosk.hospital import contract", "kiosk.views may not import"),
    ("kiosk/flows/a.py", "from kiosk.hospital import client", "kiosk.flows may not import"),
    ("kiosk/hospital/a.py", "from kiosk.flows import pay", "may not import kiosk.flows"),
    ("kiosk/hospital/contract.py", "import requests", "requests belongs in"),
    ("kiosk/devices.py", "import offline", "kiosk.devices may not import offline"),
    ("kiosk/records.py", "import drivers", "kiosk.records may not import drivers"),
    ("kiosk/records.py", "import sqlite3", "sqlite3 belongs in offline"),
    ("ui/a.py", "from kiosk.domain import money", "ui may not import kiosk.domain"),
    ("ui/a.py", "import socket", "socket belongs in drivers, kiosk.link"),
    ("kiosk/engine/a.py", "from kiosk.hospital import client", "may not import kiosk.hospital"),
    ("kiosk/engine/a.py", "from kivy.app import App", "kivy belongs in ui"),
    ("gateway/a.py", "from kiosk.hospital import client", "may not import kiosk.hospital.client"),
    ("gateway/a.py", "import sqlite3", "sqlite3 belongs in offline"),
    ("gateway/a.py", "from urllib.request import urlopen", "urllib.request belongs in"),
    ("provisioning/a.py", "import offline", "provisioning may not import offline"),
    ("provisioning/a.py", "import serial.tools.list_ports", "serial belongs in drivers"),
    ("provisioning/a.py", "from kiosk.app import Core", "nothing may import kiosk.app"),
    ("kiosk/engine/a.py", "def f():\n    from kiosk.demo import run", "nothing may import"),
    ("kiosk/engine/a.py", "import tests.people", "kiosk.engine may not import tests"),
    ("kiosk/engine/a.py", "__import__('drivers')", "kiosk.engine may not import drivers"),
    ("kiosk/engine/a.py", "import importlib\nimportlib.import_module('ui')", "not import ui"),
    ("ui/a.py", "import_module(f'kiosk.flows.{name}')", "ui may not import kiosk.flows"),
    ("ui/a.py", "import_module(name)", "imports at run time cannot be read"),
    ("ui/a.py", "import_module(f'{name}.a')", "imports at run time cannot be read"),
    ("kiosk/app.py", "import socket", "socket belongs in"),
    ("kiosk/engine/a.py", "import kiosk.__main__", "nothing may import"),
    ("kiosk/surprise.py", "", "the law has no line for kiosk.surprise"),
]

ALLOWED = [
    ("kiosk/domain/a.py", "from datetime import datetime\ndef at(moment: datetime): ..."),
    ("kiosk/flows/a.py", "from kiosk.domain import money\nfrom kiosk import views"),
    ("kiosk/flows/a.py", "from .pay import step\nfrom kiosk.hospital import contract"),
    ("kiosk/hospital/client.py", "import requests\nfrom kiosk.domain import money"),
    ("gateway/a.py", "from kiosk.hospital import contract\nfrom gateway.adapters import demo"),
    ("offline/a.py", "import sqlite3, threading, os"),
    ("drivers/a.py", "import serial, socket, subprocess, pty"),
    ("kiosk/devices.py", "from kiosk.flows.events import CardRead\nfrom drivers import errors"),
    ("kiosk/records.py", "from kiosk.flows.effects import Effect\nfrom offline import store"),
    ("kiosk/engine/workers.py", "from kiosk.hospital import faults\nfrom kiosk.engine import loop"),
    ("kiosk/link.py", "import socket\nfrom kiosk.views import Home"),
    ("kiosk/demo/a.py", "import gateway.app, kiosk.cli, drivers, offline"),
    ("ui/a.py", "import kivy.app\nfrom kiosk.link import Link"),
    ("ui/a.py", "import_module(f'ui.screens.{name}')"),
]


def tree_with(root: Path, path: str, source: str) -> Path:
    """A small project of all packages, with one file of the given source."""
    for package in (*PACKAGES, "kiosk/domain", "kiosk/flows", "kiosk/engine", "kiosk/hospital"):
        (root / package).mkdir(parents=True, exist_ok=True)
        (root / package / "__init__.py").touch()
    for module in ("kiosk/ports", "kiosk/profile", "kiosk/views", "kiosk/app", "kiosk/flows/pay"):
        (root / f"{module}.py").touch()
    for module in ("client", "contract", "faults"):
        (root / f"kiosk/hospital/{module}.py").touch()
    (root / "kiosk/domain/money.py").touch()
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text(source, "utf-8")
    return root


@pytest.mark.parametrize(("path", "source", "sentence"), BREACHES)
def test_a_breach_is_named_with_its_file(
    tmp_path: Path, path: str, source: str, sentence: str
) -> None:
    found = breaches(tree_with(tmp_path, path, source))
    assert len(found) == 1, found
    assert sentence in found[0]
    assert found[0].startswith(path)


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_what_the_table_allows_is_no_breach(tmp_path: Path, path: str, source: str) -> None:
    assert breaches(tree_with(tmp_path, path, source)) == []
