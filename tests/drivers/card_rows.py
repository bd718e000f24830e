"""Drivers of cards under their contract; a new driver adds its rows here."""

from __future__ import annotations

from tests.drivers.card_contract import CardRow
from tests.drivers.idcard_pcsc.rows import ROWS as IDCARD_PCSC_ROWS
from tests.drivers.socialcard.rows import ROWS as SOCIALCARD_ROWS

CARD_ROWS: tuple[CardRow, ...] = (*SOCIALCARD_ROWS, *IDCARD_PCSC_ROWS)
