"""What the audit trail is told of a print job when it is ordered."""

from __future__ import annotations

from kiosk.flows.effects import Effect, KeepAudit, PrintReport, PrintSlip
from kiosk.flows.slips import PaymentSlip


def print_audit(effect: PrintSlip | PrintReport) -> Effect:
    """The job, the document, and the slip's number and reference where there are such."""
    fields: tuple[tuple[str, str | int | bool], ...] = (("job", effect.job),)
    match effect:
        case PrintSlip(_, slip):
            document = type(slip).__name__.removesuffix("Slip").lower() + "_slip"
            reference = slip.reference if isinstance(slip, PaymentSlip) else ""
            fields = (*fields, ("document", document))
            return KeepAudit("print_begun", "", slip.number, reference, fields)
        case PrintReport():
            return KeepAudit("print_begun", fields=(*fields, ("document", "report")))
