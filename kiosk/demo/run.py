"""`kiosk demo`: with a tour, or until the window is closed."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drivers.errors import DriverError
from kiosk.demo import journeys
from kiosk.demo.bench import BenchHost
from kiosk.demo.extras import EXTRAS
from kiosk.demo.observer import NotSeen
from kiosk.demo.overview import write_overview
from kiosk.demo.tour import Journey, Script, Tour, Walk, report
from kiosk.demo.world import DemoWorld, NotUp, has_display
from ui.hands import HandsRefused

ARRIVES_S = 60.0


def run(
    tour: Path | None,
    gateway_down: bool,
    only: tuple[str, ...],
    folder: Path | None,
    *,
    pad: str,
    scale: float,
) -> int:
    """Exit code 0 when all went as planned; one clear line says what did not."""
    with tempfile.TemporaryDirectory(prefix="kiosk-demo-") as temporary:
        place = folder or Path(temporary)
        # The A4 printer's programs run as other users: they must be able to come in.
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        display = scale if tour is None and has_display() else None
        world = DemoWorld(place, pad, display_scale=display)
        try:
            world.start()
            if tour is None:
                return _stay(world)
            return _tour(world, tour, gateway_down, only)
        except (NotUp, NotSeen, HandsRefused, DriverError) as fault:
            print(f"demo: {fault}", file=sys.stderr)
            _show_logs(world)
            return 1
        finally:
            world.stop()


def _show_logs(world: DemoWorld) -> None:
    for program in (world.gateway, world.core, world.ui):
        log = world.folder / f"{program.name}.log"
        last = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        print(f"--- {program.name}\n" + "\n".join(last), file=sys.stderr)


def _stay(world: DemoWorld) -> int:
    """Until somebody ends it; the bench is there even without a display, on its socket."""
    host = BenchHost(world, world.bench_path)
    host.start()
    if world.bench is not None:
        world.bench.start()
    print(f"terminal K03 is up; gateway {world.gateway_url}/docs, volunteer 01 with PIN 2580")
    if world.devices.slot.why_not:
        print(f"no social card on this bench: {world.devices.slot.why_not}")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    if world.bench is not None:
        world.bench.stop()
    host.stop()
    return 0


def _tour(world: DemoWorld, out: Path, gateway_down: bool, only: tuple[str, ...]) -> int:
    tour = Tour(world, out)
    tour.start()
    try:
        if gateway_down:
            world.stop_gateway()
            tour.observer.wait(lambda view: not view.frame.works.hospital, "the gateway is away")
        plans = [
            plan
            for plan in journeys.PLANS
            if (not only or plan.name in only) and (plan.offline or not gateway_down)
        ]
        _walk(tour, [plan for plan in plans if not plan.green])
        if not gateway_down:
            _walk(tour, [plan for plan in EXTRAS if not only or plan.name in only], extra=True)
        _walk_green(tour, [plan for plan in plans if plan.green])
        more = _arrivals(world, tour) if gateway_down else {}
        path = tour.write_summary(more)
        write_overview(out)
    finally:
        tour.stop()
    print(report((*tour.journeys, *tour.extras)))
    print(f"all of it: {path}")
    return _verdict((*tour.journeys, *tour.extras), more, world.devices.pad_shows_card)


def _walk(tour: Tour, plans: list[journeys.Plan], extra: bool = False) -> None:
    for plan in plans:
        tour.walk(plan.name, plan.script, _leave, extra)


def _leave(walk: Walk) -> str:
    walk.lift()
    walk.end()
    return "left"


def _walk_green(tour: Tour, plans: list[journeys.Plan]) -> None:
    if not plans:
        return
    tour.before(journeys.unlock)
    after: Script = _next_person
    for plan in plans:
        tour.walk(plan.name, plan.script, after)
    tour.before(journeys.lock)


def _next_person(walk: Walk) -> str:
    journeys.next_person(walk)
    return "next"


def _arrivals(world: DemoWorld, tour: Tour) -> dict[str, Any]:
    """What was queued while the gateway was away, and that each is there exactly once now."""
    queued = set(_asked(world, "waiting")["keys"])
    world.start_gateway()
    tour.observer.wait(lambda view: view.frame.works.hospital, "the gateway is back", 30.0)
    waits = 0.0
    while queued.intersection(_asked(world, "waiting")["keys"]) and waits < ARRIVES_S:
        world.rest(0.2)
        waits += 0.2
    arrived = world.arrived()
    found = len(queued & arrived.keys)
    return {"queued": len(queued), "arrived": found, "duplicates": arrived.duplicates}


def _asked(world: DemoWorld, what: str) -> dict[str, Any]:
    from kiosk.link import LinkClient

    client = LinkClient(world.socket_path, "cli")
    answer = client.ask(what)
    client.close()
    return answer


def _verdict(walked: Sequence[Journey], more: dict[str, Any], pad_shows_card: bool) -> int:
    plans = (*journeys.PLANS, *EXTRAS)
    budgets = {plan.name: plan.budget(pad_shows_card) for plan in plans}
    over = [one.name for one in walked if one.taps > budgets[one.name]]
    if over:
        print(f"over the budget of taps: {', '.join(over)}", file=sys.stderr)
    lost = more.get("queued", 0) != more.get("arrived", 0) or more.get("duplicates", 0)
    if lost:
        print(f"records lost or doubled: {more}", file=sys.stderr)
    return 1 if over or lost else 0
