"""Real ports for driver tests: emulators behind ptys and sockets, ended after each test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from drivers.hosts.pcsc_daemon import PcscDaemon
from drivers.pcsc.service import PcscPorts
from tests.drivers.pcsc_desk import Desk
from tests.drivers.ports import Ports


@pytest.fixture
def desk(pcscd: PcscDaemon) -> Iterator[Desk]:
    """Slots of the run's own pcscd; empty before and after."""
    with ExitStack() as stack:
        yield Desk(pcscd, PcscPorts(time.monotonic), stack)


@pytest.fixture
def ports() -> Iterator[Ports]:
    """Real ports that end with the test."""
    with ExitStack() as stack:
        yield Ports(stack)
