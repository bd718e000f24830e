"""The debug log: one JSON object a line, no patient in it.

Rule: only a field named in FIELDS is written, and only if its value looks like a code (see
plain()); everything else becomes "<withheld>", so that a new field is private until it stands
here. An event has a fixed name in small letters; what varies goes into fields. Of an exception
the class and the places are written, never its words: a library's words may quote a card.

The audit trail is another thing (offline/), and so is the recording of bytes on a cable.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, MutableMapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import ExcInfo, FilteringBoundLogger

Program = Literal["core", "ui", "gateway", "demo", "provisioning"]
Now = Callable[[], datetime]
"""The wall clock, aware of its zone; a test hands in its own."""
Log = FilteringBoundLogger
"""What is handed to whoever logs: log.info("device_lost", device="id_card", fault="DeviceLost")."""

WITHHELD = "<withheld>"
TEXT_CHARS_MAX = 120
TRACE_PLACES_MAX = 20

FIELDS: dict[str, str] = {
    "address": "host and port, socket or device file",
    "attempt": "how many times so far",
    "bytes": "how many",
    "capability": "what works or does not: print, pay, register …",
    "code": "a program's or protocol's own result code",
    "count": "how many of what the event names",
    "device": "the device's name in the profile",
    "driver": "the driver that serves it",
    "duration_ms": "how long it took",
    "effect": "class of what a flow asked for",
    "endpoint": "a path of the contract, as a template without values",
    "exit_code": "how a program ended; negative: the signal",
    "fault": "class of a fault",
    "flow": "the business a person is in",
    "gateway": "host of the gateway",
    "happened": "class of what a flow was told",
    "key": "the permanent key of an operation",
    "kind": "kind of operation or document",
    "language": "code of a language",
    "model": "model of a device",
    "operation": "name of an operation",
    "outcome": "how it ended, one word of a fixed set",
    "pending": "how many wait in the outbox",
    "pid": "number of a process",
    "previous": "the state before",
    "profile": "identity of a profile",
    "program": "core, ui, gateway …",
    "reference": "our reference of a payment attempt",
    "screen": "class of a view model",
    "session": "random name of one person's visit to the screen",
    "signal": "number of a signal",
    "source": "who speaks: a library's or thread's name",
    "state": "state of a device, flow, payment or record",
    "status": "status of an HTTP answer",
    "terminal": "the terminal's name",
    "version": "version of a program, profile or schema",
    "wait_s": "how long it will wait",
}
"""Field → what it holds. None may hold what a person says, shows, types, owns or owes."""

OWN_FIELDS = frozenset({"at", "level", "event", "exception", "places"})
"""Written by the processors below; a caller that uses one of these names is overruled."""

_EVENT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CODE = re.compile(r"[A-Za-z0-9_.:/@+#{}\[\]-]*")
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_PERSONAL = re.compile(r"[0-9]{15}|(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
"""ID numbers, bank cards and payment codes by their length, and mobile numbers."""

_EventDict = MutableMapping[str, Any]


def plain(value: object) -> object:
    """The value if it is a number, a truth or a short code; "<withheld>" for any other.

    A code is ASCII without blanks and without a run of digits as long as an ID number, a bank
    card, a payment code or a mobile number.
    """
    match value:
        case None | bool() | float():
            return value
        case Enum():
            return plain(value.value)
        case int():
            return WITHHELD if _PERSONAL.search(str(value)) else value
        case PurePath():
            return plain(str(value))
        case str() if len(value) <= TEXT_CHARS_MAX and _CODE.fullmatch(value):
            secret = _PERSONAL.search(value) and not _HASH.fullmatch(value)
            return WITHHELD if secret else value
    return WITHHELD


def logger(program: Program, now: Now, out: TextIO, level: int = logging.INFO) -> Log:
    """A logger that writes to `out`; touches nothing else of the process."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(out),
        processors=[
            structlog.stdlib.add_log_level,
            _without_words,
            _allowed_only,
            _stamped_with(now),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return log.bind(program=program)


def start(program: Program, now: Now, out: TextIO, level: int = logging.INFO) -> Log:
    """The logger of a whole process, called once by its main.

    Also catches what libraries log and what nobody catches, because both would reach the
    terminal's journal with their words.
    """
    log = logger(program, now, out, level)
    root = logging.getLogger()
    root.handlers[:] = [_Forward(log)]
    root.setLevel(max(level, logging.WARNING))
    sys.excepthook = lambda kind, error, trace: _crashed(log, "main", (kind, error, trace))
    threading.excepthook = lambda args: _crashed(
        log,
        args.thread.name if args.thread else "thread",
        (args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback),
    )
    return log


def _crashed(
    log: Log,
    source: str,
    error: tuple[type[BaseException], BaseException, TracebackType | None],
) -> None:
    if issubclass(error[0], KeyboardInterrupt | SystemExit):
        return
    log.critical("crashed", source=source, exc_info=error)


class _Forward(logging.Handler):
    """What libraries log: who spoke and how loud; their words may quote anything."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(
            record.levelno, "library_spoke", source=record.name, exc_info=record.exc_info or None
        )


def _without_words(_log: Any, _method: str, fields: _EventDict) -> _EventDict:
    """exc_info → class and places of the exception and of what caused it."""
    exc_info: ExcInfo | BaseException | bool | None = fields.pop("exc_info", None)
    fields.pop("exception", None)
    fields.pop("places", None)
    match exc_info:
        case BaseException():
            error: BaseException | None = exc_info
        case (_, BaseException() as found, _):
            error = found
        case True:
            error = sys.exc_info()[1]
        case _:
            error = None
    if error is not None:
        fields["exception"] = " < ".join(type(each).__qualname__ for each in _chain(error))
        fields["places"] = _places(error)
    return fields


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, what it came from, and so on."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    return chain


def _places(error: BaseException) -> list[str]:
    """Where it passed, innermost last: file:line function."""
    frames = traceback.extract_tb(error.__traceback__)[-TRACE_PLACES_MAX:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _allowed_only(_log: Any, _method: str, fields: _EventDict) -> _EventDict:
    event = fields.get("event")
    known = isinstance(event, str) and _EVENT.fullmatch(event) is not None and plain(event) == event
    written: _EventDict = {"event": event if known else WITHHELD}
    for name, value in fields.items():
        if name in FIELDS:
            written[name] = plain(value)
        elif name not in OWN_FIELDS:
            written[name if _EVENT.fullmatch(name) else WITHHELD] = WITHHELD
    for name in OWN_FIELDS & fields.keys() - {"event", "at"}:
        written[name] = fields[name]
    return written


def _stamped_with(now: Now) -> structlog.typing.Processor:
    def stamped(_log: Any, _method: str, fields: _EventDict) -> _EventDict:
        return {"at": now().isoformat(timespec="milliseconds"), **fields}

    return stamped
