"""A real pcscd's slots for the failures of card readers."""

from __future__ import annotations

from tests.drivers.conftest import desk

__all__ = ["desk"]
