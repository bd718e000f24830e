"""From what a flow shows to the View that travels: frame, serial, and how long we are busy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.identity import mask_name
from kiosk.engine.session import Session
from kiosk.flows.scene import Shown
from kiosk.views import Frame, Named, View, Works


@dataclass(frozen=True)
class Drawn:
    """The view that is shown, and since when it has been busy with the same thing."""

    view: View
    token: int
    busy_since: datetime | None


@dataclass(frozen=True)
class Drawing:
    hospital: Named
    place: Named

    def draw(
        self,
        shown: Shown,
        session: Session,
        *,
        works: Works,
        now: datetime,
        idle_left_s: int | None,
        before: Drawn | None,
    ) -> Drawn:
        """A countdown keeps the serial, another page gets the next one.

        So a touch made on the page before is known for what it is, and one made while a clock
        ticks, or while a flow that is entered anew shows the very same page, is not lost.
        """
        token = session.top.token
        busy_since = _busy_since(shown, now, before)
        frame = Frame(
            hospital=self.hospital,
            place=self.place,
            clock=now.replace(second=0, microsecond=0),
            bar=shown.bar,
            language=session.language,
            size=session.size,
            tone=shown.tone,
            who=shown.title or (mask_name(session.person.name) if session.person else ""),
            step=shown.step,
            notice=shown.notice,
            works=works,
            idle_left_s=idle_left_s,
            busy=shown.busy,
            busy_s=int((now - busy_since).total_seconds()) if busy_since else 0,
            voice=session.voice,
            low=session.low,
            elder=session.elder,
        )
        serial = before.view.serial if before else 1
        if before and _another_page(before, token, shown):
            serial += 1
        return Drawn(View(serial, frame, shown.page), token, busy_since)


def _another_page(before: Drawn, token: int, shown: Shown) -> bool:
    if before.view.page.page != shown.page.page:
        return True
    return before.token != token and before.view.page != shown.page


def _busy_since(shown: Shown, now: datetime, before: Drawn | None) -> datetime | None:
    if not shown.busy:
        return None
    if before and before.busy_since and before.view.frame.busy == shown.busy:
        return before.busy_since
    return now
