"""What the bars and the strips on top of a page say, from a view.

Rule: pure; words come from the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.views import Attract, Frame, Green, HelpState, Home, Notice, Pay, View
from ui.formats import name_of, plain, top_clock
from ui.words import Catalogue

BUSINESS = {
    "identify": "identify",
    "choose_department": "register",
    "choose_slot": "register",
    "confirm_registration": "register",
    "pay": "pay",
    "pad_busy": "pay",
    "cash_busy": "pay",
    "paying": "pay",
    "payment_result": "pay",
    "printing_reports": "reports",
    "choose_person": "family",
    "choose_relation": "family",
    "inquiry": "inquiry",
    "green": "green",
    "green_paper": "green",
    "green_dependants": "green",
    "green_result": "green",
    "calling_help": "help",
}
"""Which business a page belongs to; the others belong to the whole house."""

PAY_PAGES = ("pay", "pad_busy", "cash_busy", "paying")


@dataclass(frozen=True)
class Strip:
    """One strip over the page."""

    message: str
    part: str = ""
    icon: str = "information"
    grave: bool = False


def heading(words: Catalogue, view: View) -> str:
    if view.frame.tone == "green":  # the lane is one business, whatever page it is on
        return words.say("title.green")
    business = BUSINESS.get(view.page.page)
    if business is None:
        where = name_of(words, view.frame.hospital), name_of(words, view.frame.place)
        return words.say("dot").join(part for part in where if part)
    title = words.say(f"title.{business}")
    who = plain(view.frame.who)
    return words.say("dot").join((title, who)) if who else title


def aside(words: Catalogue, view: View) -> str:
    match view.page:
        case Green(volunteer=volunteer, gate=gate):
            parts = [plain(part) for part in (volunteer, gate) if part]
            return words.say("dot").join(parts)
    if view.frame.step is not None:
        number, of = view.frame.step
        return words.say("step", number=number, of=of)
    return top_clock(view.frame.clock)


def bar_keys(words: Catalogue, view: View) -> list[tuple[str, str, bool]]:
    """Target, word and whether it is on, from left to right."""
    frame = view.frame
    paying = view.page.page in PAY_PAGES
    on = {"large": frame.size != "normal", "voice": frame.voice, "low": frame.low}
    keys = []
    for key in frame.bar:
        special = paying and key in ("window", "quit")
        word = words.say(f"bar.{key}_pay" if special else f"bar.{key}")
        keys.append((key, word, on.get(key, False)))
    return keys


def notices(words: Catalogue, view: View) -> list[Strip]:
    """What must be said before the page is read; at most three strips."""
    frame = view.frame
    found = []
    if frame.notice is not None:
        found.append(_strip(words, frame.notice))
    if frame.help is not None and view.page.page != "calling_help":
        found.append(Strip(help_words(words, frame.help), icon="hand-wave"))
    if isinstance(view.page, Attract | Home | Pay):
        found += works_strips(words, frame)
    return found[:3]


def _strip(words: Catalogue, notice: Notice) -> Strip:
    arguments = tuple(plain(argument) for argument in notice.arguments)
    message = words.fill(f"notice.{notice.code}", arguments)
    return Strip(message, notice.part, "alert" if notice.grave else "information", notice.grave)


def help_words(words: Catalogue, state: HelpState) -> str:
    if state.coming:
        return words.say("help.coming", name=plain(state.coming))
    if state.escalated:
        return words.say("help.escalated")
    return words.say("help.called")


def works_strips(words: Catalogue, frame: Frame) -> list[Strip]:
    """What does not work right now, said honestly: one strip for all of it."""
    away = "works.hospital_numbers" if frame.works.numbers else "works.hospital"
    said = [] if frame.works.hospital else [words.say(away)]
    broken = [
        name
        for name in (
            *("payments", "id_reader", "card_slot", "scanner"),
            *("pad", "receipt_printer", "a4_printer"),
        )
        if not getattr(frame.works, name)
    ]
    if broken:
        said.append(
            words.say("works.cannot")
            + words.say("comma_list").join(words.say(f"works.{name}") for name in broken)
            + words.say("stop")
        )
    if frame.works.a4_printer and frame.works.a4_needs:
        said.append(words.say(f"notice.{frame.works.a4_needs}") + words.say("stop"))
    return [Strip(words.say("sentence_gap").join(said), icon="alert-circle")] if said else []
