"""No decoder is forgotten: whatever takes bytes in drivers/ is reached by some fuzz target.

Rule: an exemption is a line in NOT_FROM_OUTSIDE with its reason; one that names nothing fails too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from tests.drills.fuzz_target import Feed, Held, Target
from tests.drills.fuzz_targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
OUR_OWN = ("encode", "write", "_")
"""Names that begin so take what we made ourselves, or are reached through a public name."""

NOT_FROM_OUTSIDE = {
    "drivers/camera/emulator.py:CameraEmulator.show": "a code of the test's own",
    "drivers/emulate/program.py:Program.run": "an emulator to be run, no bytes yet",
    "drivers/emulate/program.py:run_until_signal": "an emulator to be run, no bytes yet",
    "drivers/ipp/driver.py:A4Printer.print_pdf": "a report goes out as it is",
    "drivers/one_answer_line.py:EchoedLine.exchange": "our question; the answer's codec is reached",
    "drivers/pcsc/service.py:PcscPort.transmit": "our command; the answer goes to parse_answer",
    "drivers/recording.py:Recording.note": "counts; what it reads is KEEPS, which is reached",
    "drivers/recording.py:Tap.note": "hands on to Recording.note",
    "drivers/scanner/emulator.py:ScannerEmulator.show": "a code of the test's own",
    "drivers/scanner/seen.py:JustSeen.again": "compares, and reads nothing",
    "drivers/watching.py:WatchedSlot.transmit": "our command; what is kept of it is KEEPS's word",
}


def takes_bytes(root: Path) -> Iterator[str]:
    """`file:name` of every function that is handed bytes and has a body of its own."""
    for path in sorted(root.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            match node:
                case ast.FunctionDef():
                    found = [(node.name, node)]
                case ast.ClassDef() if not any("Protocol" in ast.unparse(b) for b in node.bases):
                    methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
                    found = [(f"{node.name}.{one.name}", one) for one in methods]
                case _:
                    continue
            for name, function in found:
                if _is_handed_bytes(function) and not name.split(".")[-1].startswith(OUR_OWN):
                    yield f"{path.relative_to(root.parent)}:{name}"


def _is_handed_bytes(function: ast.FunctionDef) -> bool:
    given = function.args
    types = [one.annotation for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return any("byte" in ast.unparse(one) for one in types if one is not None) and any(
        not _says_nothing(line) for line in function.body
    )


def _says_nothing(line: ast.stmt) -> bool:
    """A docstring, or the `raise NotImplementedError` of a method that others fill."""
    match line:
        case ast.Raise() | ast.Expr(value=ast.Constant()):
            return True
    return False


@contextmanager
def entered(root: Path) -> Iterator[set[str]]:
    """`file:name` of the functions under root that run meanwhile."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{root}/"):
            found.add(f"{Path(code.co_filename).relative_to(root.parent)}:{code.co_qualname}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


def forgotten(root: Path, targets: Sequence[Target]) -> list[str]:
    """What is handed bytes, and was not reached by any target's own corpus."""
    with entered(root) as reached:
        for target in targets:
            for frame in target.corpus:
                feed, _held = target.open()
                with suppress(*target.refusals):
                    feed(frame)
    return sorted(set(takes_bytes(root)) - reached)


def test_every_decoder_is_reached_by_a_target() -> None:
    assert set(forgotten(ROOT / "drivers", TARGETS)) == NOT_FROM_OUTSIDE.keys()


def test_a_codec_without_a_target_is_found(tmp_path: Path) -> None:
    package = tmp_path / "drivers"
    package.mkdir()
    (package / "new.py").write_text(
        "def parse_news(data: bytes) -> int:\n    return len(data)\n\n\n"
        "class Reader:\n    def feed(self, data: bytearray) -> None:\n        data.clear()\n"
    )
    assert forgotten(package, ()) == ["drivers/new.py:Reader.feed", "drivers/new.py:parse_news"]


def test_a_codec_with_a_target_is_not_missed(tmp_path: Path) -> None:
    package = tmp_path / "drivers"
    package.mkdir()
    source = "def parse_news(data: bytes) -> int:\n    return len(data)\n"
    (package / "new.py").write_text(source)
    names: dict[str, Feed] = {}
    exec(compile(source, str(package / "new.py"), "exec"), names)

    def open_news() -> tuple[Feed, Held]:
        return names["parse_news"], lambda: 0

    assert forgotten(package, (Target("news", open_news, (b"x",)),)) == []
