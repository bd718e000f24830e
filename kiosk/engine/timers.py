"""Timers by owner and name on a clock that is handed in; asking again moves one."""

from __future__ import annotations


class Timers:
    """Owners are layers' tokens; a payment's timers belong to token 0 and outlive sessions."""

    def __init__(self) -> None:
        self._due: dict[tuple[int, str], float] = {}

    def set(self, owner: int, name: str, at_s: float) -> None:
        self._due[(owner, name)] = at_s

    def drop(self, owner: int) -> None:
        for key in [key for key in self._due if key[0] == owner]:
            del self._due[key]

    def drop_named(self, owner: int, prefix: str) -> None:
        for key in [key for key in self._due if key[0] == owner and key[1].startswith(prefix)]:
            del self._due[key]

    def take_due(self, now_s: float) -> list[tuple[int, str]]:
        """Those whose time has come, earliest first; each is given once."""
        due = sorted((at_s, key) for key, at_s in self._due.items() if at_s <= now_s)
        for _, key in due:
            del self._due[key]
        return [key for _, key in due]

    def next_s(self) -> float | None:
        """When the next one is due."""
        return min(self._due.values(), default=None)
