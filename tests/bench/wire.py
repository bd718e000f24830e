"""What our software adds to the time that the wires themselves need.

    python -m tests.bench.wire --json

Devices stand behind ptys that carry bytes at the speed of a real line; each result is a ratio to
that line's own time, measured in the same run.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import wire_idcard, wire_receipt
from tests.bench.report import Promise, report

PROMISES = (
    Promise("idcard_ratio", "<=", 1.10),
    Promise("receipt_ratio", "<=", 1.05),
    Promise("receipt_gap_ms", "<=", 20.0),
    Promise("receipt_bytes_ratio", "<=", 0.25),
    Promise("raster_speedup", ">=", 10.0),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="nothing here is random")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {**wire_idcard.measure(), **wire_receipt.measure()}
    return report(results, PROMISES, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
