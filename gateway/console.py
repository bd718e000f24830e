"""The staff's page: terminals, calls for help, waiting times, refused records, the day's counts.

Shown only to a known member of staff with the right to see it; no patient is named on it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection, Table, case, func, select
from starlette.requests import ClientDisconnect

from gateway import fleet, slots, words
from gateway.clock import Clock
from gateway.fleet import Operator, Right
from gateway.matching import DUTIES, Difference
from gateway.sealing import Keys
from gateway.store import CommitUnknown, Store, StoreAway
from gateway.tables import (
    alarms,
    differences,
    from_us,
    help_calls,
    records,
    refused,
    terminals,
    to_us,
)
from gateway.words import said
from kiosk.domain.money import yuan

WAITING_ALARM_S = 600  # p90 at the entrance; a hospital may want another
SILENT_AFTER = timedelta(minutes=3)
CLOCK_OFF_S = 60  # leases and quotes end by a clock; slips show one
_CALLED_FROM = {**words.PAGES, **words.PARTS}
_ROWS_MAX = 50
_FORM_BYTES_MAX = 4096
_FORM_S = 15.0
_FIELDS_MAX = 10


def router(store: Store, keys: Keys, clock: Clock) -> APIRouter:
    """GET /console and POST /console/help."""
    routes = APIRouter()

    @routes.get("/console")
    def show(request: Request) -> Response:
        try:
            operator = _operator(store, request)
            if operator is None or not operator.may(Right.SEE_CONSOLE):
                return _ask_who()
            with store.reading() as connection:
                mark = _form_mark(keys, operator)
                return HTMLResponse(_page(connection, operator, mark, clock()))
        except StoreAway:
            return _away()

    def take(request: Request, form: dict[str, str]) -> Response:
        operator = _operator(store, request)
        if operator is None:
            return _ask_who()
        genuine = hmac.compare_digest(form.get("mark", ""), _form_mark(keys, operator))
        if not operator.may(Right.ANSWER_HELP) or not genuine:
            return Response("没有这个权限", 403)
        with store.writing() as connection:
            coming = form.get("coming", "").strip() or operator.name
            fleet.answer_help(connection, form.get("key", ""), coming, clock())
        return RedirectResponse("/console", 303)

    @routes.post("/console/help")
    async def answer(request: Request) -> Response:
        try:
            form = _form(await _short_body(request))
        except (TimeoutError, ClientDisconnect):
            return Response("表单没有传完", 408)
        if form is None:
            return Response("表单太大", 413)
        try:
            # The database may keep us waiting; the loop serves every terminal and must not wait.
            return await run_in_threadpool(take, request, form)
        except (StoreAway, CommitUnknown):
            return _away()

    return routes


async def _short_body(request: Request) -> bytes | None:
    """The body; None when it is longer than our form. TimeoutError when it drips."""
    body = b""
    async with asyncio.timeout(_FORM_S):
        async for chunk in request.stream():
            body += chunk
            if len(body) > _FORM_BYTES_MAX:
                return None
    return body


def _operator(store: Store, request: Request) -> Operator | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, token = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    with store.reading() as connection:
        return fleet.operator_of(connection, name, token)


def _ask_who() -> Response:
    return Response("请用工号和口令登录", 401, {"WWW-Authenticate": 'Basic realm="console"'})


def _away() -> Response:
    """Like the page, it asks again by itself."""
    text = "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=15>"
    return HTMLResponse(f"{text}<h1>数据库暂时连不上，每 15 秒自动重试</h1>", 503)


def _form_mark(keys: Keys, operator: Operator) -> str:
    """In every form, so that a page from elsewhere cannot press its buttons."""
    return keys.digest(f"console form {operator.name}".encode())


def _form(body: bytes | None) -> dict[str, str] | None:
    if body is None:
        return None
    try:
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=_FIELDS_MAX))
    except ValueError:  # more fields than any form of ours
        return None


@dataclass(frozen=True)
class _Table:
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # cells are HTML, escaped where they were made
    empty: str
    of: int = 0  # how many there are, if more than these rows


def _page(connection: Connection, operator: Operator, mark: str, now: datetime) -> str:
    tables = []
    if operator.may(Right.SEE_MONEY):
        tables.append(_differences(connection))
    tables += [_help(connection, operator, mark, now), _terminals(connection, now)]
    if operator.may(Right.SEE_REFUSED):
        tables += [_alarms(connection, now), _refused(connection, now)]
    tables.append(_counts(connection, now))
    return (
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>"
        '<meta http-equiv=refresh content=15><meta name=viewport content="width=device-width">'
        f"<title>终端运行台</title><style>{_STYLE}</style>"
        f"<header><h1>终端运行台</h1><p>{_e(operator.name)} · {now:%m-%d %H:%M}</p></header>"
        f"{_waiting(connection, now)}{''.join(_drawn(table) for table in tables)}</html>"
    )


def _waiting(connection: Connection, now: datetime) -> str:
    """Row 27: how long people wait at the entrance today."""
    waits = fleet.waiting(connection, now.date().isoformat())
    if not waits.people:
        return "<section><h2>入口等候</h2><p>今天还没有人办理。</p></section>"
    late = waits.p90_s > WAITING_ALARM_S
    warning = f"<p class=warn>⚠ 十人中有一人等了 {waits.p90_s // 60} 分钟以上。</p>" if late else ""
    return (
        f"<section><h2>入口等候</h2><p>今天 {waits.people} 人 · 一半不超过 {_clock(waits.p50_s)}"
        f" · 九成不超过 {_clock(waits.p90_s)}</p>{warning}</section>"
    )


def _help(connection: Connection, operator: Operator, mark: str, now: datetime) -> _Table:
    open_first = select(help_calls).order_by(help_calls.c.answered.isnot(None), help_calls.c.at)
    since = help_calls.c.at > to_us(now - timedelta(hours=12))
    rows = []
    for call in connection.execute(open_first.where(since).limit(_ROWS_MAX)):
        until = now if call.answered is None else from_us(call.answered)
        waited = until - from_us(call.at)
        if call.coming:
            answer = f"{_e(call.coming)} 正在过去"
        elif operator.may(Right.ANSWER_HELP):
            answer = _answer_form(call.key, operator, mark)
        else:
            answer = "还没有人去"
        late = " ⚠" if not call.coming and waited >= fleet.ESCALATE_AFTER else ""
        who, page = said(words.HELPERS, call.sort), said(_CALLED_FROM, call.page)
        rows.append((_e(call.place), _e(who), _e(page), _clock(waited.seconds) + late, answer))
    return _Table("求助", ("地点", "找谁", "页面", "已等", "谁去"), tuple(rows), "没有人求助。")


def _answer_form(key: str, operator: Operator, mark: str) -> str:
    return (
        "<form method=post action=/console/help>"
        f'<input type=hidden name=key value="{_e(key)}">'
        f'<input type=hidden name=mark value="{_e(mark)}">'
        f'<input name=coming aria-label=谁去 value="{_e(operator.name)}" maxlength=20>'
        "<button>我去</button></form>"
    )


def _terminals(connection: Connection, now: datetime) -> _Table:
    """Those that somebody must look after first."""
    rows = []
    overdue = slots.overdue_leases(connection, now)
    for one in connection.execute(select(terminals).order_by(terminals.c.name)):
        seen = None if one.seen is None else from_us(one.seen, now.tzinfo)
        troubles = _troubles(one, overdue.get(one.name, 0))
        if one.revoked:
            rank, state = 2, "已停用"
        elif seen is None or now - seen > SILENT_AFTER:
            rank, state = 0, "⚠ 没有消息"
        else:
            rank, state = (0, "⚠ 有故障") if troubles else (1, "正常")
        last = "—" if seen is None else f"{seen:%m-%d %H:%M:%S}"
        row = (_e(one.name), state, last, _unsent(one, now), _e("；".join(troubles)))
        rows.append((rank, (*row, _e(one.version))))
    rows.sort(key=lambda ranked: ranked[0])
    shown = tuple(row for _, row in rows[:_ROWS_MAX])
    heads = ("终端", "状态", "最近消息", "待传", "故障", "版本")
    return _Table("终端", heads, shown, "还没有终端。", len(rows))


def _troubles(terminal: Any, overdue_numbers: int) -> list[str]:
    found = [said(words.PARTS, part) for part in terminal.troubles.split(", ") if part]
    off_s = terminal.clock_off_s
    if abs(off_s) > CLOCK_OFF_S:
        found.append(f"时钟{'快' if off_s > 0 else '慢'} {_clock(abs(off_s))}")
    if overdue_numbers:
        found.append(f"未还号源 {overdue_numbers} 个")
    return found


def _unsent(terminal: Any, now: datetime) -> str:
    """How many records wait at the terminal, and since when the oldest does."""
    if not terminal.waiting or terminal.oldest is None:
        return str(terminal.waiting)
    minutes = max(0, int((now - from_us(terminal.oldest)).total_seconds())) // 60
    return f"{terminal.waiting} 条，最早 {minutes} 分钟前" if minutes else f"{terminal.waiting} 条"


def _refused(connection: Connection, now: datetime) -> _Table:
    statement = select(refused).order_by(refused.c.id.desc()).limit(_ROWS_MAX)
    rows = tuple(
        (
            _time(one.at, now),
            _e(one.terminal),
            str(one.sequence),
            _e(said(words.KINDS, one.kind)),
            _e(said(words.REASONS, one.reason)),
        )
        for one in connection.execute(statement)
    )
    heads = ("时间", "终端", "序号", "种类", "原因")
    return _Table("未接受的记录", heads, rows, "没有。", _count(connection, refused))


def _alarms(connection: Connection, now: datetime) -> _Table:
    statement = select(alarms).order_by(alarms.c.id.desc()).limit(_ROWS_MAX)
    rows = []
    for one in connection.execute(statement):
        notice = words.ALARMS.get(one.kind, words.Notice(one.kind, "请信息科查看"))
        kind, what = _e(notice.words), _e(one.detail)
        rows.append((_time(one.at, now), kind, _e(one.terminal), what, _e(notice.next_step)))
    heads = ("时间", "告警", "终端", "单号或内容", "下一步")
    return _Table("告警", heads, tuple(rows), "没有。", _count(connection, alarms))


def _differences(connection: Connection) -> _Table:
    """What the last matches found (row 118): newest day first, of a day the gravest first."""
    gravity = case(
        {name.value: place for place, name in enumerate(Difference)}, value=differences.c.difference
    )
    in_order = (differences.c.day.desc(), gravity, differences.c.reference)
    rows = []
    for one in connection.execute(select(differences).order_by(*in_order).limit(_ROWS_MAX)):
        duty = DUTIES[Difference(one.difference)]
        amounts = (f"¥{yuan(one.net_fen)}", f"¥{yuan(one.booked_fen)}")
        says = _e(said(words.JOURNAL, one.journal))
        named = (one.day, duty.words, _e(one.reference))
        rows.append((*named, *amounts, says, duty.owner, duty.next_step))
    heads = ("日期", "差异", "单号", "渠道净额", "医院入账", "终端说", "负责", "下一步")
    empty = "没有差异，或还没有对过账。"
    return _Table("对账差异", heads, tuple(rows), empty, _count(connection, differences))


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _counts(connection: Connection, now: datetime) -> _Table:
    """The day's report, made from what arrived (row 119): nobody counts by hand."""
    midnight = to_us(now.replace(hour=0, minute=0, second=0, microsecond=0))
    statement = (
        select(records.c.kind, records.c.state, func.count())
        .where(records.c.received >= midnight)
        .group_by(records.c.kind, records.c.state)
        .order_by(records.c.kind)
    )
    rows = tuple(
        (_e(said(words.KINDS, kind)), "已接受" if state == "accepted" else "未接受", str(count))
        for kind, state, count in connection.execute(statement)
    )
    return _Table("今天收到", ("种类", "结果", "条数"), rows, "还没有。")


def _drawn(table: _Table) -> str:
    if not table.rows:
        return f"<section><h2>{table.title}</h2><p>{table.empty}</p></section>"
    heads = "".join(f"<th>{head}" for head in table.heads)
    rows = "".join(f"<tr>{_cells(row)}" for row in table.rows)
    more = f"<p>共 {table.of} 条，这里是前 {len(table.rows)} 条。</p>"
    note = more if table.of > len(table.rows) else ""
    return f"<section><h2>{table.title}</h2>{note}<table><tr>{heads}{rows}</table></section>"


def _cells(row: Iterable[str]) -> str:
    return "".join(f"<td>{cell}" for cell in row)


def _time(microseconds: int, now: datetime) -> str:
    return f"{from_us(microseconds, now.tzinfo):%m-%d %H:%M:%S}"


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _e(text: str) -> str:
    return html.escape(text)


_STYLE = (
    "body{font:17px/1.5 sans-serif;margin:0;background:#f6f8f7;color:#10202b}"
    "header{background:#004f63;color:#fff;padding:.6rem 1.5rem;display:flex;"
    "justify-content:space-between;align-items:center}h1{font-size:1.4rem;margin:0}"
    "section{background:#fff;border:1px solid #5e6d77;border-radius:12px;margin:1rem 1.5rem;"
    "padding:.4rem 1.2rem 1rem}h2{font-size:1.15rem;color:#004f63;margin:.4rem 0}"
    "table{border-collapse:collapse;width:100%}th{text-align:left;color:#3a4a55}"
    "td,th{font-variant-numeric:tabular-nums}"
    "td,th{padding:.3rem .8rem .3rem 0;border-bottom:1px solid #e3f1f4;vertical-align:top}"
    "button{font:inherit;background:#004f63;color:#fff;border:0;border-radius:8px;"
    "padding:.3rem 1.2rem;min-height:44px}input{font:inherit;width:8rem;padding:.4rem}"
    "form{display:flex;gap:.5rem}.warn{background:#fff3d6;color:#693f00;padding:.4rem}"
)
