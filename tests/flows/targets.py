"""Every target of a page, read from kiosk/views.py's docstrings: what a finger can reach."""

from __future__ import annotations

from kiosk import views
from kiosk.flows.scene import Shown

TURN = ("previous", "following")
DIGITS = tuple(f"key:{digit}" for digit in "0123456789")
DONE_BY_ENGINE = ("help", "large", "voice", "low")


def targets(shown: Shown) -> tuple[str, ...]:
    """What may be touched now, the bar's keys included, the engine's own left out."""
    bar = tuple(key for key in shown.bar if key not in DONE_BY_ENGINE)
    return (*_of(shown.page), *bar)


def _of(page: views.Page) -> tuple[str, ...]:
    match page:
        case views.Attract():
            return ("no_credential", "family", "emergency", "green")
        case views.Identify():
            return () if page.card_only else ("type_number", "volunteer")
        case views.TypeIn():
            extra = (("key:X",) if page.letters else ()) + (("skip",) if page.optional else ())
            return (*DIGITS, *extra, "erase", "ok")
        case views.Home():
            tasks = tuple(f"task:{task.kind}" for task in page.tasks)
            return ("next", *tasks, *(f"tile:{tile}" for tile in page.tiles))
        case views.Problem():
            return ("again", "window") if page.can_retry else ("window",)
        case views.Finished():
            return ("home", "end")
        case views.CallingHelp():
            return ("emergency", "return")
        case views.GreenResult():
            return ("following",)
    return _lists(page)


def _lists(page: views.Page) -> tuple[str, ...]:
    match page:
        case views.ChooseDepartment():
            last = ("last",) if page.last else ()
            return (*last, *(f"department:{card.id}" for card in page.cards), *TURN)
        case views.ChooseSlot():
            days = tuple(f"day:{day}" for day in page.days)
            return (*(f"slot:{card.id}" for card in page.cards), *days, *TURN)
        case views.ConfirmRegistration():
            return ("confirm", *(("insured:yes", "insured:no") if page.can_be_insured else ()))
        case views.ChoosePerson():
            return (*(f"person:{one.key}" for one in page.people), "add", *TURN)
        case views.ChooseRelation():
            return tuple(f"relation:{key}" for key in page.choices)
        case views.Inquiry():
            choices = tuple(f"choose:{name}" for name in page.choices)
            if page.open_left_s:
                return (*choices, *(f"bill:{bill.id}" for bill in page.bills), *TURN)
            return (*choices, "curtain") if page.bills else choices
    return _green(page)


def _green(page: views.Page) -> tuple[str, ...]:
    match page:
        case views.Green():
            questions = tuple(f"question:{card.id}" for card in page.questions)
            on = any(card.yes for card in page.questions)
            following = (("yes_next" if on else "none"),) if questions else ()
            look_up = ("look_up",) if page.look_up else ()
            waiting = tuple(f"waiting:{one.key}" for one in page.waiting)
            ways = ("paper", "relative", "dependants", "by_hand", "arrive")
            return (*questions, *following, *look_up, *waiting, *ways)
        case views.GreenPaper():
            kinds = tuple(f"kind:{kind}" for kind in page.kinds)
            return (*kinds, *(f"valid:{one}" for one in page.validities), "next")
        case views.GreenDependants():
            return (*(f"person:{one.key}" for one in page.people), "by_number", "next")
    return ()
