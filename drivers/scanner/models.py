"""Scanner models as data: how each is told to look, and how it says that it understood.

Source: shared protocol notes §3, see PROTOCOL.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

REPLY_BYTES_MAX = 64


@dataclass(frozen=True)
class Reply:
    """The form of an acknowledgement: head, then perhaps an echo, then one of two tails.

    An empty head is a model that never answers. refused may be empty: the model only confirms.
    """

    head: bytes = b""
    accepted: bytes = b""
    refused: bytes = b""

    def find(self, heard: bytes) -> tuple[int, int, bool] | None:
        """Where the first whole reply in heard begins and ends, and whether it is a yes."""
        begin = heard.find(self.head) if self.head else -1
        if begin < 0:
            return None
        found = [
            (end, is_yes)
            for tail, is_yes in ((self.accepted, True), (self.refused, False))
            if tail and (end := self._end(heard, begin, tail)) > 0
        ]
        return (begin, *min(found)) if found else None

    def _end(self, heard: bytes, begin: int, tail: bytes) -> int:
        at = heard.find(tail, begin + len(self.head), begin + REPLY_BYTES_MAX)
        return at + len(tail) if at >= 0 else -1


@dataclass(frozen=True)
class ScannerModel:
    """`on` and `off` start and stop looking; both empty: the scanner looks all the time.

    `looks_for_s`: how long it looks after one `on`; the driver renews it before that. A trigger
    also ends with every code read.
    """

    name: str
    baud: int
    on: bytes = b""
    off: bytes = b""
    reply: Reply = Reply()
    looks_for_s: float = 0.0
    idle_gap_s: float = 0.1

    @property
    def has_trigger(self) -> bool:
        """Whether it looks only when told to."""
        return bool(self.on)


_NEWLAND_HEAD = bytes.fromhex("7E01 30303030")
_NEWLAND_TAIL = bytes.fromhex("3B03")

NEWLAND = ScannerModel(
    name="newland",
    baud=115200,
    on=_NEWLAND_HEAD + b"#SCNTRG1" + _NEWLAND_TAIL,
    off=_NEWLAND_HEAD + b"#SCNTRG0" + _NEWLAND_TAIL,
    reply=Reply(
        head=bytes.fromhex("0201 30303030"),
        accepted=bytes.fromhex("06 3B03"),
        refused=bytes.fromhex("15 3B03"),
    ),
    looks_for_s=2.5,
)
GM65 = ScannerModel(
    name="gm65",
    baud=9600,
    on=bytes.fromhex("7E 00 08 01 00 02 01 AB CD"),
    off=bytes.fromhex("7E 00 08 01 00 02 00 AB CD"),
    reply=Reply(head=bytes.fromhex("02 00 00 01 00"), accepted=bytes.fromhex("33 31")),
    looks_for_s=4.5,
)
HONEYWELL = ScannerModel(
    name="honeywell",
    baud=115200,
    on=bytes.fromhex("16 54 0D"),
    off=bytes.fromhex("16 55 0D"),
    looks_for_s=25.0,
)
PLAIN = ScannerModel(name="plain", baud=9600)

MODELS = MappingProxyType({model.name: model for model in (NEWLAND, GM65, HONEYWELL, PLAIN)})
"""By the name that a profile uses."""
