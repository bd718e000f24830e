"""How one thing to do is called, and what is said about it.

Rule: pure; used by home and by the pages after a task.
"""

from __future__ import annotations

from datetime import date

from kiosk.views import HomeTask
from ui.formats import day_range, moment, money, name_of, plain
from ui.words import Catalogue

ICONS = {
    "check_in": "calendar-check",
    "go_to": "walk",
    "pay": "cash-multiple",
    "print_reports": "printer",
    "wait_reports": "progress-clock",
    "register": "clipboard-plus",
}


def title(words: Catalogue, task: HomeTask) -> str:
    match task.kind:
        case "go_to":
            return words.say("task.go_to", floor=task.floor, room=plain(task.room))
        case "pay":
            return words.say("task.pay", amount=money(task.amount_fen))
        case "print_reports":
            return words.count("task.print_reports", task.count)
    return words.say(f"task.{task.kind}")


def detail(words: Catalogue, task: HomeTask, today: date) -> str:
    if not task.enabled and task.kind != "wait_reports":
        return words.say("task.not_now")
    return words.say("dot").join(part for part in _parts(words, task, today) if part)


def _parts(words: Catalogue, task: HomeTask, today: date) -> list[str]:
    match task.kind:
        case "check_in":
            return [*where(words, task), when(words, task, today)]
        case "go_to":
            number = words.say("task.number", number=plain(task.number)) if task.number else ""
            return [number, *where(words, task)]
        case "pay":
            own = words.say("task.pay_own", own=money(task.own_fen)) if task.own_fen else ""
            return [words.count("task.items", task.count) if task.count else "", own]
        case "print_reports" | "wait_reports":
            said = "task.ready" if task.kind == "print_reports" else "task.expected"
            at = task.ready_at
            when_ = words.say(said, when=moment(words, at, today)) if at is not None else ""
            more = words.say("task.and_more", title=plain(task.title), n=task.count)
            return [more if task.count > 1 else plain(task.title), when_]
    return [words.say("task.register_detail")]


def where(words: Catalogue, task: HomeTask) -> list[str]:
    department = name_of(words, task.department) if task.department is not None else ""
    return [department, plain(task.doctor)]


def when(words: Catalogue, task: HomeTask, today: date) -> str:
    if task.starts is None or task.ends is None:
        return ""
    return day_range(words, task.starts, task.ends, today)
