"""Coverage-guided fuzzing of every codec (atheris); what reached new lines is kept in the corpus.

    python -m tests.drills.fuzz_guided --runs 200000 --json

The corpus is tests/vectors/fuzz/NAME.hex, one frame a line; the everyday suite feeds it again.
A codec is fuzzed in a process of its own, since libFuzzer ends the process it runs in.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "fuzz"
FRAME_BYTES_MAX = 2048
CORPUS_FRAMES_MAX = 250
HANG_S = 5
CHILD = "--child"


@dataclass(frozen=True)
class Outcome:
    """What one codec did: `finding` is the fuzzer's last word when it stopped early."""

    name: str
    ok: bool
    corpus: int
    coverage: int
    finding: str


def corpus_file(name: str) -> Path:
    """Where a target's frames are kept."""
    return VECTORS / f"{name.replace(' ', '_').replace(chr(39), '')}.hex"


def corpus(name: str) -> list[bytes]:
    """The frames kept for a target."""
    file = corpus_file(name)
    lines = file.read_text("ascii").split() if file.exists() else []
    return [bytes.fromhex(line) for line in lines]


def child(name: str, arguments: list[str]) -> None:
    """In the fuzzed process: instrument the drivers, and never come back."""
    # Only here: it is no part of the everyday environment.
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["drivers"]):
        from tests.drills.fuzz_targets import TARGETS
    target = next(target for target in TARGETS if target.name == name)

    def one_input(data: bytes) -> None:
        half = len(data) // 2
        for pieces in ([data], [data[:half], data[half:]]):
            feed, _held = target.open()
            try:
                for piece in pieces:
                    feed(piece)
            except target.refusals:
                continue

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def run_child(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One libFuzzer run for a target."""
    command = [sys.executable, "-m", "tests.drills.fuzz_guided", CHILD, name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def write_all(folder: Path, frames: list[bytes]) -> None:
    for frame in frames:
        (folder / sha256(frame).hexdigest()).write_bytes(frame)


def guided(name: str, seeds: tuple[bytes, ...], runs: int, seed: int) -> Outcome:
    """Fuzz one target from its kept corpus; what reached something new joins it."""
    with tempfile.TemporaryDirectory() as place:
        grown, finds = Path(place) / "grown", Path(place) / "finds"
        for folder in (grown, finds):
            folder.mkdir()
        write_all(grown, [*seeds, *corpus(name)])
        limits = (f"-max_len={FRAME_BYTES_MAX}", f"-timeout={HANG_S}", f"-seed={seed}")
        told = run_child(name, f"-runs={runs}", f"-artifact_prefix={finds}/", *limits, str(grown))
        frames = sorted((file.read_bytes() for file in grown.iterdir()), key=lambda f: (len(f), f))
        keep(name, frames)
        covered = [int(number) for number in re.findall(r"cov: (\d+)", told.stderr)]
        found = [file.read_bytes()[:200].hex() for file in finds.iterdir()]
        ok = told.returncode == 0
        return Outcome(name, ok, len(corpus(name)), max(covered, default=0), " ".join(found))


def keep(name: str, frames: list[bytes]) -> None:
    """Write the corpus, smallest frames first, bounded."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    lines = sorted({frame.hex() for frame in frames if frame}, key=lambda line: (len(line), line))
    del lines[CORPUS_FRAMES_MAX:]
    corpus_file(name).write_text("\n".join(lines) + "\n", "ascii")


def main() -> int:
    if sys.argv[1:2] == [CHILD]:
        child(sys.argv[2], sys.argv[3:])
    from tests.drills.fuzz_targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.drills.fuzz_guided", description=__doc__)
    parser.add_argument("--runs", type=int, default=50_000, help="for each codec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[target.name for target in TARGETS])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    outcomes = [
        guided(target.name, target.corpus, asked.runs, asked.seed)
        for target in TARGETS
        if asked.only in (None, target.name)
    ]
    escaped = sum(not outcome.ok for outcome in outcomes)
    if asked.json:
        told = {
            "escaped": escaped,
            "runs": asked.runs,
            "targets": [asdict(one) for one in outcomes],
        }
        print(json.dumps(told))
    else:
        for outcome in outcomes:
            print(outcome)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
