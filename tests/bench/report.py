"""How drills and benchmarks end: one JSON object as the last line, exit 1 on a broken promise."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COMPARISONS = {"==": operator.eq, ">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Promise:
    """`key` of the results must compare so with `bound`; a result that is None is not judged."""

    key: str
    comparison: str
    bound: float

    def kept(self, results: Mapping[str, object]) -> bool:
        found = results[self.key]
        return found is None or bool(COMPARISONS[self.comparison](found, self.bound))


def report(results: Mapping[str, object], promises: Sequence[Promise], *, as_json: bool) -> int:
    """Print the results; the exit code: 0 when every promise was kept."""
    broken = [promise for promise in promises if not promise.kept(results)]
    for promise in broken:
        found = results[promise.key]
        print(f"BROKEN: {promise.key} = {found}, promised {promise.comparison} {promise.bound}")
    if not as_json:
        for key, value in results.items():
            print(f"{key:24} {value}")
    print(json.dumps({**results, "ok": not broken}, ensure_ascii=False))
    return 1 if broken else 0
