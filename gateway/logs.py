"""One JSON object a line on stderr. Fields are an allow-list: what is not on it is not written."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

FIELDS = frozenset(
    {
        "endpoint",
        "terminal",
        "status",
        "code",
        "ms",
        "records",
        "accepted",
        "refused",
        "later",
        "kind",
        "count",
        "port",
        "adapter",
        "key",
        "role",
        "path",
    }
)
"""No name, number, code, phone or free text ever; a new field is private until it stands here."""


class JsonLines(logging.Formatter):
    """Writes the allowed fields; of an exception the type and the places, never its words."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": "gateway",
            "event": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name in FIELDS})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["places"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(tb: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(tb)[-8:]
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


def start(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """All loggers of this process write through JsonLines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "uvicorn.error", "sqlalchemy.engine", "fontTools"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
