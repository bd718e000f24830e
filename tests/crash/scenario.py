"""What happens around one payment: drawn from a seed, so that a point is a number to run again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Literal


@dataclass(frozen=True)
class Fates:
    """Chances a request on the line to the hospital; `away_s`: (from, until) nobody is there."""

    lost_request: float = 0.0
    lost_answer: float = 0.0
    late: float = 0.0
    garbled: float = 0.0
    away_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Scenario:
    """`way` is how the person pays in the end; every way begins with the shown code."""

    seed: int
    errand: Literal["bill", "number"]
    way: Literal["card", "payer", "shown", "leave"]
    bank_says_yes: bool
    hand: Literal["card", "slow", "red_key", "gone", "back"]
    phone: Literal["paid", "typing", "declined", "never"]
    refuses: bool
    will_not_reverse: float
    provider_silent: float
    fates: Fates
    pad: str  # one of the emulator's misbehaviours, or empty
    pad_keeps: bool
    syscalls: bool  # marks at the files' writes and syncs, else between SQL statements
    comes_again: bool

    @classmethod
    def of(cls, seed: int) -> Scenario:
        chance = Random(seed)
        bad = chance.random() < 0.5
        return cls(
            seed=seed,
            errand=chance.choice(("bill", "number")),
            way=chance.choice(
                (
                    "card",
                    "card",
                    "card",
                    "card",
                    "payer",
                    "payer",
                    "payer",
                    "shown",
                    "shown",
                    "leave",
                )
            ),
            bank_says_yes=chance.random() < 0.9,
            hand=chance.choice(("card",) * 9 + ("slow", "red_key", "gone", "back")),
            phone=chance.choice(("paid",) * 5 + ("typing", "declined", "never")),
            refuses=chance.random() < 0.35,
            will_not_reverse=chance.choice((0.0, 0.0, 0.4, 1.0)),
            provider_silent=chance.choice((0.0, 0.3)) if bad else 0.0,
            fates=_fates(chance) if bad else Fates(),
            pad=chance.choice(_PAD) if bad else "",
            pad_keeps=chance.random() < 0.35,
            syscalls=chance.random() < 0.5,
            comes_again=chance.random() < 0.3,
        )

    def told(self) -> dict[str, Any]:
        return asdict(self)


_PAD = ("", "", "", "silent_before_charge", "silent_after_charge", "slow", "answers_twice")


def _fates(chance: Random) -> Fates:
    some = chance.choice((0.0, 0.1, 0.3))
    chances = [round(chance.random() * some, 3) for _ in range(4)]
    begins_s = chance.uniform(0, 60)
    away = (begins_s, begins_s + chance.choice((5.0, 40.0, 200.0)))
    return Fates(*chances, away_s=away if chance.random() < 0.4 else (0.0, 0.0))
