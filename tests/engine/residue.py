"""Looks for a person's data in everything that can be reached from an object."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

OBJECTS_MAX = 200_000


def texts_within(root: Any, besides: Iterable[Any] = ()) -> list[str]:
    """Every text and bytes reachable from `root`, not through code, nor through `besides`."""
    seen = {id(one) for one in besides}
    found: list[str] = []
    queue = [root]
    while queue:
        assert len(seen) < OBJECTS_MAX, "this is more than one engine"
        one = queue.pop()
        if id(one) in seen or isinstance(one, type | ModuleType):
            continue
        seen.add(id(one))
        match one:
            case str():
                found.append(one)
            case bytes():
                found.append(one.decode("utf-8", "replace"))
            case FunctionType():
                queue += [cell.cell_contents for cell in one.__closure__ or ()]
            case MethodType() | BuiltinFunctionType():
                queue.append(one.__self__)
            case _:
                queue += gc.get_referents(one)
    return found


def residue(root: Any, marks: Iterable[str], besides: Iterable[Any] = ()) -> list[str]:
    """Those marks that are still to be found."""
    texts = texts_within(root, besides)
    return [mark for mark in marks if any(mark in text for text in texts)]
