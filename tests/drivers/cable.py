"""A cable on virtual time between a driver and an emulator, with every fault a cable can have.

Nothing waits: `Cable.clock` moves only when the driver reads or writes. Hand that clock to the
driver. Every fault comes from the seed, so a failure is a number to run again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from drivers.deadline import Deadline
from drivers.errors import DeadlineExceeded, DeviceLost
from drivers.transport import READ_BYTES_MAX, Emulator

TICK_S = 0.005  # the emulator hears the time this often
STEPS_MAX = 50_000  # a driver that asks more often than this between two plug() hangs
BURST_BYTES_MAX = 64  # noise comes in bursts up to this long


@dataclass(frozen=True)
class Faults:
    """What is wrong with the cable. Chances are per piece that travels; all zero is a good cable.

    `on_answers` / `on_requests` say which direction suffers.
    """

    cut: bool = False
    """Bytes arrive in pieces of any size."""
    dribble_s: float = 0.0
    """Seconds between two pieces; implies cut."""
    delay_s: float = 0.0
    """Seconds before anything sent arrives."""
    corrupt: float = 0.0
    """Chance that one bit of a piece is flipped."""
    drop: float = 0.0
    """Chance that one byte of a piece is lost."""
    noise: float = 0.0
    """Chance that a burst of random bytes comes before a piece."""
    twice: float = 0.0
    """Chance that a piece arrives twice."""
    babble: bool = False
    """Random bytes come all the time, sent or not."""
    die_after_bytes: int | None = None
    """After so many bytes, either way, the device is gone until plug()."""
    deaf: bool = False
    """Nothing reaches the device; writing succeeds."""
    stuck: bool = False
    """The output buffer never empties; writing does not succeed."""
    on_answers: bool = True
    on_requests: bool = False


GOOD = Faults()


class Cable:
    """The driver's ByteStream to `emulator`; `faults` may be changed at any moment."""

    def __init__(self, emulator: Emulator, faults: Faults = GOOD, seed: int = 0) -> None:
        self.emulator = emulator
        self.faults = faults
        self.now_s = 1000.0
        self.sent = bytearray()
        """All that the driver wrote; for tests that look at the wire."""
        self._chance = random.Random(seed)
        self._arriving: list[tuple[float, bytes]] = []  # in order of arrival
        self._carried = 0
        self._gone = False
        self._steps = 0
        self._next_tick_s = self.now_s

    # -- the driver's side

    def clock(self) -> float:
        """Seconds of virtual time."""
        return self.now_s

    def write(self, data: bytes, deadline: Deadline) -> None:
        self._alive()
        if self.faults.stuck:
            self._advance_to(deadline.at_s)
            raise DeadlineExceeded("no room in the cable in time")
        self.sent += data
        if self.faults.deaf:
            return
        # The time first, as hosts do: emulators reckon their thinking time from it.
        self._queue_answer(self.emulator.tick(self.now_s))
        for _, piece in self._spoil(data, self.faults.on_requests):
            self._queue_answer(self.emulator.receive(self._carry(piece)))
        self._alive()

    def read(self, deadline: Deadline) -> bytes:
        self._alive()
        while not (self._arriving and self._arriving[0][0] <= self.now_s):
            if deadline.remaining_s() <= 0:
                raise DeadlineExceeded("no byte from the cable in time")
            self._advance_to(min(self._next_event_s(), deadline.at_s))
        return self._carry(self._take())

    def discard_input(self) -> None:
        self._alive()
        while self._arriving and self._arriving[0][0] <= self.now_s:
            self._take()

    def close(self) -> None:
        self._arriving.clear()

    # -- the test's side

    def pass_time(self, seconds: float) -> None:
        """Let time go by while the driver does nothing."""
        self._advance_to(self.now_s + seconds)

    def unplug(self) -> None:
        """Every use raises DeviceLost from now on; what was on its way is lost."""
        self._gone = True
        self._arriving.clear()

    def plug(self, faults: Faults = GOOD) -> None:
        """The cable is back, with these faults."""
        self._gone = False
        self._carried = self._steps = 0
        self._arriving.clear()
        self.faults = faults

    def inject(self, data: bytes) -> None:
        """These bytes stand in the driver's input buffer now, as if the device had sent them."""
        self._arriving.append((self.now_s, data))
        self._arriving.sort(key=_arrival)

    # -- how bytes travel

    def _alive(self) -> None:
        self._steps += 1
        assert self._steps < STEPS_MAX, "the driver asks without end"
        if self._gone:
            raise DeviceLost("cable: unplugged")

    def _carry(self, data: bytes) -> bytes:
        """The part of data that gets over before the cable dies."""
        limit = self.faults.die_after_bytes
        if limit is not None and self._carried + len(data) >= limit:
            data = data[: max(0, limit - self._carried)]
            self._carried = limit
            self.unplug()
        self._carried += len(data)
        if self._gone and not data:
            raise DeviceLost("cable: died")
        return data

    def _queue_answer(self, data: bytes) -> None:
        for late_s, piece in self._spoil(data, self.faults.on_answers):
            last_s = self._arriving[-1][0] if self._arriving else self.now_s
            self._arriving.append((max(last_s, self.now_s + late_s), piece))

    def _spoil(self, data: bytes, applies: bool) -> list[tuple[float, bytes]]:
        if not data:
            return []
        if not applies:
            return [(0.0, data)]
        late_s, pieces = self.faults.delay_s, []
        for piece in self._cut(data):
            pieces += [(late_s, spoilt) for spoilt in self._spoil_piece(piece)]
            late_s += self.faults.dribble_s
        return pieces

    def _cut(self, data: bytes) -> list[bytes]:
        if not (self.faults.cut or self.faults.dribble_s):
            return [data]
        pieces, at = [], 0
        while at < len(data):
            end = at + self._chance.choice((1, 1, 2, 3, 5, 8, 13, 200))
            pieces.append(data[at:end])
            at = end
        return pieces

    def _spoil_piece(self, piece: bytes) -> list[bytes]:
        chance, faults = self._chance, self.faults
        if chance.random() < faults.corrupt:
            piece = self._flip(piece)
        if chance.random() < faults.drop:
            at = chance.randrange(len(piece))
            piece = piece[:at] + piece[at + 1 :]
        before = [self._noise()] if chance.random() < faults.noise else []
        copies = 2 if chance.random() < faults.twice else 1
        return [some for some in before + [piece] * copies if some]

    def _flip(self, piece: bytes) -> bytes:
        at = self._chance.randrange(len(piece))
        flipped = piece[at] ^ (1 << self._chance.randrange(8))
        return piece[:at] + bytes([flipped]) + piece[at + 1 :]

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randint(1, BURST_BYTES_MAX))

    def _take(self) -> bytes:
        at_s, piece = self._arriving.pop(0)
        if len(piece) > READ_BYTES_MAX:
            self._arriving.insert(0, (at_s, piece[READ_BYTES_MAX:]))
        return piece[:READ_BYTES_MAX]

    # -- how time passes

    def _next_event_s(self) -> float:
        arrivals = [self._arriving[0][0]] if self._arriving else []
        return min([self._next_tick_s, *arrivals])

    def _advance_to(self, moment_s: float) -> None:
        while self._next_tick_s <= moment_s:
            self.now_s = max(self.now_s, self._next_tick_s)
            self._next_tick_s += TICK_S
            if not (self._gone or self.faults.deaf):
                self._queue_answer(self.emulator.tick(self.now_s))
            if self.faults.babble and not self._gone:
                self.inject(self._noise())
        self.now_s = max(self.now_s, moment_s)


def _arrival(item: tuple[float, bytes]) -> float:
    return item[0]
