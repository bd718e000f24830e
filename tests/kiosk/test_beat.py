"""The heartbeat: what it says of the hospital holds until it has been asked again."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from kiosk.app import _Gateway
from kiosk.hospital.contract import AskDayList, DayList, HelloReply
from kiosk.hospital.faults import HospitalUnreachable
from kiosk.hospital.lines import Lines
from kiosk.hospital.pace import Pace
from kiosk.lending import Lending
from kiosk.profile import read_profile
from kiosk.records import StoreRecords, open_records
from tests.engine.desk import HandClock
from tests.flows.people import NOW
from tests.kiosk.test_profile import GOOD


class Line:
    """A gateway that is there, before a hospital that may be away."""

    hospital = True

    def ask(self, request: Any) -> Any:
        if not isinstance(request, AskDayList):
            return HelloReply(NOW, "市第一医院", "First City Hospital", beat_s=60.0)
        if not self.hospital:
            raise HospitalUnreachable("day_list: the hospital is away")
        return DayList(NOW.date(), (), ())

    def connected(self) -> bool:
        return True


def beating(folder: Path, line: Line, clock: HandClock) -> tuple[_Gateway, StoreRecords]:
    profile, chance = folder / "profile.toml", Random(7)
    profile.write_text(GOOD.replace("/var/lib/kiosk", str(folder)), encoding="utf-8")
    records = open_records(
        folder,
        {},
        clock=clock.store_clock(),
        zone=NOW.tzinfo,  # type: ignore[arg-type]
        random_bytes=chance.randbytes,
        chance=chance,
    )
    pace = Pace(clock.monotonic_s, chance)
    lending = Lending(records.owned, 0, clock, lambda told: None)
    client: Any = line
    hand: Any = clock
    made = _Gateway(
        *(client, Lines(lambda: client), read_profile(profile), records, hand),
        lambda: (),
        lambda told: None,
        pace,
        lending,
    )
    return made, records


def test_a_hospital_that_is_away_behind_its_gateway_stays_away_until_it_is_asked_again(
    tmp_path: Path,
) -> None:
    """Each look in between said that it was back: pages went to and fro every few seconds."""
    clock, line = HandClock(), Line()
    gateway, records = beating(tmp_path, line, clock)
    line.hospital = False
    for _ in range(4):
        with pytest.raises(HospitalUnreachable):
            gateway.beat(0)
        clock.pass_s(5)
    line.hospital = True
    clock.pass_s(60)
    gateway.beat(0)
    records.close()
