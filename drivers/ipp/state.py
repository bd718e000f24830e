"""What a printer says of itself and of a job, as what a person has to do.

Rule: only the beginning of a reason counts, and a job is printed only without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from drivers.errors import ProtocolError
from drivers.ipp.codec import Group

Condition = Literal[
    "ready", "busy", "media_empty", "jam", "door_open", "toner_empty", "output_full", "stopped"
]
Warning = Literal["media_low", "toner_low"]
Phase = Literal[
    "pending", "held", "processing", "stopped", "canceled", "aborted", "completed", "forgotten"
]

# RFC 8011 §5.4.12 and PWG 5100.9; a reason may end in -report, -warning or -error, and printers
# disagree on which: Debian's ippeveprinter calls an empty tray a warning. The beginning counts.
REASONS: tuple[tuple[str, Condition], ...] = (
    ("media-jam", "jam"),
    ("door-open", "door_open"),
    ("cover-open", "door_open"),
    ("interlock-open", "door_open"),
    ("media-empty", "media_empty"),
    ("media-needed", "media_empty"),
    ("input-tray-missing", "media_empty"),
    ("toner-empty", "toner_empty"),
    ("marker-supply-empty", "toner_empty"),
    ("marker-waste-full", "toner_empty"),
    ("developer-empty", "toner_empty"),
    ("output-area-full", "output_full"),
    ("output-tray-missing", "output_full"),
    ("fuser-over-temp", "stopped"),
    ("opc-life-over", "stopped"),
    ("paused", "stopped"),
    ("stopped", "stopped"),
    ("shutdown", "stopped"),
    ("timed-out", "stopped"),
    ("spool-area-full", "stopped"),
    ("offline", "stopped"),
)
WARNINGS: tuple[tuple[str, Warning], ...] = (
    ("media-low", "media_low"),
    ("toner-low", "toner_low"),
    ("marker-supply-low", "toner_low"),
    ("marker-waste-almost-full", "toner_low"),
)
PHASES: dict[int, Phase] = {
    3: "pending",
    4: "held",
    5: "processing",
    6: "stopped",
    7: "canceled",
    8: "aborted",
    9: "completed",
}
BAD_ENDINGS = (
    "aborted",
    "canceled",
    "cancelled",
    "job-canceled",
    "job-completed-with-errors",
    "document-format-error",
    "document-unprintable",
    "unsupported",
    "printer-stopped",
    "submission-interrupted",
    "job-data-insufficient",
)


@dataclass(frozen=True)
class Supply:
    """Toner, drum, waste. `percent` None: the printer does not know."""

    name: str
    percent: int | None


@dataclass(frozen=True)
class A4State:
    """What stands against printing, most urgent first, and the printer's own keywords for it."""

    condition: Condition
    warnings: tuple[Warning, ...] = ()
    supplies: tuple[Supply, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.condition in ("ready", "busy")


@dataclass(frozen=True)
class JobState:
    """One job, and the printer at the same moment. `forgotten`: the printer knows no such job."""

    phase: Phase
    pages_done: int = 0
    reasons: tuple[str, ...] = ()
    printer: A4State = field(default_factory=lambda: A4State("ready"))

    @property
    def printed(self) -> bool:
        """On paper, as far as a printer can say: completed alone may only mean spooled."""
        bad = any(reason.startswith(BAD_ENDINGS) for reason in self.reasons)
        return self.phase == "completed" and not bad and self.printer.ready

    @property
    def over(self) -> bool:
        """Nothing more will come of it."""
        return self.phase in ("canceled", "aborted", "completed", "forgotten")


def state_of(printer: Group) -> A4State:
    """The printer's attributes as what a person has to do."""
    reasons = without_none(printer.words("printer-state-reasons"))
    against = (met for start, met in REASONS if any(one.startswith(start) for one in reasons))
    condition = next(against, None) or _plain_condition(printer)
    warnings = {met for start, met in WARNINGS if any(one.startswith(start) for one in reasons)}
    return A4State(condition, tuple(sorted(warnings)), _supplies(printer), reasons)


def _plain_condition(printer: Group) -> Condition:
    accepting = printer.values("printer-is-accepting-jobs")
    match printer.number("printer-state"):
        case _ if accepting and accepting[0] is False:
            return "stopped"
        case 3:
            return "ready"
        case 4:
            return "busy"
        case 5:
            return "stopped"
    raise ProtocolError("a printer without a state")


def _supplies(printer: Group) -> tuple[Supply, ...]:
    """From printer-supply (PWG 5100.13), else from marker-levels as CUPS gives them."""
    names = printer.words("printer-supply-description")
    supplies = [one for one in printer.values("printer-supply") if isinstance(one, bytes)]
    if supplies:
        levels = [_level(one.decode("ascii", "replace")) for one in supplies]
    else:
        names = printer.words("marker-names")
        levels = [n for n in printer.values("marker-levels") if isinstance(n, int)]
    return tuple(
        Supply(name, level if 0 <= level <= 100 else None)
        for name, level in zip(names, levels, strict=False)
    )


def _level(supply: str) -> int:
    """`level` of `index=2;…;maxcapacity=100;level=75;…`; -1 when the printer cannot tell."""
    fields = dict(part.split("=", 1) for part in supply.split(";") if "=" in part)
    try:
        level, capacity = int(fields.get("level", "-1")), int(fields.get("maxcapacity", "100"))
    except ValueError:
        return -1
    return level * 100 // capacity if capacity > 0 and level >= 0 else -1


def without_none(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Reasons, of which `none` is not one."""
    return tuple(reason for reason in reasons if reason != "none")


def phase_of(job: Group) -> Phase:
    """A job's state by name."""
    number = job.number("job-state")
    if number not in PHASES:
        raise ProtocolError("a job without a state")
    return PHASES[number]
