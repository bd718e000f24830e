"""Two threads at the leased numbers: the sender counts them while somebody takes the last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from kiosk.domain.visit import GivenNumber
from kiosk.flows.effects import GiveNumber
from kiosk.hospital.contract import Lease
from kiosk.records import Opening, open_records
from offline.database import Row, SqliteDatabase, Value
from tests.engine.desk import HandClock
from tests.flows.people import DEPARTMENTS, NOW, SLOTS, WANG_NUMBER


class Between(SqliteDatabase):
    """Does what another thread may do between one look at the leased numbers and the next."""

    then: Callable[[], None] | None = None
    looks = 0

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        self.looks += "leased_numbers" in sql
        if self.then is not None and self.looks == 2:
            then, self.then = self.then, None
            then()
        return super().rows(sql, values)


def test_the_last_number_may_go_while_another_thread_looks_at_what_is_left(
    tmp_path: Path,
) -> None:
    """It was counted, then it was given, then core fell over the gap."""
    clock, chance, made = HandClock(), Random(7), list[Between]()

    def connect(path: Path) -> Between:
        made.append(Between(path))
        return made[-1]

    records = open_records(
        tmp_path,
        {},
        clock=clock.store_clock(),
        zone=NOW.tzinfo,  # type: ignore[arg-type]
        random_bytes=chance.randbytes,
        chance=chance,
        terminal="K03",
        opening=Opening(connect=connect),
    )
    [database], slot = made, SLOTS[0]
    wish = records.owned.ask_for(DEPARTMENTS[0], 1, NOW)
    records.owned.answered(wish, Lease("L1", slot, 7, 1, slot.ends))
    give = GiveNumber("given", "K03-1-lent", slot.id, "8K42", NOW, WANG_NUMBER, "P100")

    database.looks, database.then = 0, lambda: _given(records.give_number(give, "s1"))
    records.lent()
    database.then = None
    _given(records.give_number(give, "s1"))
    assert records.lent() == ()
    records.close()


def _given(answer: object) -> None:
    assert isinstance(answer, GivenNumber) and answer.number == 7
