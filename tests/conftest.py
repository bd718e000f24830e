"""What the whole run shares: one pcscd, and a process's logging that no test keeps."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from drivers.hosts.pcsc_daemon import PcscDaemon, why_not


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A program's main that is called in a test takes over the process's logging: given back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers[:] = [one for one in root.handlers if one in handlers or not _of_ours(one)]
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


def _of_ours(handler: logging.Handler) -> bool:
    return type(handler).__module__ == "kiosk.logs"


@pytest.fixture(scope="session")
def pcscd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PcscDaemon]:
    """A pcscd of our own with two virtual slots, started by the tests and ended by its pid.

    One, because a process finds it under one name for its life.
    """
    if os.geteuid() != 0:
        pytest.skip(why_not())
    assert not why_not(), why_not()
    daemon = PcscDaemon(tmp_path_factory.mktemp("pcscd"), time.monotonic)
    os.environ.update(daemon.environment)
    daemon.start()
    yield daemon
    daemon.stop()
