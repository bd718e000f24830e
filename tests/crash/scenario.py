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
    way: Literal["card", "payer", "shown", "cash", "leave"]
    bank_says_yes: bool
    hand: Literal["card", "slow", "red_key", "gone", "back"]
    phone: Literal["paid", "typing", "declined", "never"]
    refuses: bool
    will_not_reverse: float
    provider_silent: float
    fates: Fates
    pad: str  # one of the emulator's misbehaviours, or empty
    pad_keeps: bool
    kind: Literal["zvt", "mispos", "unionpay"]  # the last two are of one phase
    box: str  # one of the cash box's misbehaviours, or empty
    notes: Literal["enough", "short", "back", "large"]
    pushes: bool  # a note more while nobody is there who could want one
    syscalls: bool  # marks at the files' writes and syncs, else between SQL statements
    comes_again: bool

    @classmethod
    def of(cls, seed: int) -> Scenario:
        chance = Random(seed)
        bad = chance.random() < 0.5
        return cls(
            seed=seed,
            errand=chance.choice(("bill", "number")),
            way=chance.choice(_WAYS),
            bank_says_yes=chance.random() < 0.9,
            hand=chance.choice(("card",) * 9 + ("slow", "red_key", "gone", "back")),
            phone=chance.choice(("paid",) * 5 + ("typing", "declined", "never")),
            refuses=chance.random() < 0.35,
            will_not_reverse=chance.choice((0.0, 0.0, 0.4, 1.0)),
            provider_silent=chance.choice((0.0, 0.3)) if bad else 0.0,
            fates=_fates(chance) if bad else Fates(),
            pad=chance.choice(_PAD) if bad else "",
            pad_keeps=chance.random() < 0.35,
            kind=chance.choice(("zvt", "zvt", "zvt", "zvt", "mispos", "unionpay")),
            box=chance.choice(_BOX) if bad else "",
            notes=chance.choice(("enough",) * 5 + ("short", "back", "large")),
            pushes=chance.random() < 0.3,
            syscalls=chance.random() < 0.5,
            comes_again=chance.random() < 0.3,
        )

    @property
    def device(self) -> Literal["pad", "cash"]:
        """What stands beside this terminal's screen."""
        return "cash" if self.way == "cash" else "pad"

    @property
    def line(self) -> str:
        """How the marks of its line begin."""
        if self.device == "cash" or self.kind == "zvt":
            return self.device
        return f"pad {self.kind}"

    @property
    def own_fen(self) -> int:
        """What the person pays; in cash a sum that notes make up."""
        return 4100 if self.way == "cash" else 4120

    def told(self) -> dict[str, Any]:
        return asdict(self)


_WAYS: tuple[Any, ...] = (
    *("card",) * 7,
    *("payer",) * 3,
    *("shown",) * 2,
    *("cash",) * 3,
    "leave",
)
_BOX = ("", "", "jams", "escrow_times_out", "slow_transport", "answers_twice")
_PAD = ("", "", "", "silent_before_charge", "silent_after_charge", "slow", "answers_twice")


def _fates(chance: Random) -> Fates:
    some = chance.choice((0.0, 0.1, 0.3))
    chances = [round(chance.random() * some, 3) for _ in range(4)]
    begins_s = chance.uniform(0, 60)
    away = (begins_s, begins_s + chance.choice((5.0, 40.0, 200.0)))
    return Fates(*chances, away_s=away if chance.random() < 0.4 else (0.0, 0.0))


def scenario_from(told: dict[str, Any]) -> Scenario:
    """As told() to another process."""
    fates = Fates(**{**told["fates"], "away_s": tuple(told["fates"]["away_s"])})
    return Scenario(**{**told, "fates": fates})
