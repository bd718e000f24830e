"""What is typed on a keypad page, key by key; nothing but digits and an X ever gets in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from kiosk.domain.identity import IdNumber, NotAnIdNumber

HIDDEN = "•"


@dataclass(frozen=True)
class Entry:
    """`error` is a key of the ui's words; it goes with the next key."""

    text: str = field(default="", repr=False)
    error: str = ""

    def wrong(self, error: str) -> Entry:
        """The digits stay, so that one of them can be put right (U18)."""
        return replace(self, error=error)

    @property
    def dots(self) -> str:
        """A PIN: how many, not which."""
        return HIDDEN * len(self.text)

    @property
    def last_shown(self) -> str:
        """An ID number while it is typed: the last four, as everywhere (U13)."""
        return HIDDEN * max(0, len(self.text) - 4) + self.text[-4:]


def press(entry: Entry, target: str, length: int, letters: bool = False) -> Entry:
    """The entry after `key:<character>` or `erase`; any other target leaves it as it is."""
    match target.partition(":"):
        case "erase", "", "":
            return Entry(entry.text[:-1])
        case "key", ":", key if _allowed(key, entry, length, letters):
            return Entry(entry.text + key)
    return entry


def _allowed(key: str, entry: Entry, length: int, letters: bool) -> bool:
    if len(entry.text) >= length:
        return False
    return key in tuple("0123456789") or (letters and key == "X" and len(entry.text) == 17)


def id_number_error(text: str) -> str:
    """Empty for a complete GB 11643 number, else the key of what is wrong with it (row 2)."""
    if len(text) < 18:
        return "too_short"
    try:
        IdNumber.parse(text)
    except NotAnIdNumber as wrong:
        return f"wrong_{wrong.part}"
    return ""
