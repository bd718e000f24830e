"""What the whole run shares: one pcscd, because a process finds it under one name for its life."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from drivers.hosts.pcsc_daemon import PcscDaemon, why_not


@pytest.fixture(scope="session")
def pcscd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PcscDaemon]:
    """A pcscd of our own with two virtual slots, started by the tests and ended by its pid."""
    if os.geteuid() != 0:
        pytest.skip(why_not())
    assert not why_not(), why_not()
    daemon = PcscDaemon(tmp_path_factory.mktemp("pcscd"), time.monotonic)
    os.environ.update(daemon.environment)
    daemon.start()
    yield daemon
    daemon.stop()
