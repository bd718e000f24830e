"""The bench's words: one small catalogue a language beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

Language = Literal["zh", "en"]


@cache
def catalogue(language: Language) -> dict[str, str]:
    with Path(__file__).with_name(f"{language}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}
