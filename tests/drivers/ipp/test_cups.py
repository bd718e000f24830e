"""Our driver on a queue of CUPS, as in a hospital whose A4 printer belongs to a cupsd.

The cupsd is Debian's, with folders of its own in a mount namespace; behind its queue stands
Debian's ippeveprinter.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from drivers.ipp.driver import A4Printer
from drivers.ipp.paper_tray import IppPrinter
from drivers.ipp.state import JobState

SOON_S = 30.0
PROGRAMS = ("cupsd", "lpadmin", "lpstat", "unshare")
MISSING = [
    name
    for name in PROGRAMS
    if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None
]
pytestmark = pytest.mark.skipif(
    bool(MISSING) or os.geteuid() != 0, reason=f"a cupsd of our own needs root and {PROGRAMS}"
)

# lpadmin writes the queue's PPD a moment later: a job before that is lost and called completed.
SUPERVISOR = r"""
port=$1 uri=$2
export PATH="$PATH:/usr/sbin:/sbin" CUPS_SERVER="127.0.0.1:$port"
for folder in /etc/cups /var/spool/cups /var/cache/cups /var/log/cups /run/cups; do
  mkdir -p $folder && mount -t tmpfs -o mode=755 tmpfs $folder
done
printf '%s\n' "Listen 127.0.0.1:$port" "Browsing Off" "WebInterface No" "DefaultAuthType None" \
  "JobRetryInterval 2" "<Location />" " Allow localhost" "</Location>" "<Policy default>" \
  " <Limit All>" "  Allow localhost" " </Limit>" "</Policy>" >/etc/cups/cupsd.conf
cupsd -f &
until lpstat -r 2>/dev/null | grep -q "is running"; do sleep .05; done
lpadmin -p A4 -E -v "$uri" -m everywhere -o printer-error-policy=retry-current-job
until [ -s /etc/cups/ppd/A4.ppd ]; do sleep .05; done
echo ready
read -r line
"""


@pytest.fixture(scope="module")
def tray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IppPrinter]:
    with IppPrinter(tmp_path_factory.mktemp("a4"), time.monotonic) as tray:
        yield tray


@pytest.fixture(scope="module")
def queue(tray: IppPrinter) -> Iterator[A4Printer]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    flags = ["-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private"]
    process = subprocess.Popen(
        ["unshare", *flags, "sh", "-c", SUPERVISOR, "cups", str(port), tray.uri],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield A4Printer(f"ipp://127.0.0.1:{port}/printers/A4", time.monotonic)
    finally:
        process.kill()
        process.wait(SOON_S)
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def pdf(tmp_path: Path) -> bytes:
    canvas = Canvas(str(tmp_path / "a.pdf"))
    canvas.drawString(100, 700, "report")
    canvas.save()
    return (tmp_path / "a.pdf").read_bytes()


def until(state: Callable[[], JobState], true: Callable[[JobState], bool]) -> JobState:
    until_s, rest = time.monotonic() + SOON_S, threading.Event()
    while not true(found := state()):
        assert time.monotonic() < until_s, found
        rest.wait(0.05)
    return found


def test_a_report_goes_through_the_queue_and_comes_out_once(
    tray: IppPrinter, queue: A4Printer, pdf: bytes
) -> None:
    assert queue.probe().kind == "ipp" and queue.state().ready
    before = len(tray.papers)
    job = queue.print_pdf(pdf, "K03-1")
    assert queue.find_job("K03-1") == job
    done = until(lambda: queue.job(job), lambda state: state.over)
    assert done.printed and len(tray.papers) == before + 1


def test_a_report_that_waits_for_paper_is_not_printed_and_comes_when_there_is_some(
    tray: IppPrinter, queue: A4Printer, pdf: bytes
) -> None:
    """CUPS passes the printer's reason on as a warning: it stops us all the same."""
    before = len(tray.papers)
    tray.take_paper_out()
    job = queue.print_pdf(pdf, "K03-2")
    waiting = until(lambda: queue.job(job), lambda state: state.printer.condition == "media_empty")
    assert not waiting.printed and not waiting.over and len(tray.papers) == before
    tray.put_paper_in()
    assert until(lambda: queue.job(job), lambda state: state.over).printed
    assert len(tray.papers) == before + 1
