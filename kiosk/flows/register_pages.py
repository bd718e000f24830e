"""The three pages of a registration, made of what the hospital said."""

from __future__ import annotations

from datetime import date, timedelta

from kiosk.domain.bill import Quote
from kiosk.domain.visit import Department, Hold, LentSlot, Slot
from kiosk.flows.common import left_s, pages
from kiosk.flows.scene import Scene
from kiosk.views import (
    ChooseDepartment,
    ChooseSlot,
    ConfirmRegistration,
    DepartmentCard,
    Named,
    SlotCard,
)

CARDS_A_PAGE = 6
DAYS = 4


def days(scene: Scene) -> tuple[date, ...]:
    """Today first (row 36: same day and future)."""
    return tuple(scene.now.date() + timedelta(days=ahead) for ahead in range(DAYS))


def departments(
    all_of_them: tuple[Department, ...], last: Department | None, first: int
) -> ChooseDepartment:
    """Six at a time, with the numbers kept for people who stand here (row 38)."""
    others = besides(all_of_them, last)
    return ChooseDepartment(
        last=_card(last) if last else None,
        cards=tuple(_card(one) for one in others[first : first + CARDS_A_PAGE]),
        number=first // CARDS_A_PAGE + 1,
        of=pages(others, CARDS_A_PAGE),
    )


def besides(all_of_them: tuple[Department, ...], last: Department | None) -> tuple[Department, ...]:
    """The departments that have no place of their own on the page."""
    return tuple(one for one in all_of_them if one != last)


def _card(one: Department) -> DepartmentCard:
    return DepartmentCard(
        one.id, Named(one.name, one.name_en), one.on_site_left, one.icon, one.floor
    )


def slots(
    department: Department, day: date, all_of_them: tuple[Slot, ...], first: int, scene: Scene
) -> ChooseSlot:
    """Hours, never coarser (rows 39, 40)."""
    cards = tuple(
        SlotCard(one.id, one.doctor, one.title, one.starts, one.ends, one.left, one.fee_fen)
        for one in all_of_them[first : first + CARDS_A_PAGE]
    )
    return ChooseSlot(
        department=Named(department.name, department.name_en),
        day=day,
        days=days(scene),
        cards=cards,
        number=first // CARDS_A_PAGE + 1,
        of=pages(all_of_them, CARDS_A_PAGE),
    )


def confirmation(
    department: Department, slot: Slot, quote: Quote, hold: Hold | None, scene: Scene
) -> ConfirmRegistration:
    """All on one page before anything is booked: where, when, who pays what."""
    split = quote.split
    return ConfirmRegistration(
        department=Named(department.name, department.name_en),
        doctor=slot.doctor,
        title=slot.title,
        starts=slot.starts,
        ends=slot.ends,
        floor=department.floor,
        room=slot.room,
        fee_fen=split.total_fen,
        insurance_fen=split.total_fen - split.own_fen,
        own_fen=split.own_fen,
        insured=quote.insured,
        can_be_insured=quote.insured,
        held_left_s=left_s(hold.until, scene.now) if hold else None,
    )


def lent_confirmation(chosen: LentSlot, scene: Scene) -> ConfirmRegistration:
    """The same page for a number that this terminal owns: the fee is named, nothing is settled."""
    department, slot = chosen.department, chosen.slot
    return ConfirmRegistration(
        department=Named(department.name, department.name_en),
        doctor=slot.doctor,
        title=slot.title,
        starts=slot.starts,
        ends=slot.ends,
        floor=department.floor,
        room=slot.room,
        fee_fen=slot.fee_fen,
        insurance_fen=0,
        own_fen=slot.fee_fen,
        insured=False,
        can_be_insured=False,
        held_left_s=None,
        pay_later="treat_first" if scene.rules.treat_first else "window",
        window=scene.rules.cashier_window,
    )
