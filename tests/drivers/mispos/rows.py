"""The MIS-POS's exchanges under the contract that all drivers keep."""

from __future__ import annotations

from tests.drivers.contract import Row
from tests.drivers.one_answer_rows import one_answer_rows
from tests.drivers.pads import MISPOS

ROWS: tuple[Row, ...] = one_answer_rows(MISPOS)
