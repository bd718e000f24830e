"""The device's side of a keyboard wedge: types what is held before it, as kernel events.

Knobs are what hands do: show a code. A misbehaviour is what a wrongly set scanner would type.
"""

from __future__ import annotations

from types import MappingProxyType

from drivers.wedge.codec import (
    EV_SYN,
    PRESSED,
    RECORD,
    RELEASED,
    SYN_DROPPED,
    encode_key,
    encode_text,
)

LEFT_ALT, RIGHT_SHIFT = 56, 54

MISBEHAVIOURS = MappingProxyType(
    {
        "silent": "types nothing",
        "no_enter": "types no Enter at the end",
        "half_code": "stops in the middle of a code, without an end",
        "double": "types every code twice",
        "alt_codes": "types characters by Alt and the keypad, as for a Windows desktop",
        "stuck_shift": "never lets go of Shift",
        "events_lost": "the kernel loses events in the middle of a code",
    }
)


class WedgeEmulator:
    """An Emulator. Types only printable ASCII, as such a scanner can."""

    def __init__(self) -> None:
        self._misbehaviour = ""
        self._to_type: list[str] = []

    def show(self, code: str) -> None:
        """Hold a code before the scanner. ValueError: a US keyboard cannot type it."""
        encode_text(code)
        self._to_type.append(code)

    def misbehave(self, name: str) -> None:
        """One of MISBEHAVIOURS from now on."""
        assert name in MISBEHAVIOURS, f"no misbehaviour {name}"
        self._misbehaviour = name

    def behave(self) -> None:
        """As the manual says again."""
        self._misbehaviour = ""

    def receive(self, data: bytes) -> bytes:
        """A keyboard hears nothing of this."""
        return b""

    def tick(self, now_s: float) -> bytes:
        """What was shown since the last tick, typed."""
        codes, self._to_type = self._to_type, []
        return b"".join(self._type(code, now_s) for code in codes)

    def _type(self, code: str, now_s: float) -> bytes:
        typed = encode_text(code, now_s)
        enter = encode_text("\r", now_s)
        half = encode_text(code[: len(code) // 2], now_s)
        match self._misbehaviour:
            case "silent":
                return b""
            case "no_enter":
                return typed
            case "half_code":
                return half
            case "double":
                return (typed + enter) * 2
            case "alt_codes":
                alt = encode_key(LEFT_ALT, PRESSED, now_s), encode_key(LEFT_ALT, RELEASED, now_s)
                return alt[0] + encode_text("0049", now_s) + alt[1] + enter
            case "stuck_shift":
                return encode_key(RIGHT_SHIFT, PRESSED, now_s) + typed + enter
            case "events_lost":
                return half + RECORD.pack(int(now_s), 0, EV_SYN, SYN_DROPPED, 0) + enter
        return typed + enter
