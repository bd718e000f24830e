"""Money, times and days as people of each language write them.

Rule: pure; "today" is the terminal's clock, handed in with the view.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime

from kiosk.views import Named
from ui.words import Catalogue


def money(fen: int) -> str:
    """128.50 yuan as ¥128.50; a minus sign, never a hyphen, before the currency."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}¥{yuan:,}.{rest:02d}"


def minus(fen: int) -> str:
    """What somebody else pays: taken away from the total; nothing is nothing."""
    return money(-fen)


def clock_time(at: datetime) -> str:
    return f"{at.hour}:{at.minute:02d}"


def top_clock(at: datetime) -> str:
    return f"{at.hour:02d}:{at.minute:02d}"


def time_range(starts: datetime, ends: datetime) -> str:
    return f"{clock_time(starts)}–{clock_time(ends)}"


def day(words: Catalogue, of: date, today: date) -> str:
    """今天, 明天, 11月24日周二; Today, Tomorrow, Tue 24 Nov."""
    match (of - today).days:
        case 0:
            return words.say("day.today")
        case 1:
            return words.say("day.tomorrow")
    return words.say(
        "day.other",
        month=words.say(f"month.{of.month}"),
        day=of.day,
        weekday=words.say(f"weekday.{of.isoweekday()}"),
    )


def weekday(words: Catalogue, of: date) -> str:
    return words.say(f"weekday.{of.isoweekday()}")


def moment(words: Catalogue, at: datetime, today: date) -> str:
    """A point in time, the day left out when it is today."""
    if at.date() == today:
        return clock_time(at)
    return f"{day(words, at.date(), today)} {clock_time(at)}"


def day_range(words: Catalogue, starts: datetime, ends: datetime, today: date) -> str:
    """今天 9:00–10:00."""
    return f"{day(words, starts.date(), today)} {time_range(starts, ends)}"


def stopwatch(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def name_of(words: Catalogue, named: Named) -> str:
    """A name from data, in the language on the screen."""
    return plain(named.en if words.language == "en" and named.en else named.zh)


def plain(text: str) -> str:
    """Text from data: control and direction characters of a hostile name become spaces."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)


def place(words: Catalogue, window: str) -> str:
    """Where to go, as it stands in a sentence; a digit keeps its distance from a hanzi."""
    named = plain(window) or words.say("result.the_window")
    named = words.say("window_number", n=named) if named.isdecimal() else named
    return f" {named}" if words.language == "zh" and named[:1].isascii() else named
