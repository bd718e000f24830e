"""Real ports for tests of devices: emulators behind ptys and sockets, ended after each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.drivers.ports import Ports


@pytest.fixture
def ports() -> Iterator[Ports]:
    """Real ports that end with the test."""
    with ExitStack() as stack:
        yield Ports(stack)
