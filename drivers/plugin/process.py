"""A vendor's program as a child process: pipes as a ByteStream, an end that always comes, a rest.

Whatever the library does (crash, hang, leak, print) happens to its own process. It gets no secret
of ours in its environment and leaves no memory image behind, which would hold a patient's card.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

from drivers.deadline import Clock, Deadline
from drivers.errors import DeviceAbsent, DeviceLost
from drivers.plugin.driver import Plugin
from drivers.transport import ByteStream
from drivers.transports.descriptor import DescriptorStream

END_S = 0.5  # for a library to give its device back when its input ends
KILL_S = 5.0
HEALTHY_S = 60.0  # a process that lived this long did not crash because it was started
REST_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Before the n-th start after a crash: a library that dies at once must not fill the log."""
ENVIRONMENT = frozenset({"PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PCSCLITE_CSOCK_NAME"})


class PluginProcess:
    """A running program; a ByteStream on its input and output. Its errors go nowhere: they may
    name a patient."""

    def __init__(self, command: tuple[str, ...], clock: Clock) -> None:
        """DeviceAbsent: there is no such program."""
        self._name = os.path.basename(command[0])
        self._clock = clock
        self.started_s = clock()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if name in ENVIRONMENT},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as fault:
            raise DeviceAbsent(f"plug-in {self._name}: {fault.strerror}") from fault
        with suppress(ProcessLookupError):  # it has ended already: the first use will say so
            resource.prlimit(self._process.pid, resource.RLIMIT_CORE, (0, 0))
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        self._in = DescriptorStream(stdin.fileno(), self._name, stdin.close)
        self._out = DescriptorStream(stdout.fileno(), self._name, stdout.close)
        self._open = True
        self.broke = False
        """After close(): it had ended by itself, or had to be killed."""
        self.lived_s = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See ByteStream."""
        try:
            self._in.write(data, deadline)
        except DeviceLost as lost:
            raise self._ended() from lost

    def read(self, deadline: Deadline) -> bytes:
        """See ByteStream."""
        try:
            return self._out.read(deadline)
        except DeviceLost as lost:
            raise self._ended() from lost

    def discard_input(self) -> None:
        """See ByteStream."""
        try:
            self._out.discard_input()
        except DeviceLost as lost:
            raise self._ended() from lost

    def close(self) -> None:
        """End it: its input ends, then TERM, then KILL to all that it started."""
        if not self._open:
            return
        self._open = False
        self.lived_s = self._clock() - self.started_s
        self.broke = self._process.poll() is not None
        self._in.close()
        if not self._ends_within(END_S):
            self._signal(signal.SIGTERM)
            if not self._ends_within(END_S):
                self.broke = True
        self._signal(signal.SIGKILL)  # and what it may have left behind
        self._process.wait(KILL_S)
        self._out.close()

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal(self, number: int) -> None:
        """To its whole session: a library may have children of its own."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _ended(self) -> DeviceLost:
        """Why its pipes are closed."""
        if not self._open:
            return DeviceLost(f"plug-in {self._name}: closed")
        if not self._ends_within(END_S):
            return DeviceLost(f"plug-in {self._name}: closed its pipes")
        code = self._process.returncode
        if code < 0:
            return DeviceLost(f"plug-in {self._name}: ended by {signal.Signals(-code).name}")
        return DeviceLost(f"plug-in {self._name}: ended with code {code}")


class PluginStarter:
    """Starts one program again and again, with longer and longer rests while it keeps crashing."""

    def __init__(
        self,
        command: tuple[str, ...],
        clock: Clock,
        watch: Callable[[ByteStream], ByteStream] = lambda stream: stream,
    ) -> None:
        """`watch` sits on the pipes of every process: a tap, or nothing."""
        assert command, "a plug-in is a command"
        self._command, self._clock, self._watch = command, clock, watch
        self._process: PluginProcess | None = None
        self._crashes = 0
        self._rest_until_s = float("-inf")

    def start(self) -> Plugin:
        """A fresh process and its driver. DeviceAbsent: no such program, or it rests."""
        self._settle()
        left_s = self._rest_until_s - self._clock()
        if left_s > 0:
            raise DeviceAbsent(f"plug-in: rests {left_s:.1f} s after {self._crashes} crashes")
        self._process = PluginProcess(self._command, self._clock)
        return Plugin(self._watch(self._process), self._clock)

    def _settle(self) -> None:
        """What became of the last one; it is ended if it still runs."""
        if self._process is None:
            return
        self._process.close()
        if self._process.broke:
            recovered = self._process.lived_s >= HEALTHY_S
            self._crashes = 1 if recovered else self._crashes + 1
            self._rest_until_s = self._clock() + REST_S[min(self._crashes, len(REST_S) - 1)]
        self._process = None
