"""The drivers under the contract; a new driver adds its rows here."""

from __future__ import annotations

from tests.drivers.cashbox.rows import ROWS as CASHBOX_ROWS
from tests.drivers.contract import Row
from tests.drivers.escpos.rows import ROWS as ESCPOS_ROWS
from tests.drivers.idcard.rows import ROWS as IDCARD_ROWS
from tests.drivers.ipp.rows import ROWS as IPP_ROWS
from tests.drivers.mispos.rows import ROWS as MISPOS_ROWS
from tests.drivers.plugin.rows import ROWS as PLUGIN_ROWS
from tests.drivers.scanner.rows import ROWS as SCANNER_ROWS
from tests.drivers.unionpay.rows import ROWS as UNIONPAY_ROWS
from tests.drivers.wedge.rows import ROWS as WEDGE_ROWS
from tests.drivers.zvt.rows import ROWS as ZVT_ROWS

ROWS: tuple[Row, ...] = (
    *IDCARD_ROWS,
    *SCANNER_ROWS,
    *WEDGE_ROWS,
    *ESCPOS_ROWS,
    *IPP_ROWS,
    *ZVT_ROWS,
    *MISPOS_ROWS,
    *UNIONPAY_ROWS,
    *CASHBOX_ROWS,
    *PLUGIN_ROWS,
)
