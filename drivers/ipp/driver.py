"""The host's side of an A4 printer over IPP: look, hand over a PDF, ask what became of it.

Rule: a report is printed only when the printer calls the job completed and neither job nor printer
names a reason against it. A job that was sent and not answered is asked for by its title, never
sent again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NewType
from urllib.parse import urlsplit

from drivers.deadline import Clock, Deadline
from drivers.errors import (
    DeviceAbsent,
    DeviceBusy,
    DeviceRefused,
    DriverError,
    OutcomeUnknown,
    ProtocolError,
)
from drivers.identity import DeviceIdentity
from drivers.ipp.codec import (
    Attribute,
    Group,
    GroupTag,
    Message,
    Operation,
    Status,
    Tag,
    decode,
    encode,
)
from drivers.ipp.http_exchange import post
from drivers.ipp.state import A4State, JobState, phase_of, state_of, without_none
from drivers.transport import ByteStream
from drivers.transports.tcp_port import open_tcp

KIND = "ipp"
CAPABILITIES = frozenset({"pdf", "copies", "cancel", "find_job", "supplies"})
"""What this driver can be asked for; a profile that wants more is refused at start."""

ASK_S = 5.0  # a printer that sleeps wakes within three
PRINT_S = 30.0  # a report of some megabytes into a slow printer
TITLE_BYTES_MAX = 255  # name(MAX) of RFC 8011
JOBS_ASKED_MAX = 100
PDF_BYTES_MAX = 64 << 20

JobId = NewType("JobId", int)
Connect = Callable[[Deadline], ByteStream]


class A4Printer:
    """One connection and one deadline an exchange; no thread, no retry, no sleep.

    `uri` is the printer's own (ipp://host:631/ipp/print) or a queue's of CUPS. `connect` is handed
    in by tests; it opens TCP otherwise.
    """

    def __init__(self, uri: str, clock: Clock, connect: Connect | None = None) -> None:
        self._uri = uri
        self._host, self._port = address_of(uri)
        self._path = urlsplit(uri).path or "/"
        self._clock = clock
        self._connect = connect or self._open
        self._requests = 0

    def state(self, timeout_s: float = ASK_S) -> A4State:
        """Ask now. DeviceAbsent when nobody listens: that is never "ready"."""
        return self._state(Deadline.after(self._clock, timeout_s))

    def print_pdf(
        self, pdf: bytes, title: str, copies: int = 1, timeout_s: float = PRINT_S
    ) -> JobId:
        """Hand over a document; what became of it, job() tells. `title` names no person.

        DeviceBusy, DeviceRefused, DeviceAbsent: nothing was taken. OutcomeUnknown: it was sent and
        not answered; find_job(title) tells whether the printer has it.
        """
        assert pdf.startswith(b"%PDF") and len(pdf) <= PDF_BYTES_MAX
        assert 1 <= copies <= 99
        operation = (
            Attribute("job-name", Tag.NAME, (_title(title),)),
            Attribute("document-format", Tag.MIME_TYPE, ("application/pdf",)),
        )
        job = (Attribute("copies", Tag.INTEGER, (copies,)),) if copies > 1 else ()
        deadline = Deadline.after(self._clock, timeout_s)
        request = self._request(Operation.PRINT_JOB, operation, job)
        stream = self._connect(deadline)
        try:
            answer = self._post(stream, request, pdf, deadline)
        except DeviceRefused:
            raise
        except DriverError as fault:
            raise OutcomeUnknown(f"a document was sent and not answered ({fault})") from fault
        return _job_id(_accepted(answer))

    def job(self, job_id: JobId, timeout_s: float = ASK_S) -> JobState:
        """One job and the printer, asked for together."""
        deadline = Deadline.after(self._clock, timeout_s)
        wanted = ("job-state", "job-state-reasons", "job-impressions-completed")
        asked = self._job_attributes(job_id, wanted)
        answer = self._exchange(Operation.GET_JOB_ATTRIBUTES, asked, deadline)
        if answer.code == Status.NOT_FOUND:
            return JobState("forgotten")
        found = _accepted(answer).group(GroupTag.JOB)
        return JobState(
            phase_of(found),
            max(0, found.number("job-impressions-completed") or 0),
            without_none(found.words("job-state-reasons")),
            self._state(deadline),
        )

    def find_job(self, title: str, timeout_s: float = ASK_S) -> JobId | None:
        """The newest job of this title, waiting or done; None: the printer knows of none."""
        deadline = Deadline.after(self._clock, timeout_s)
        found = [
            job_id
            for which in ("not-completed", "completed")
            for name, job_id in self._jobs(which, deadline)
            if name == _title(title)
        ]
        return max(found, default=None)

    def cancel(self, job_id: JobId, timeout_s: float = ASK_S) -> None:
        """Take a job back, so that it does not come out for the next person. Done or forgotten
        jobs are no error."""
        deadline = Deadline.after(self._clock, timeout_s)
        answer = self._exchange(Operation.CANCEL_JOB, self._job_attributes(job_id, ()), deadline)
        if answer.code not in (Status.NOT_FOUND, Status.NOT_POSSIBLE):
            _accepted(answer)

    def probe(self, timeout_s: float = ASK_S) -> DeviceIdentity:
        """Who answers here; for provisioning. Any DriverError: not an IPP printer for PDF."""
        wanted = ("printer-make-and-model", "printer-uuid", "document-format-supported")
        printer = self._printer(wanted, Deadline.after(self._clock, timeout_s))
        if "application/pdf" not in printer.words("document-format-supported"):
            raise DeviceRefused("this printer does not take PDF; print through CUPS")
        model = next(iter(printer.words("printer-make-and-model")), "")
        return DeviceIdentity(KIND, model, next(iter(printer.words("printer-uuid")), ""))

    # -- the exchanges

    def _open(self, deadline: Deadline) -> ByteStream:
        timeout_s = deadline.remaining_s()
        if timeout_s <= 0:
            raise DeviceAbsent(f"{self._host}:{self._port}: no time left to connect")
        return open_tcp(self._host, self._port, self._clock, timeout_s)

    def _state(self, deadline: Deadline) -> A4State:
        wanted = (
            "printer-state",
            "printer-state-reasons",
            "printer-is-accepting-jobs",
            "printer-supply",
            "printer-supply-description",
            "marker-names",
            "marker-levels",
        )
        return state_of(self._printer(wanted, deadline))

    def _printer(self, wanted: tuple[str, ...], deadline: Deadline) -> Group:
        asked = (Attribute("requested-attributes", Tag.KEYWORD, wanted),)
        answer = self._exchange(Operation.GET_PRINTER_ATTRIBUTES, asked, deadline)
        return _accepted(answer).group(GroupTag.PRINTER)

    def _jobs(self, which: str, deadline: Deadline) -> list[tuple[str, JobId]]:
        asked = (
            Attribute("limit", Tag.INTEGER, (JOBS_ASKED_MAX,)),
            Attribute("requested-attributes", Tag.KEYWORD, ("job-id", "job-name")),
            Attribute("which-jobs", Tag.KEYWORD, (which,)),
        )
        answer = _accepted(self._exchange(Operation.GET_JOBS, asked, deadline))
        return [
            (next(iter(job.words("job-name")), ""), JobId(number))
            for job in answer.all(GroupTag.JOB)
            if (number := job.number("job-id")) is not None
        ]

    def _job_attributes(self, job_id: JobId, wanted: tuple[str, ...]) -> tuple[Attribute, ...]:
        asked = (Attribute("job-id", Tag.INTEGER, (job_id,)),)
        return (*asked, Attribute("requested-attributes", Tag.KEYWORD, wanted)) if wanted else asked

    def _exchange(
        self, operation: Operation, asked: tuple[Attribute, ...], deadline: Deadline
    ) -> Message:
        request = self._request(operation, asked)
        return self._post(self._connect(deadline), request, b"", deadline)

    def _request(
        self, operation: Operation, asked: tuple[Attribute, ...], job: tuple[Attribute, ...] = ()
    ) -> Message:
        self._requests += 1
        head = (
            Attribute("attributes-charset", Tag.CHARSET, ("utf-8",)),
            Attribute("attributes-natural-language", Tag.LANGUAGE, ("en",)),
            Attribute("printer-uri", Tag.URI, (self._uri,)),
        )
        # RFC 8011 §4.1.5: the target follows the languages, then who asks, then the rest.
        ids = tuple(one for one in asked if one.name == "job-id")
        rest = tuple(one for one in asked if one.name != "job-id")
        user = Attribute("requesting-user-name", Tag.NAME, ("kiosk",))
        groups = [Group(GroupTag.OPERATION, (*head, *ids, user, *rest))]
        if job:
            groups.append(Group(GroupTag.JOB, job))
        return Message(operation, self._requests, tuple(groups))

    def _post(
        self, stream: ByteStream, request: Message, document: bytes, deadline: Deadline
    ) -> Message:
        try:
            host = f"{self._host}:{self._port}"
            body = post(stream, host, self._path, (encode(request), document), deadline)
        finally:
            stream.close()
        answer = decode(body)
        if answer.request_id != request.request_id:
            raise ProtocolError("the printer answers another question")
        return answer


def address_of(uri: str) -> tuple[str, int]:
    """Host and TCP port of an ipp:// address. ValueError: it is none."""
    parts = urlsplit(uri)
    if parts.scheme != "ipp" or not parts.hostname:
        raise ValueError(f"{uri}: not an ipp:// address")
    return parts.hostname, parts.port or 631


def _job_id(answer: Message) -> JobId:
    number = answer.group(GroupTag.JOB).number("job-id")
    if number is None:
        raise OutcomeUnknown("the printer took a document and gave it no number")
    return JobId(number)


def _accepted(answer: Message) -> Message:
    if answer.code < 0x0100:
        return answer
    if answer.code == Status.BUSY:
        raise DeviceBusy("the printer is busy with another job")
    raise DeviceRefused(f"the printer answers IPP status {answer.code:04x}")


def _title(title: str) -> str:
    """A job's name without what acts, no longer than a printer keeps."""
    plain = "".join(c for c in title if unicodedata.category(c)[0] != "C")
    return plain.encode()[:TITLE_BYTES_MAX].decode(errors="ignore")
