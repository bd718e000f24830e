"""The house style as far as a machine can read it.

Rule: every check has a small file that breaks it and must be caught; an exemption is a line in
EXEMPT with its reason, never a comment in the file itself.
"""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("drivers", "gateway", "kiosk", "offline", "provisioning", "ui")
UNREAD_FOLDERS = {"__pycache__", "build", "dist", "tour", "var"}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
POSITIONAL_MAX = 5

EXEMPT: dict[tuple[str, str], str] = {
    ("broad_excepts", "kiosk/engine/workers.py"): "the one place where faults become events",
    ("broad_excepts", "tests/drills/fuzz.py"): "counts what escapes, of whatever class",
    ("broad_excepts", "gateway/ingest.py"): "one record that breaks must not stop the others",
    ("long_files", "kiosk/hospital/contract.py"): "a table of messages, declarations only",
    ("long_files", "kiosk/views.py"): "a table of view models, declarations only",
    ("sleeps", "tests/drills/"): "drills run for minutes on the real clock",
    ("sleeps", "tests/bench/"): "benchmarks pace real devices",
}
"""(check, path or folder/) → the reason."""

Finding = tuple[int, str]


@dataclass(frozen=True)
class Source:
    """One Python file: its path under the root, its text and what the parser made of it."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        return self.path.startswith("tests/")


def long_functions(source: Source) -> Iterator[Finding]:
    """A function that does not fit a screen is two functions."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"


def long_files(source: Source) -> Iterator[Finding]:
    """A file is one idea."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield lines, f"the file has {lines} lines, {FILE_LINES_MAX} at most"


def many_positionals(source: Source) -> Iterator[Finding]:
    """Beyond five, a caller cannot know which is which; decorated ones are called by a library."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list:
            names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            if count > POSITIONAL_MAX and not source.is_test:
                yield node.lineno, f"{node.name} takes {count} positional arguments"


def broad_excepts(source: Source) -> Iterator[Finding]:
    """What is caught broadly is a bug that nobody hears of; undoing and raising on is heard."""
    broad = {"Exception", "BaseException"}
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(body=[*_, ast.Raise(exc=None)]):
                continue
            case ast.ExceptHandler(type=None):
                yield node.lineno, "except without a class"
            case ast.ExceptHandler(type=caught) if caught and names_in(caught) & broad:
                yield node.lineno, "except catches everything"
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress")):
                if any(names_in(argument) & broad for argument in node.args):
                    yield node.lineno, "suppress swallows everything"


def names_in(node: ast.expr) -> set[str]:
    """All plain names inside an expression."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


REPLACED = re.compile(r"mo[c]k", re.IGNORECASE)


def replaced_code(source: Source) -> Iterator[Finding]:
    """A test that replaces our code tests something else; transports and clocks are handed in."""
    if not source.is_test:
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                words = [alias.name for alias in names] + [getattr(node, "module", "") or ""]
            case ast.Name(id=word) | ast.arg(arg=word):
                words = [word]
            case ast.Attribute(value=ast.Name(id="monkeypatch"), attr=attr):
                words = ["mock"] if attr in ("setattr", "delattr") else []
            case ast.Attribute(attr=word):
                words = [word]
            case _:
                words = []
        if any(REPLACED.search(word) for word in words):
            yield getattr(node, "lineno", 1), "replaces code under test"


def sleeps(source: Source) -> Iterator[Finding]:
    """A test waits for an event with a deadline, or owns the clock."""
    if not source.is_test:
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="sleep") | ast.Name(id="sleep")):
                yield node.lineno, "sleeps"
            case ast.ImportFrom(names=names) if any(alias.name == "sleep" for alias in names):
                yield node.lineno, "imports sleep"


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")


def unfinished(source: Source) -> Iterator[Finding]:
    """What is left to do has an issue: the mark is followed by its number, (#12)."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and UNFINISHED.search(token.string):
            yield token.start[0], "left to do, without the number of an issue"


def unexplained(source: Source) -> Iterator[Finding]:
    """Every product module says in its docstring what it is for; so does a file of tests."""
    if source.tree.body and ast.get_docstring(source.tree) is None:
        yield 1, "no module docstring"


CHECKS: tuple[Callable[[Source], Iterator[Finding]], ...] = (
    long_functions,
    long_files,
    many_positionals,
    broad_excepts,
    replaced_code,
    sleeps,
    unfinished,
    unexplained,
)

MACHINE_PATH = re.compile(r"(?<![\w.$}-])/(?:work|root|home/[a-z]\w*|Users/\w+)/[\w.]")
"""A path that exists on one developer's machine only."""


def is_exempt(check: str, path: str) -> bool:
    """Whether EXEMPT frees this file from this check."""
    return any(
        check == name and (path == place or (place.endswith("/") and path.startswith(place)))
        for name, place in EXEMPT
    )


def files_of(root: Path) -> Iterator[Path]:
    """Every file of the project, hidden and generated folders left out."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in UNREAD_FOLDERS
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name == ".ci")
        )
        yield from (Path(folder) / name for name in sorted(files))


def style_findings(root: Path) -> list[str]:
    """What the checks find in the Python files of our packages and tests, as sentences."""
    found = []
    for path in files_of(root):
        name = path.relative_to(root).as_posix()
        if path.suffix != ".py" or name.split("/")[0] not in (*PRODUCT, "tests"):
            continue
        text = path.read_text("utf-8")
        source = Source(name, text, ast.parse(text))
        for check in CHECKS:
            if not is_exempt(check.__name__, name):
                found += [f"{name}:{line}: {what}" for line, what in check(source)]
    return found


def machine_paths(root: Path) -> list[str]:
    """Lines of any text file that name a folder of one machine."""
    found = []
    for path in files_of(root):
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(root)}:{number}: names a machine's folder")
    return found


def test_the_project_keeps_its_style() -> None:
    found = style_findings(ROOT)
    assert not found, "\n".join(found)


def test_no_file_names_a_machine() -> None:
    found = machine_paths(ROOT)
    assert not found, "\n".join(found)


def test_the_checks_read_all_packages() -> None:
    read = {path.relative_to(ROOT).parts[0] for path in files_of(ROOT) if path.suffix == ".py"}
    assert {*PRODUCT, "tests"} <= read


def test_every_exemption_still_has_its_check() -> None:
    assert {check for check, _ in EXEMPT} <= {check.__name__ for check in CHECKS}


DOC = '"""A module."""\n'
BODY = "    x = 1\n"
FAKE = "mo" + "ck"  # the word itself is one that these checks forbid

MUTANTS = [
    ("kiosk/a.py", f"{DOC}def f():\n{BODY * 70}", "f has 71 lines"),
    ("kiosk/a.py", DOC + "x = 1\n" * 600, "the file has 601 lines"),
    ("kiosk/a.py", f"{DOC}def f(a, b, c, d, e, g): ...\n", "takes 6 positional"),
    ("kiosk/a.py", f"{DOC}try:\n{BODY}except:\n{BODY}", "except without a class"),
    ("drivers/a.py", f"{DOC}try:\n{BODY}except Exception:\n{BODY}", "catches everything"),
    ("kiosk/a.py", f"{DOC}try:\n{BODY}except Exception as e:\n    raise A from e", "everything"),
    ("ui/a.py", f"{DOC}try:\n{BODY}except (OSError, BaseException):\n{BODY}", "everything"),
    ("ui/a.py", f"{DOC}with contextlib.suppress(Exception):\n{BODY}", "swallows everything"),
    ("kiosk/a.py", f"{DOC}# TODO: later\n", "without the number of an issue"),
    ("kiosk/a.py", f"{DOC}x = 1  # FIXME(2) later\n", "without the number of an issue"),
    ("kiosk/a.py", "x = 1\n", "no module docstring"),
    ("tests/a.py", f"{DOC}from unittest import {FAKE}\n", "replaces code"),
    ("tests/a.py", f"{DOC}import unittest.{FAKE} as m\n", "replaces code"),
    ("tests/a.py", f"{DOC}def test_a({FAKE}er): ...\n", "replaces code"),
    (
        "tests/a.py",
        f"{DOC}def test_a(monkeypatch):\n    monkeypatch.{'set'}attr(a, 'b', 1)\n",
        "code",
    ),
    ("tests/a.py", f"{DOC}import time\ntime.{'sleep'}(1)\n", "sleeps"),
    ("tests/a.py", f"{DOC}from time import sleep as nap\n", "imports sleep"),
]

CLEAN = [
    ("kiosk/a.py", f"{DOC}def f():\n{BODY * 69}"),
    ("kiosk/a.py", DOC + "x = 1\n" * 599),
    ("kiosk/a.py", f"{DOC}def f(self, a, b, c, d, e, *, g): ...\n"),
    ("kiosk/engine/workers.py", f"{DOC}try:\n{BODY}except Exception:\n{BODY}"),
    ("drivers/a.py", f"{DOC}try:\n{BODY}except (OSError, ValueError):\n{BODY}"),
    ("offline/a.py", f"{DOC}try:\n{BODY}except BaseException:\n{BODY}    raise\n"),
    ("kiosk/a.py", f"{DOC}# TODO(#12): later\n"),
    ("kiosk/__init__.py", ""),
    ("tests/drills/a.py", f"{DOC}import time\ntime.{'sleep'}(1)\n"),
    ("tests/a.py", f"{DOC}def test_a(monkeypatch):\n    monkeypatch.setenv('A', 'b')\n"),
]

FOREIGN_PATHS = ["/wo" + "rk/main/x", "cd /ro" + "ot/kiosk", "file:///ho" + "me/anna/kiosk"]
OWN_PATHS = ["/opt/kiosk/bin", "/var/lib/kiosk", "./work/out", "https://a.example/work/x", "/root"]


def written(root: Path, path: str, text: str) -> Path:
    """A project of one file."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize(("path", "text", "sentence"), MUTANTS)
def test_what_breaks_the_style_is_found(
    tmp_path: Path, path: str, text: str, sentence: str
) -> None:
    found = style_findings(written(tmp_path, path, text))
    assert len(found) == 1, found
    assert sentence in found[0]


@pytest.mark.parametrize(("path", "text"), CLEAN)
def test_what_keeps_the_style_is_not_accused(tmp_path: Path, path: str, text: str) -> None:
    assert style_findings(written(tmp_path, path, text)) == []


@pytest.mark.parametrize("text", FOREIGN_PATHS)
def test_a_path_of_one_machine_is_found(tmp_path: Path, text: str) -> None:
    assert machine_paths(written(tmp_path, "docs/a.md", f"see {text}\n"))


@pytest.mark.parametrize("text", OWN_PATHS)
def test_a_path_of_the_product_is_not_accused(tmp_path: Path, text: str) -> None:
    assert machine_paths(written(tmp_path, "docs/a.md", f"see {text}\n")) == []
