"""What each slip says and how it is laid out; the facts come from the flows, the words from here.

An old person reads it at arm's length: what to do next stands on top and large, the number and its
code at the end, no word that a market stall would not use. Names arrive masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from kiosk.domain.bill import BillLine, Split
from kiosk.domain.document import Code, Line, Pair, Rule, Size, Slip, Space, Text
from kiosk.domain.money import yuan
from kiosk.domain.visit import Ticket
from kiosk.flows.slips import (
    AccountSlip,
    HandOverSlip,
    LentSlip,
    PassSlip,
    PaymentSlip,
    SlipFacts,
    TicketSlip,
    TrailSlip,
)
from kiosk.views import Language, Named
from kiosk.words import known, say


@dataclass(frozen=True)
class Paper:
    """What stands on every slip of this terminal."""

    hospital: Named
    terminal: str
    place: Named


class _Writer:
    """One slip in one language. A day is written out: 今天 would be wrong tomorrow."""

    def __init__(self, paper: Paper, language: Language, now: datetime) -> None:
        self.paper, self.language, self.now = paper, language, now

    def say(self, key: str, **facts: object) -> str:
        return say(self.language, key, **facts)

    def named(self, named: Named) -> str:
        return named.en if self.language == "en" and named.en else named.zh

    def money(self, amount_fen: int) -> str:
        return f"-¥{yuan(-amount_fen)}" if amount_fen < 0 else f"¥{yuan(amount_fen)}"

    def day(self, day: date) -> str:
        return self.say("day", year=day.year, month=day.month, day=day.day)

    def window(self, starts: datetime, ends: datetime) -> str:
        hours = f"{starts:%H:%M}-{ends:%H:%M}"
        return self.say("on_day", month=starts.month, day=starts.day, hours=hours)

    def head(self, title: str, copy: bool) -> tuple[Line, ...]:
        marked: tuple[Line, ...] = (Text(self.say("copy"), Size.LARGE, True, True),) if copy else ()
        return (
            Text(self.named(self.paper.hospital), centred=True),
            Text(title, Size.LARGE, bold=True, centred=True),
            *marked,
            Rule(),
        )

    def foot(self, number: str, payload: str) -> tuple[Line, ...]:
        printed = self.say("printed_at", at=f"{self.now:%Y-%m-%d %H:%M}")
        return (
            Rule(),
            Code(payload, self.say("slip_number", number=number)),
            Pair(printed, f"{self.paper.terminal} {self.named(self.paper.place)}"),
        )


def write(
    paper: Paper, facts: SlipFacts, language: Language, now: datetime, copy: bool = False
) -> Slip:
    """The slip for these facts. `copy` marks it 补打, so that it proves nothing twice."""
    writer = _Writer(paper, language, now)
    match facts:
        case TicketSlip():
            kind, title, body = (
                "ticket",
                _ticket_title(writer, facts.ticket),
                _ticket_slip(writer, facts),
            )
        case LentSlip():
            kind, title, body = "lent", writer.say("lent.title"), _lent(writer, facts)
        case PaymentSlip():
            title = writer.say(f"payment.{_outcome(facts)}")
            kind, body = "payment", _payment(writer, facts)
        case PassSlip():
            key = "pass.passed" if facts.route is None else "pass.go_to"
            kind, title, body = "pass", writer.say(key), _pass(writer, facts)
        case HandOverSlip():
            title = writer.say("hand_over.title", window=facts.window)
            kind, body = "hand_over", _hand_over(writer, facts)
        case AccountSlip():
            kind, title, body = "account", writer.say("account.title"), _account(writer, facts)
        case TrailSlip():
            kind, title, body = "trail", writer.say("trail.title"), _trail(writer, facts)
    payload = f"{paper.terminal}-{facts.number}"
    foot = writer.foot(facts.number, payload)
    return Slip(kind, facts.number, (*writer.head(title, copy), *body, *foot), copy)


def _ticket_title(writer: _Writer, ticket: Ticket) -> str:
    return writer.say("ticket.offline" if ticket.offline else "ticket.title")


def _ticket_slip(writer: _Writer, facts: TicketSlip) -> tuple[Line, ...]:
    return (Pair(writer.say("name"), facts.who), *_ticket(writer, facts.ticket))


def _ticket(writer: _Writer, ticket: Ticket) -> tuple[Line, ...]:
    appointment = ticket.appointment
    where = writer.say("floor_room", floor=appointment.floor, room=appointment.room)
    department = writer.named(Named(appointment.department, appointment.department_en))
    return (
        Text(ticket.number, Size.HUGE, bold=True, centred=True),
        Text(where, Size.LARGE, bold=True, centred=True),
        Pair(department, appointment.doctor),
        Pair(writer.say("come_at"), writer.window(appointment.starts, appointment.ends)),
        *_queue(writer, ticket),
    )


def _queue(writer: _Writer, ticket: Ticket) -> tuple[Line, ...]:
    if ticket.ahead is None:
        return (Text(writer.say("ticket.ask_desk")),)
    if ticket.ahead == 0:
        return (Text(writer.say("next_is_you"), bold=True),)
    lines: tuple[Line, ...] = (Pair(writer.say("ahead"), writer.say("people", n=ticket.ahead)),)
    if ticket.minutes is not None:
        lines = (*lines, Pair(writer.say("about"), writer.say("minutes", n=ticket.minutes)))
    return lines


def _lent(writer: _Writer, facts: LentSlip) -> tuple[Line, ...]:
    """What holds (the number) and what does not (the fee) stand apart, both in words."""
    do = "lent.treat_first" if facts.treat_first else "lent.pay_first"
    return (
        Pair(writer.say("name"), facts.who),
        *_ticket(writer, facts.ticket),
        Rule(),
        Pair(writer.say("lent.fee"), writer.money(facts.fee_fen)),
        Text(writer.say("lent.unpaid"), bold=True),
        Text(writer.say(do, window=facts.window), Size.LARGE, bold=True),
    )


def _outcome(facts: PaymentSlip) -> str:
    """`unheard` is how checking reads when the money is certain and only the booking is not."""
    return "unheard" if facts.unheard else facts.result


def _payment(writer: _Writer, facts: PaymentSlip) -> tuple[Line, ...]:
    return (
        *_what_to_do(writer, facts),
        Pair(writer.say("name"), facts.who),
        *((Pair(writer.say("paid_by"), facts.acting),) if facts.acting else ()),
        *_lines(writer, facts.lines),
        *(_split(writer, facts.split) if facts.split else ()),
        *((Text(writer.say("payment.unheard.insurers")),) if _promised(facts) else ()),
        *(_ticket_after_payment(writer, facts.ticket) if facts.ticket else ()),
        Rule(),
        Pair(writer.say("method"), writer.say(f"method.{facts.method}")),
        *((Pair(writer.say("receipt"), facts.receipt_number),) if facts.receipt_number else ()),
        Pair(writer.say("reference"), facts.reference),
    )


def _what_to_do(writer: _Writer, facts: PaymentSlip) -> tuple[Line, ...]:
    amount = Text(writer.money(facts.amount_fen), Size.HUGE, bold=True, centred=True)
    words = writer.say(f"payment.{_outcome(facts)}.do", window=facts.window)
    return (amount, Text(words, Size.LARGE, centred=True), Rule())


def _promised(facts: PaymentSlip) -> bool:
    """The insurers' parts are the quote's: nobody has settled them yet."""
    return facts.unheard and facts.split is not None and facts.split.total_fen > facts.amount_fen


def _ticket_after_payment(writer: _Writer, ticket: Ticket) -> tuple[Line, ...]:
    return (Rule(), *_ticket(writer, ticket))


def _lines(writer: _Writer, lines: tuple[BillLine, ...]) -> tuple[Line, ...]:
    return tuple(
        Pair(
            f"{line.name} ×{line.quantity}" if line.quantity > 1 else line.name,
            writer.money(line.amount_fen),
        )
        for line in lines
    )


def _split(writer: _Writer, split: Split) -> tuple[Line, ...]:
    """Three insurers' lines, always: a zero is an answer too (row 62)."""
    return (
        Rule(),
        Pair(writer.say("total"), writer.money(split.total_fen)),
        Pair(writer.say("basic"), writer.money(-split.basic_fen if split.basic_fen else 0)),
        Pair(writer.say("serious"), writer.money(-split.serious_fen if split.serious_fen else 0)),
        Pair(writer.say("aid"), writer.money(-split.aid_fen if split.aid_fen else 0)),
        Pair(writer.say("own"), writer.money(split.own_fen), Size.LARGE, bold=True),
    )


def _pass(writer: _Writer, facts: PassSlip) -> tuple[Line, ...]:
    go = (Text(writer.named(facts.route), Size.LARGE, True, True),) if facts.route else ()
    extra: list[Line] = []
    if facts.acting:
        extra.append(Pair(writer.say("pass.acting"), facts.acting))
        relation = known(writer.language, f"relation.{facts.relation}", "relation.other")
        extra.append(Pair(writer.say("pass.relation"), relation))
    if facts.paper:
        extra.append(
            Pair(
                writer.say("pass.paper"),
                known(writer.language, f"paper.{facts.paper}", "paper.other"),
            )
        )
    if facts.paper_serial:
        extra.append(Pair(writer.say("pass.form"), facts.paper_serial))
    return (
        *go,
        Text(f"{writer.now:%H:%M}", Size.HUGE, bold=True, centred=True),
        Text(writer.say("pass.valid", day=writer.day(writer.now.date())), centred=True),
        *((Pair(writer.say("name"), facts.who, Size.LARGE),) if facts.who else ()),
        *((Pair(writer.say("last4"), facts.last4),) if facts.last4 else ()),
        Pair(writer.say("pass.by"), writer.say(f"substitute.{facts.substitute}")),
        *extra,
        Pair(writer.say("pass.volunteer"), f"{facts.volunteer} {facts.gate}"),
        Pair(writer.say("pass.questionnaire"), facts.questionnaire),
    )


def _hand_over(writer: _Writer, facts: HandOverSlip) -> tuple[Line, ...]:
    amount = (Pair(writer.say("own"), writer.money(facts.amount_fen), Size.LARGE),)
    return (
        Text(writer.say("hand_over.do", window=facts.window), Size.LARGE, centred=True),
        Space(),
        *((Pair(writer.say("name"), facts.who),) if facts.who else ()),
        Pair(
            writer.say("hand_over.for"),
            known(writer.language, f"purpose.{facts.purpose}", "purpose.other"),
        ),
        *(amount if facts.amount_fen else ()),
        *((Pair(writer.say("reference"), facts.reference),) if facts.reference else ()),
    )


def _account(writer: _Writer, facts: AccountSlip) -> tuple[Line, ...]:
    state = writer.say("account.paid" if facts.bill.paid else "account.unpaid")
    lines: list[Line] = [Pair(writer.say("name"), facts.who), Pair(facts.bill.title, state)]
    last: date | None = None
    for line in facts.bill.lines:
        if line.day is not None and line.day != last:
            last = line.day
            lines += [Space(), Text(writer.day(line.day), bold=True)]
        lines += _lines(writer, (line,))
    total = Pair(writer.say("total"), writer.money(facts.bill.total_fen), Size.LARGE, bold=True)
    return (*lines, Rule(), total)


def _trail(writer: _Writer, facts: TrailSlip) -> tuple[Line, ...]:
    lines: list[Line] = [Pair(writer.say("name"), facts.who), Space()]
    last: date | None = None
    for line in facts.lines:
        if line.at.date() != last:
            last = line.at.date()
            lines.append(Text(writer.day(line.at.date()), bold=True))
        words = known(writer.language, f"event.{line.event}", "event.other")
        lines.append(Pair(f"{line.at:%H:%M:%S}", words))
        if line.detail:
            told = (known(writer.language, f"detail.{one}", one) for one in line.detail.split())
            lines.append(Text("  " + " ".join(told)))
    if not facts.lines:
        lines.append(Text(writer.say("trail.none")))
    return tuple(lines)
