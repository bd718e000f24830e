"""What the bench says to the demo: one JSON object a line over a unix socket, one answer each.

    {"do": "lay_card", "person": "P0001"}        {"do": "lift_card"}
    {"do": "put_social_card", "person": "P0001"}  {"do": "pull_social_card"}
    {"do": "show_code", "kind": "wechat", "person": "P0001"}      kinds: CODES
    {"do": "phone_pays"}                          a phone pays the code on the screen
    {"do": "bank_card"}  {"do": "pad_answers", "how": "approve" | "decline" | "silent" | "cancel"}
    {"do": "insert_note", "yuan": 20}             {"do": "empty_cash_box"}
    {"do": "receipt_paper", "there": false}       {"do": "report_paper", "there": false}
    {"do": "network", "there": false}             cuts the gateway off
    {"do": "misbehave", "device": "id_reader", "name": "silent"}  an empty name: behave
    {"do": "look"}                                the answer is a Look

Every answer has "ok"; a refusal has "why" in words.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

CODES = ("health_code", "insurance_code", "wechat", "alipay", "unionpay")
PAD_ANSWERS = ("approve", "decline", "silent", "cancel")
NOTES_YUAN = (1, 5, 10, 20, 50, 100)
ANSWER_S = 15.0


class BenchLost(Exception):
    """The demo has ended."""


class BenchClient:
    """The window's end."""

    def __init__(self, path: Path | str) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(ANSWER_S)
        self._connection.connect(str(path))
        self._lines = self._connection.makefile("rb")

    def say(self, do: str, **facts: Any) -> dict[str, Any]:
        """One line out, its answer. BenchLost when nobody is there any more."""
        try:
            self._connection.sendall(json.dumps({"do": do, **facts}).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise BenchLost(str(error)) from error
        if not line:
            raise BenchLost("the demo has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._connection.close()
