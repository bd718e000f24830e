"""The speed of a serial line, for ports that have none of their own (a pty, a socket)."""

from __future__ import annotations

BITS_PER_BYTE = 10  # 8N1: start bit, eight data bits, stop bit


class Pace:
    """How many bytes the line may have carried by now, on an absolute schedule.

    Absolute (start + bytes × bits / baud), because the errors of many small waits would add up.
    """

    def __init__(self, baud: int | None, bits_per_byte: int = BITS_PER_BYTE) -> None:
        self._byte_s = bits_per_byte / baud if baud else 0.0
        self._start_s: float | None = None
        self._carried = 0

    @property
    def busy(self) -> bool:
        """Whether a burst is under way, so that the next byte's moment matters."""
        return self._start_s is not None

    def allowance(self, now_s: float, wanted: int) -> int:
        """How many of `wanted` bytes the line has had time for; a first call starts the burst."""
        if not self._byte_s:
            return wanted
        if self._start_s is None:
            self._start_s, self._carried = now_s, 0
        return min(wanted, int((now_s - self._start_s) / self._byte_s) - self._carried)

    def carried(self, count: int) -> None:
        """These bytes went over the line."""
        self._carried += count

    def rest(self) -> None:
        """The line is quiet; the next byte starts a new burst."""
        self._start_s = None
