"""The page docs/audit-events.md, made from the catalogue so that it cannot lag behind it.

Run `python -m offline.audit_page > docs/audit-events.md` after changing audit_events.toml.
"""

from __future__ import annotations

import sys

from offline.catalogue import Catalogue, EventKind

INTRODUCTION = """# Audit events

Made from `offline/audit_events.toml` by `python -m offline.audit_page`; do not edit.

Every event carries its sequence number and the time by the wall clock. People appear only as
pseudonyms; there is no field for free text. An event that ends another carries a disposition.
"""


def page(catalogue: Catalogue) -> str:
    """The whole page as Markdown."""
    lines = [INTRODUCTION, "## Events", "", "| event | what happened | fields |", "|---|---|---|"]
    lines += [_event_line(event) for event in catalogue.events.values()]
    lines += ["", "## Fields", "", "| field | type | meaning |", "|---|---|---|"]
    lines += [f"| `{f.name}` | {f.type} | {f.meaning} |" for f in catalogue.fields.values()]
    return "\n".join(lines) + "\n"


def _event_line(event: EventKind) -> str:
    fields = [f"`{field.name}`" for field in event.required]
    fields += [f"`{field.name}` (optional)" for field in event.optional]
    ends = "" if event.ends is None else f" Ends `{event.ends}`."
    return f"| `{event.name}` | {event.meaning}{ends} | {', '.join(fields) or '–'} |"


if __name__ == "__main__":
    sys.stdout.write(page(Catalogue.read()))
