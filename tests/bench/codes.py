"""The camera's cascade beside each decoder alone, on synthetic frames of eleven kinds of trouble.

    python -m tests.bench.codes --json --page codes.html

Every decoder sees the same frames of a scene until it finds something. Times are of this thread's
processor time: other work on the machine must not decide. QR only, for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import zxingcpp
from pyzbar import pyzbar

from drivers.camera.cascade import QR, Cascade
from drivers.scanner.codec import Scanned, read_text
from tests.bench import wechat
from tests.bench.code_frames import CLASSES, Content, Gray, again, empty, frame
from tests.bench.codes_page import margin, page
from tests.bench.report import Promise, report

FRAMES_A_SCENE = 4
ENGINES = {"pyzbar", "zxing-cpp", "opencv", "wechat"}
PROMISES = (
    Promise("worst_class_margin", ">=", 0),
    Promise("of_union", ">=", 0.975),
    Promise("time_ratio_to_pyzbar", "<=", 0.25),
    Promise("empty_ratio_to_pyzbar", "<=", 0.25),
    Promise("stage_ms_max", "<=", 33),
    Promise("frames_to_event_p95", "<=", 2),
    Promise("false_readings", "==", 0),
    Promise("wrong_names", "==", 0),
)

Engine = Callable[[Gray], list[bytes]]


def by_pyzbar(picture: Gray) -> list[bytes]:
    """zbar, restricted to QR."""
    try:
        found = pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])
    except ValueError:
        return []
    return [code.data for code in found]


def by_zxing(picture: Gray) -> list[bytes]:
    """zxing-cpp with everything it can try by itself."""
    return [bytes(code.bytes) for code in zxingcpp.read_barcodes(picture, formats=QR)]


def by_opencv() -> Engine:
    """OpenCV's own detector."""
    detector = cv2.QRCodeDetector()

    def look(picture: Gray) -> list[bytes]:
        try:
            content, _, _ = detector.detectAndDecodeBytes(picture)
        except cv2.error:
            return []
        return [bytes(content)] if len(content) else []

    return look


def engines(stack: ExitStack) -> dict[str, Engine]:
    """The decoders to compare with; WeChat's where `./run bench` has laid it."""
    found: dict[str, Engine] = {
        "pyzbar": by_pyzbar,
        "zxing-cpp": by_zxing,
        "opencv": by_opencv(),
    }
    if wechat.installed():
        found["wechat"] = stack.enter_context(wechat.WeChat())
    return found


@dataclass
class Tally:
    """What was found, and what it cost."""

    hits: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    frames_to_event: list[int] = field(default_factory=list)
    stage_s: list[float] = field(default_factory=list)
    pyzbar_s: list[float] = field(default_factory=list)
    empty_s: list[float] = field(default_factory=list)
    empty_pyzbar_s: list[float] = field(default_factory=list)
    false_readings: int = 0
    wrong_names: int = 0


def timed(look: Callable[[Gray], list[bytes]], picture: Gray, took: list[float]) -> list[bytes]:
    """What look finds; its processor time goes into took."""
    began_s = time.thread_time()
    found = look(picture)
    took.append(time.thread_time() - began_s)
    return found


def scene(kind: str, seed: int) -> tuple[list[Gray], Content]:
    """The frames of one scene."""
    first, said = frame(kind, seed)
    return [first, *(again(first, number) for number in range(1, FRAMES_A_SCENE))], said


def try_scene(tally: Tally, others: dict[str, Engine], kind: str, seed: int) -> None:
    """One scene, for ours and for each of the others."""
    frames, said = scene(kind, seed)
    look = ours()
    for count, picture in enumerate(frames, start=1):
        if found := timed(look, picture, tally.stage_s):
            tally.hits["ours"].add((kind, seed))
            tally.frames_to_event.append(count)
            judge(tally, found, said)
            break
    timed(by_pyzbar, frames[0], tally.pyzbar_s)
    for name, engine in others.items():
        if any(engine(picture) for picture in frames):
            tally.hits[name].add((kind, seed))


def ours() -> Engine:
    """A fresh cascade, as at the beginning of a session."""
    cascade = Cascade(time.thread_time)
    return lambda picture: [reading.content for reading in cascade.look(picture)]


def judge(tally: Tally, found: list[bytes], said: Content) -> None:
    """A reading is true, or false, or true with a wrong name."""
    for content in found:
        if content != said.text.encode(said.encoding):
            tally.false_readings += 1
        elif read_text(content) != Scanned(said.text):
            tally.wrong_names += 1


def try_empty(tally: Tally, count: int) -> None:
    """Scenes without a code, one after the other."""
    look = ours()
    for seed in range(count):
        picture = empty(seed)
        tally.false_readings += len(timed(look, picture, tally.empty_s))
        if seed % 5 == 0:
            timed(by_pyzbar, picture, tally.empty_pyzbar_s)


def results(tally: Tally, scenes: int) -> dict[str, object]:
    """The numbers promised, and hits by class."""
    by_class = {
        kind: {name: sum(1 for at, _ in found if at == kind) for name, found in tally.hits.items()}
        for kind in CLASSES
    }
    union = set().union(*tally.hits.values())
    late = sorted(tally.frames_to_event)
    stage_s = tally.stage_s + tally.empty_s
    return {
        "engines": sorted(tally.hits),
        "not_compared": sorted(ENGINES - tally.hits.keys()),
        "scenes_a_class": scenes,
        "worst_class_margin": min(margin(hits) for hits in by_class.values()),
        "of_union": round(len(tally.hits["ours"]) / len(union), 4),
        "time_ratio_to_pyzbar": ratio(tally.stage_s, tally.pyzbar_s),
        "empty_ratio_to_pyzbar": ratio(tally.empty_s, tally.empty_pyzbar_s),
        "stage_ms_max": round(max(stage_s) * 1000, 1),
        "frames_to_event_p95": late[int(0.95 * (len(late) - 1))],
        "false_readings": tally.false_readings,
        "wrong_names": tally.wrong_names,
        "hits": by_class,
    }


def ratio(ours_s: list[float], theirs_s: list[float]) -> float:
    """Median over median."""
    return round(statistics.median(ours_s) / statistics.median(theirs_s), 3)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.codes", description=__doc__)
    parser.add_argument("--scenes", type=int, default=40, help="for each class")
    parser.add_argument("--empty", type=int, default=1000, help="frames without a code")
    parser.add_argument("--seed", type=int, default=5000, help="the first scene's")
    parser.add_argument("--page", type=Path, help="write the report page here")
    parser.add_argument("--json", action="store_true", help="one object, nothing else")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    with ExitStack() as stack:
        others = engines(stack)
        tally = Tally(hits={name: set() for name in ("ours", *others)})
        for kind in CLASSES:
            for seed in range(asked.seed, asked.seed + asked.scenes):
                try_scene(tally, others, kind, seed)
        try_empty(tally, asked.empty)
    found = results(tally, asked.scenes)
    if asked.page is not None:
        asked.page.write_text(page(found, PROMISES), "utf-8")
    return report(found, PROMISES, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
