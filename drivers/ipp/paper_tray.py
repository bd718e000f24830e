"""Debian's ippeveprinter as an A4 printer with hands: a real IPP port, paper that comes out.

Rule: what lies in folder/out is what came out of the printer; a job that waits for paper is not
there. Needs the packages cups-ipp-utils, avahi-daemon, dbus and iproute2.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

from drivers.deadline import Clock, Deadline
from drivers.errors import DeadlineExceeded, DeviceAbsent

START_S = 20.0  # 1 to 2 s on an idle machine
STARTS_MAX = 3  # someone may take the port between our look and ippeveprinter's
STOP_S = 5.0
WEB_S = 5.0
PROGRAMS = ("unshare", "ippeveprinter", "ipptool", "avahi-daemon", "dbus-daemon", "ip")

Stop = Literal["media-empty", "media-jam", "cover-open", "abort"]

# ippeveprinter needs DNS-SD, so avahi and a bus of its own run beside it. Avahi gets a network of
# its own: it must not announce a demo to a hospital's network. The shell is process 1 of a process
# namespace and waits for its input to end: with us, or with stop(), everything ends. Avahi insists
# on giving its folder to its own user, which without root does not exist: here that user is 0.
SUPERVISOR = r"""
run=$1 folder=$2 port=$3
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$run/bus" PATH="$PATH:/usr/sbin:/sbin"
bring_up() {
  cat >"$run/bus.conf" <<END
<busconfig><type>system</type><listen>unix:path=$run/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow user="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>
END
  dbus-daemon --config-file="$run/bus.conf" --nofork --nopidfile >"$run/bus.log" 2>&1 &
  until [ -S "$run/bus" ]; do sleep .02; done
  printf 'root:x:0:0::/:/bin/sh\navahi:x:0:0::/:/bin/sh\n' >"$run/passwd"
  printf 'root:x:0:\navahi:x:0:\n' >"$run/group"
  run=$run unshare -n -m --propagation private sh -c '
    mount --bind "$run/passwd" /etc/passwd && mount --bind "$run/group" /etc/group
    mount -t tmpfs tmpfs /run && mkdir -p /run/avahi-daemon && ip link set lo up
    exec avahi-daemon --no-drop-root --no-chroot --no-rlimits
  ' >"$run/avahi.log" 2>&1 &
  until grep -q "startup complete" "$run/avahi.log"; do sleep .02; done
  ippeveprinter -p "$port" -n localhost -d "$run/spool" -c "$folder/command" \
    -f application/pdf -M Kiosk -m A4 -s 20 "KioskA4-$port" >"$run/ipp.log" 2>&1 &
  printer=$!
  until ipptool -q "ipp://localhost:$port/ipp/print" get-printer-attributes.test; do
    kill -0 $printer 2>/dev/null || return 1
    sleep .02
  done
}
{ bring_up </dev/null && echo ready || echo failed; } &
read -r line
exit 0
"""

# Runs for each document. A knob is a file in folder/stop; the paper comes out when none is left.
COMMAND = r"""#!/bin/sh
folder=$(dirname "$0")
for reason in media-empty media-jam cover-open; do
  if [ -e "$folder/stop/$reason" ]; then
    echo "STATE: +$reason-error" >&2
    while [ -e "$folder/stop/$reason" ]; do sleep .05; done
    echo "STATE: -$reason-error" >&2
  fi
done
if [ -e "$folder/stop/abort" ]; then exit 1; fi
# ippeveprinter lets a cancelled job run to its end; a printer does not print it.
if ipptool -tv -d "job-id=$IPP_JOB_ID" "$IPP_JOB_PRINTER_URI" "$folder/ask.test" |
  grep -q -e to-stop-point -e canceled; then exit 1; fi
name=$(printf %03d "$IPP_JOB_ID")
cp "$1" "$folder/out/.$name" && mv "$folder/out/.$name" "$folder/out/$name.pdf"
echo "ATTR: job-impressions-completed=${IPP_COPIES:-${IPP_COPIES_DEFAULT:-1}}" >&2
"""

ASK_JOB = """{
OPERATION Get-Job-Attributes
GROUP operation-attributes-tag
ATTR charset attributes-charset utf-8
ATTR language attributes-natural-language en
ATTR uri printer-uri $uri
ATTR integer job-id $job-id
DISPLAY job-state-reasons
}
"""


class IppPrinter:
    """A printer on a free port of this machine; several run side by side.

    Reasons for a stop show in the printer's state at once when it is idle (only "no paper"), and
    within a second while a job runs.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._run: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def uri(self) -> str:
        return f"ipp://localhost:{self.port}/ipp/print"

    @property
    def papers(self) -> tuple[Path, ...]:
        """The documents that came out, oldest first."""
        return tuple(sorted((self._folder / "out").glob("*.pdf")))

    def start(self) -> None:
        """DeviceAbsent: a program is missing, or the printer does not come up."""
        assert self._process is None, "already started"
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
        if missing:
            raise DeviceAbsent(f"not installed: {', '.join(missing)}")
        self._prepare()
        for _ in range(STARTS_MAX):
            if self._start_once():
                self._load_tray(full=True)
                return
        raise DeviceAbsent(f"ippeveprinter does not come up: {self._last_words()}")

    def stop(self) -> None:
        """End everything that was started; may be called twice."""
        if self._process is not None:
            self._end()
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)
            self._run = None

    def __enter__(self) -> IppPrinter:
        self.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop()

    # -- what hands do

    def take_paper_out(self) -> None:
        """The tray is empty: seen at once, and the next job waits."""
        self._set("media-empty")
        self._load_tray(full=False)

    def put_paper_in(self) -> None:
        self._unset("media-empty")
        self._load_tray(full=True)

    def jam(self) -> None:
        """The next sheet gets stuck; ippeveprinter can say so only while a job runs."""
        self._set("media-jam")

    def open_cover(self) -> None:
        self._set("cover-open")

    def fail_jobs(self) -> None:
        """Every job is aborted by the printer."""
        self._set("abort")

    def clear(self) -> None:
        """Everything is put right."""
        for stop in (self._folder / "stop").iterdir():
            stop.unlink(missing_ok=True)
        self.put_paper_in()

    def set_toner(self, percent: int) -> None:
        """Below 10 the printer warns; at 0 it says that it is empty."""
        self._web(f"supplies?supply0=25&supply1={percent}")

    # --

    def _prepare(self) -> None:
        # A short name: a socket's path may have 107 bytes, and tests' folders are long.
        self._run = Path(tempfile.mkdtemp(prefix="a4-"))
        (self._run / "spool").mkdir()
        for name in ("out", "stop"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        command = self._folder / "command"
        command.write_text(COMMAND, encoding="ascii")
        command.chmod(0o755)
        (self._folder / "ask.test").write_text(ASK_JOB, encoding="ascii")

    def _start_once(self) -> bool:
        assert self._run is not None
        for leftover in ("bus", "avahi.log"):
            (self._run / leftover).unlink(missing_ok=True)
        self.port = _free_port()
        inside = ["sh", "-c", SUPERVISOR, "a4", str(self._run), str(self._folder), str(self.port)]
        # Without root a user namespace of its own gives the right to the others.
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        flags = ["-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private"]
        self._process = subprocess.Popen(
            ["unshare", *as_root, *flags, *inside],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        )
        if self._is_ready(Deadline.after(self._clock, START_S)):
            return True
        self._end()
        return False

    def _is_ready(self, deadline: Deadline) -> bool:
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], deadline.remaining_s())
        return bool(ready) and self._process.stdout.readline() == b"ready\n"

    def _end(self) -> None:
        assert self._process is not None
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()  # the supervisor's input ends, and it with its namespace
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()  # --kill-child takes the rest along
            process.wait(STOP_S)

    def _last_words(self) -> str:
        assert self._run is not None
        log = self._run / "ipp.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else "no word"

    def _set(self, stop: Stop) -> None:
        (self._folder / "stop" / stop).touch()

    def _unset(self, stop: Stop) -> None:
        (self._folder / "stop" / stop).unlink(missing_ok=True)

    def _load_tray(self, *, full: bool) -> None:
        # Both trays: ippeveprinter calls one empty tray of two an empty printer. The sizes stay
        # set even without sheets: with none at all its page refuses every later change.
        trays = {
            1: ("iso_a4_210x297mm", "stationery", 250),
            3: ("iso_dl_110x220mm", "envelope", 25),
        }
        fields = (
            f"size{number}={size}&type{number}={kind}&level{number}={sheets if full else 0}"
            for number, (size, kind, sheets) in trays.items()
        )
        self._web("media?" + "&".join(fields))

    def _web(self, page: str) -> None:
        try:
            with urlopen(f"http://localhost:{self.port}/{page}", timeout=WEB_S) as answer:
                answer.read()
        except TimeoutError as fault:
            raise DeadlineExceeded("no answer from the printer's web page in time") from fault
        except OSError as fault:
            raise DeviceAbsent("the printer's web page does not answer") from fault


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
