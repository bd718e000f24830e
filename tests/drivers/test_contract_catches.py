"""The contract suite can fail: drivers broken on purpose, each caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.deadline import Deadline
from drivers.errors import DriverError
from drivers.idcard.card import CardText
from drivers.idcard.codec import PREAMBLE, encode
from drivers.idcard.driver import CardRead, IdCardReader
from drivers.idcard.emulator import IdCardReaderEmulator
from tests.drivers.contract import FAULTS, Row, Trial
from tests.drivers.idcard.people import RESIDENT
from tests.drivers.idcard.rows import lay_card


class NeverEnds(IdCardReader):
    """Listens as long as anything comes."""

    def read_sam_id(self, timeout_s: float = 1.0) -> str:
        self._stream.write(encode(b"\x12\xff"), Deadline.after(self._clock, timeout_s))
        heard = b""
        while PREAMBLE not in heard:
            heard = heard[-16:] + self._stream.read(Deadline.after(self._clock, timeout_s))
        return heard.hex()


class LeaksItsErrors(IdCardReader):
    """Trusts that an answer is long enough."""

    def read_sam_id(self, timeout_s: float = 1.0) -> str:
        self._stream.write(encode(b"\x12\xff"), Deadline.after(self._clock, timeout_s))
        answer = self._stream.read(Deadline.after(self._clock, timeout_s))
        return str(answer.index(PREAMBLE))


class Invents(IdCardReader):
    """Takes whatever stands where the card should be."""

    def read_card(self, timeout_s: float = 4.0) -> CardRead:
        super().find(timeout_s)
        invented: CardText = replace(RESIDENT, name="别人")
        return CardRead(invented)


def broken(driver: type[IdCardReader], **changes: object) -> Row:
    row = Row(
        name="broken",
        make_emulator=IdCardReaderEmulator,
        make_driver=driver,
        prepare=lay_card,
        exchange=lambda reader: reader.read_sam_id(),
        is_good=lambda outcome: isinstance(outcome, str),
        timeout_s=1.0,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def test_a_driver_that_listens_for_ever_is_late() -> None:
    with pytest.raises(AssertionError, match=r"took|without end"):
        Trial(broken(NeverEnds), seed=1).run(FAULTS["babble instead of answers"])


def test_an_error_that_is_no_driver_error_escapes() -> None:
    row = broken(LeaksItsErrors)
    with pytest.raises(ValueError, match="subsection"):
        for seed in range(20):
            Trial(row, seed).run(FAULTS["any cut"])


def test_an_invented_value_is_a_lie() -> None:
    row = broken(
        Invents,
        exchange=lambda reader: reader.read_card(),
        is_lie=lambda outcome: isinstance(outcome, CardRead) and outcome.card != RESIDENT,
    )
    with pytest.raises(AssertionError, match="invented"):
        Trial(row, seed=0).run()


def test_a_driver_error_is_an_outcome() -> None:
    row = broken(IdCardReader)
    assert isinstance(Trial(row, seed=0).run(FAULTS["deaf"]), DriverError)
