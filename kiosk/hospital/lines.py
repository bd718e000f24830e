"""A connection for each thread that asks, since a client serves one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kiosk.hospital.client import HospitalClient


class Lines:
    """Made when a thread first asks; gone with the thread."""

    def __init__(self, make_client: Callable[[], HospitalClient]) -> None:
        self._make_client, self._here = make_client, threading.local()

    def ask(self, request: Any) -> Any:
        """As HospitalClient.ask()."""
        client: HospitalClient | None = getattr(self._here, "client", None)
        if client is None:
            client = self._here.client = self._make_client()
        return client.ask(request)
