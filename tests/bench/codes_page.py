"""The report page of the codes' bench: promises, hits by class as bars, and a picture of each.

Rule: one file without scripts or links; what fell short is seen before what did not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

import cv2

from tests.bench.code_frames import frame
from tests.bench.report import Promise

MEANS = {
    "worst_class_margin": "our hits less the best single engine's, in the worst class",
    "of_union": "our hits over all that any engine found",
    "time_ratio_to_pyzbar": "median time on frames with a code, over pyzbar's",
    "empty_ratio_to_pyzbar": "median time on frames without one, over pyzbar's",
    "stage_ms_max": "the longest frame, in ms of this thread's processor time",
    "frames_to_event_p95": "frames until a code was read, 95 of 100 people",
    "false_readings": "contents that no code said, on all frames",
    "wrong_names": "true bytes, read as other letters",
}
TROUBLES = {
    "plain": "nothing but a camera and a hand",
    "blur": "moved while the shutter was open",
    "defocus": "held too near",
    "glare": "the ceiling's lamps in the glass",
    "low light": "a dark lobby, a dark screen",
    "perspective": "held at 35 to 58 degrees",
    "moire": "the screen's pixels against the camera's",
    "small": "held far away: 1.5 to 2.6 pixels a module",
    "inverted": "light on dark",
    "cracked": "a broken screen",
    "bloom": "the screen's light at full",
}
STYLE = """
:root{color-scheme:light;--ink:#1d2733;--soft:#5b6875;--line:#dde3ea;--ours:#0b6e6e;--them:#b9c4cf}
body{font:15px/1.45 "Noto Sans","Noto Sans CJK SC",sans-serif;color:var(--ink);margin:32px auto;
max-width:1120px;padding:0 24px}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 8px}
p{color:var(--soft);margin:4px 0 18px}
table{border-collapse:collapse;width:100%}
td,th{padding:6px 10px;border-bottom:1px solid var(--line);
text-align:left;vertical-align:top}th{color:var(--soft);font-weight:500}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.kept{color:#1a7f45}.broken{color:#b3261e;font-weight:700}tr.broken td{background:#fdf1f0}
.cards{display:grid;grid-template-columns:1fr 1fr;gap:20px}
figure{margin:0;border:1px solid var(--line);border-radius:8px;overflow:hidden}
figure.behind{border-color:#b3261e}img{display:block;width:100%}
figcaption{padding:10px 14px 14px}figcaption b{font-size:16px}figcaption small{color:var(--soft)}
.bar{display:grid;grid-template-columns:76px 1fr 30px;gap:8px;align-items:center;font-size:13px}
.bar i{display:block;height:11px;background:var(--them);border-radius:2px;min-width:1px}
.bar.ours{font-weight:700}.bar.ours i{background:var(--ours)}.bar span:last-child{text-align:right}
"""


def page(found: Mapping[str, object], promises: Sequence[Promise]) -> str:
    """The whole page."""
    hits, scenes = found["hits"], found["scenes_a_class"]
    assert isinstance(hits, dict) and isinstance(scenes, int)
    engines, missing = found["engines"], found["not_compared"]
    assert isinstance(engines, list) and isinstance(missing, list)
    others = ", ".join(name for name in engines if name != "ours")
    without = f" Not compared with: {', '.join(missing)}." if missing else ""
    lines = "".join(_promise(one, found) for one in promises)
    order = sorted(hits, key=lambda kind: margin(hits[kind]))
    cards = "".join(_card(kind, hits[kind], scenes) for kind in order)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Codes before a camera</title>"
        f"<style>{STYLE}</style><h1>Codes before a camera</h1>"
        f"<p>Ours beside {escape(others)}; {scenes} scenes a class, the same frames for all, QR "
        f"codes at 1280×720.{escape(without)}</p>"
        "<table><tr><th>promise<th>what it is<th>seen<th>bound<th></tr>"
        f"{lines}</table><h2>Hits by class</h2><p>Where we are behind comes first.</p>"
        f"<div class=cards>{cards}</div></html>"
    )


def _promise(one: Promise, found: Mapping[str, object]) -> str:
    kept = "kept" if one.kept(found) else "broken"
    sign = {">=": "≥", "<=": "≤", "==": "="}[one.comparison]
    return (
        f"<tr class={kept}><td>{one.key}<td>{MEANS[one.key]}<td class=n>{found[one.key]}"
        f"<td class=n>{sign} {one.bound:g}<td class={kept}>{kept}</tr>"
    )


def _card(kind: str, hits: Mapping[str, int], scenes: int) -> str:
    behind = " class=behind" if margin(hits) < 0 else ""
    bars = "".join(_bar(name, count, scenes) for name, count in hits.items())
    return (
        f"<figure{behind}><img alt='a frame of this class' src='data:image/png;base64,"
        f"{_picture(kind)}'><figcaption><b>{kind}</b> <small>{TROUBLES.get(kind, '')}; "
        f"{margin(hits):+d} to the best other</small>{bars}</figcaption></figure>"
    )


def _bar(name: str, count: int, scenes: int) -> str:
    ours = " ours" if name == "ours" else ""
    width = 100 * count / scenes
    return (
        f"<div class='bar{ours}'><span>{name}</span><i style='width:{width:.1f}%'></i>"
        f"<span>{count}</span></div>"
    )


def margin(hits: Mapping[str, int]) -> int:
    """Ours over the best of the others."""
    return hits["ours"] - max(count for name, count in hits.items() if name != "ours")


def _picture(kind: str) -> str:
    """The class's first frame, small, as base64 PNG."""
    small = cv2.resize(frame(kind, 0)[0], (640, 360), interpolation=cv2.INTER_AREA)
    return base64.b64encode(cv2.imencode(".png", small)[1].tobytes()).decode("ascii")
