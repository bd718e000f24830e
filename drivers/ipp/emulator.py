"""A small A4 printer from the device's side: HTTP and IPP in, documents out; for cables that spoil.

Rule: `papers` is what came out. It takes what the manual allows and answers the rest with IPP's own
errors. For a real printer's behaviour use paper_tray, which runs Debian's ippeveprinter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from drivers.errors import ProtocolError
from drivers.ipp.codec import (
    Attribute,
    Group,
    GroupTag,
    Message,
    Operation,
    Status,
    Tag,
    Value,
    decode,
    encode,
)
from drivers.ipp.http_requests import HttpRequests, answer

KEPT_JOBS_MAX = 100
PENDING, PROCESSING, CANCELED, ABORTED, COMPLETED = 3, 5, 7, 8, 9
MISBEHAVIOURS = MappingProxyType(
    {
        "media_empty": "no paper: jobs wait",
        "media_jam": "a sheet is stuck: jobs wait",
        "cover_open": "somebody left it open: jobs wait",
        "toner_empty": "nothing to print with: jobs wait",
        "output_area_full": "nobody takes the sheets away: jobs wait",
        "toner_low": "a warning, nothing more",
        "busy": "another computer's job is being printed",
        "not_accepting": "takes no jobs",
        "aborts": "takes each job and gives up on it",
        "silent": "takes everything and answers nothing",
        "power_cut": "off: nothing is heard, jobs are forgotten",
    }
)
STOPS = ("media_empty", "media_jam", "cover_open", "toner_empty", "output_area_full")

ENDINGS = {
    CANCELED: "job-canceled-by-user",
    ABORTED: "aborted-by-system",
    COMPLETED: "job-completed-successfully",
}


@dataclass(frozen=True)
class Job:
    number: int
    title: str
    document: bytes
    copies: int
    state: int = PENDING

    @property
    def reasons(self) -> str:
        return ENDINGS.get(self.state, "job-printing" if self.state == PROCESSING else "none")


class IppPrinterEmulator:
    """The knobs are attributes; change them between two receives."""

    def __init__(self, job_s: float = 0.2) -> None:
        self.papers: list[bytes] = []
        self.reasons: set[str] = set()
        """What it complains of, as RFC 8011 spells it: media-empty-error, media-jam-error …"""
        self.toner_percent = 75
        self.busy = False
        self.accepting = True
        self.aborts = False
        self.silent = False
        """Takes everything and answers nothing."""
        self.powered = True
        self.jobs: dict[int, Job] = {}
        self._job_s = job_s
        self._now_s = 0.0
        self._done_at_s: float | None = None
        self._numbers = 0
        self._requests = HttpRequests()

    def connected(self) -> None:
        """A new connection: what was half said on the old one is forgotten."""
        self._requests = HttpRequests()

    # -- what hands do

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        match name:
            case "toner_low":
                self.toner_percent = 5
                self.reasons.add("toner-low-report")
            case "not_accepting":
                self.accepting = False
            case "busy" | "aborts" | "silent":
                setattr(self, name, True)
            case "power_cut":
                self.cut_power()
            case _:
                self.reasons.add(f"{name.replace('_', '-')}-error")

    def behave(self) -> None:
        """Everything is put right; what waits is printed."""
        self.reasons.clear()
        self.busy = self.aborts = self.silent = False
        self.accepting = self.powered = True
        self.toner_percent = 75

    def cut_power(self) -> None:
        """Mains off: what was not printed is forgotten, and so are all numbers of jobs."""
        self.powered = False
        self.jobs.clear()
        self._done_at_s = None
        self.connected()

    # -- Emulator

    def receive(self, data: bytes) -> bytes:
        if not self.powered:
            return b""
        out = b""
        for body in self._requests.feed(data):
            out += answer(self._answer(body))
        out = self._requests.interim() + out
        return b"" if self.silent else out

    def tick(self, now_s: float) -> bytes:
        self._now_s = now_s
        self._print()
        return b""

    # -- printing

    def _print(self) -> None:
        waiting = [job for job in self.jobs.values() if job.state in (PENDING, PROCESSING)]
        if not waiting or self._stopped():
            self._done_at_s = None
            return
        job = waiting[0]
        if self._done_at_s is None:
            self._done_at_s = self._now_s + self._job_s
            self.jobs[job.number] = replace(job, state=PROCESSING)
        elif self._now_s >= self._done_at_s:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        self._done_at_s = None
        if not self.aborts:
            self.papers += [job.document] * job.copies
        self.jobs[job.number] = replace(job, state=ABORTED if self.aborts else COMPLETED)

    def _stopped(self) -> bool:
        return any(reason.replace("-", "_").startswith(STOPS) for reason in self.reasons)

    # -- answering

    def _answer(self, body: bytes) -> bytes:
        try:
            request = decode(body)
        except ProtocolError:
            return encode(_reply(Status.NOT_POSSIBLE, 1))
        status, groups = self._obey(request)
        return encode(replace(_reply(status, request.request_id, groups), version=request.version))

    def _obey(self, request: Message) -> tuple[Status, tuple[Group, ...]]:
        asked = request.group(GroupTag.OPERATION)
        match request.code:
            case Operation.GET_PRINTER_ATTRIBUTES:
                return Status.OK, (self._printer(),)
            case Operation.PRINT_JOB:
                return self._take(request)
            case Operation.GET_JOBS:
                return Status.OK, self._listed("completed" in asked.words("which-jobs"))
        job = self.jobs.get(asked.number("job-id") or 0)
        if job is None:
            return Status.NOT_FOUND, ()
        match request.code:
            case Operation.GET_JOB_ATTRIBUTES:
                return Status.OK, (_described(job),)
            case Operation.CANCEL_JOB if job.state in (PENDING, PROCESSING):
                self.jobs[job.number] = replace(job, state=CANCELED)
                return Status.OK, ()
        return Status.NOT_POSSIBLE, ()

    def _take(self, request: Message) -> tuple[Status, tuple[Group, ...]]:
        if self.busy:
            return Status.BUSY, ()
        if not self.accepting:
            return Status.NOT_ACCEPTING_JOBS, ()
        if not request.data.startswith(b"%PDF"):
            return Status.FORMAT_NOT_SUPPORTED, ()
        self._numbers += 1
        title = next(iter(request.group(GroupTag.OPERATION).words("job-name")), "")
        copies = request.group(GroupTag.JOB).number("copies") or 1
        self.jobs[self._numbers] = job = Job(self._numbers, title, request.data, copies)
        while len(self.jobs) > KEPT_JOBS_MAX:
            del self.jobs[next(iter(self.jobs))]
        return Status.OK, (_described(job),)

    def _listed(self, completed: bool) -> tuple[Group, ...]:
        return tuple(
            _described(job)
            for job in reversed(self.jobs.values())
            if (job.state >= CANCELED) == completed
        )

    def _printer(self) -> Group:
        at_work = any(job.state == PROCESSING for job in self.jobs.values())
        supply = f"index=1;type=toner;unit=percent;maxcapacity=100;level={self.toner_percent};"
        return _group(
            GroupTag.PRINTER,
            ("printer-make-and-model", Tag.TEXT, "Kiosk emulator"),
            ("printer-uuid", Tag.URI, "urn:uuid:00000000-0000-4000-8000-000000000001"),
            ("document-format-supported", Tag.MIME_TYPE, "application/pdf"),
            ("printer-state", Tag.ENUM, 4 if at_work else 5 if self._stopped() else 3),
            ("printer-state-reasons", Tag.KEYWORD, *(sorted(self.reasons) or ["none"])),
            ("printer-is-accepting-jobs", Tag.BOOLEAN, self.accepting),
            ("printer-supply", Tag.OCTETS, supply.encode()),
            ("printer-supply-description", Tag.TEXT, "Black Toner"),
        )


def _described(job: Job) -> Group:
    pages = job.copies if job.state == COMPLETED else 0
    return _group(
        GroupTag.JOB,
        ("job-id", Tag.INTEGER, job.number),
        ("job-name", Tag.NAME, job.title),
        ("job-state", Tag.ENUM, job.state),
        ("job-state-reasons", Tag.KEYWORD, job.reasons),
        ("job-impressions-completed", Tag.INTEGER, pages),
        ("job-uri", Tag.URI, f"ipp://localhost/ipp/print/{job.number}"),
    )


def _group(tag: GroupTag, *attributes: tuple[str | Tag | Value, ...]) -> Group:
    made = []
    for name, kind, *values in attributes:
        assert isinstance(name, str) and isinstance(kind, Tag)
        made.append(Attribute(name, kind, tuple(values)))
    return Group(tag, tuple(made))


def _reply(status: Status, request_id: int, groups: tuple[Group, ...] = ()) -> Message:
    head = _group(
        GroupTag.OPERATION,
        ("attributes-charset", Tag.CHARSET, "utf-8"),
        ("attributes-natural-language", Tag.LANGUAGE, "en"),
    )
    return Message(status, request_id, (head, *groups))
