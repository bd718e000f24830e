"""Slots of this computer's pcscd as CardPorts (PC/SC Lite by pyscard's thin layer).

PC/SC has no time limit on a command: a card or reader that says nothing holds the caller for ever.
So each port's calls run on a thread of its own, and who waits for one waits by the deadline. A
call that does not come back leaves its thread stuck; until it ends the slot is busy, so that
opening again and again never piles up threads.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from smartcard import scard

from drivers.deadline import Clock, Deadline
from drivers.errors import (
    CardMute,
    CardRemoved,
    CardReset,
    DeadlineExceeded,
    DeviceAbsent,
    DeviceBusy,
    DeviceLost,
    DriverError,
    TransportError,
)
from drivers.pcsc.place import SOCKET_NAME, SOCKET_NAME_VARIABLE
from drivers.pcsc.port import CardPutIn, CardTakenOut, SlotEvent, SlotUnchanged

ResultT = TypeVar("ResultT")

CALL_GRACE_S = 0.5  # pcscd comes back from a wait a little after its time
SETTLE_MS = 800  # pcscd looks at a slot every 400 ms: so long it may take for a removed card
EVENT_COUNT = 0xFFFF0000  # a state's upper half counts how often the slot has changed

GONE = {
    scard.SCARD_E_NO_SERVICE,
    scard.SCARD_E_SERVICE_STOPPED,
    scard.SCARD_E_INVALID_HANDLE,
    scard.SCARD_E_UNKNOWN_READER,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_NO_READERS_AVAILABLE,
}
REMOVED = {scard.SCARD_W_REMOVED_CARD, scard.SCARD_E_NO_SMARTCARD}
RESET = {scard.SCARD_W_RESET_CARD, scard.SCARD_W_UNPOWERED_CARD}
MUTE = {
    scard.SCARD_W_UNRESPONSIVE_CARD,
    scard.SCARD_W_UNSUPPORTED_CARD,
    scard.SCARD_E_PROTO_MISMATCH,
    scard.SCARD_E_CARD_UNSUPPORTED,
}
BROKEN_OFF = {scard.SCARD_E_NOT_TRANSACTED, scard.SCARD_F_COMM_ERROR}
"""The command did not get through: the card was pulled in the middle of it, or went silent."""


def fault_of(code: int, doing: str) -> DriverError:
    """What a PC/SC return code means in the drivers' tree."""
    if code in REMOVED:
        return CardRemoved(f"{doing}: the card is gone")
    if code in RESET:
        return CardReset(f"{doing}: the card was reset or lost its power")
    if code in MUTE:
        return CardMute(f"{doing}: no answer to reset")
    if code in GONE:
        return DeviceLost(f"{doing}: the reader is gone")
    if code == scard.SCARD_E_SHARING_VIOLATION:
        return DeviceBusy(f"{doing}: another program holds the card")
    return TransportError(f"{doing}: PC/SC code {code & 0xFFFFFFFF:08X}")


class PcscPorts:
    """All slots of this computer, for one device: what sticks there must not hold up another.

    `clock` is time.monotonic's kind.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stuck: list[_Caller] = []

    def names(self, timeout_s: float = 2.0) -> tuple[str, ...]:
        """The readers that pcscd knows now. DeviceAbsent: pcscd itself is not there."""
        deadline = Deadline.after(self._clock, timeout_s)
        caller, context = self._context(deadline)
        try:
            return _names(caller, context, deadline)
        finally:
            caller.end(lambda: scard.SCardReleaseContext(context))

    def open(self, wanted: str, timeout_s: float = 2.0) -> PcscPort:
        """The slot of this name, or the only one whose name begins so.

        DeviceAbsent: no such reader, or no pcscd. DeviceBusy: an earlier call is still stuck.
        """
        deadline = Deadline.after(self._clock, timeout_s)
        caller, context = self._context(deadline)
        try:
            name = _one_of(_names(caller, context, deadline), wanted)
        except DriverError:
            caller.end(lambda: scard.SCardReleaseContext(context))
            raise
        return PcscPort(caller, context, name, self._clock)

    def _context(self, deadline: Deadline) -> tuple[_Caller, Any]:
        self._stuck = [caller for caller in self._stuck if caller.stuck]
        if self._stuck:
            raise DeviceBusy("PC/SC: an earlier call has not come back")
        # Looked for first: the library would wait for a pcscd that is only just starting.
        path = os.environ.get(SOCKET_NAME_VARIABLE, SOCKET_NAME)
        if not Path(path).exists():
            raise DeviceAbsent("PC/SC: pcscd is not running")
        caller = _Caller(self._stuck.append)
        try:
            code, context = caller.call(
                lambda: scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM), deadline, "PC/SC"
            )
        except DriverError:
            caller.end(None)
            raise
        if code != scard.SCARD_S_SUCCESS:
            caller.end(None)
            raise DeviceAbsent("PC/SC: pcscd does not answer")
        return caller, context


class PcscPort:
    """A CardPort on one slot of pcscd."""

    def __init__(self, caller: _Caller, context: Any, name: str, clock: Clock) -> None:
        self._caller, self._context, self._name, self._clock = caller, context, name, clock
        self._state = scard.SCARD_STATE_UNAWARE
        self._present = self._came_again = False
        self._card: Any = None
        self._protocol = 0
        self._open = True

    @property
    def name(self) -> str:
        return self._name

    def look(self, deadline: Deadline) -> SlotEvent:
        """See CardPort. A card that went and came between two looks is told as both."""
        if self._came_again:
            self._came_again = False
            return CardPutIn()
        while True:
            state = self._new_state(int(deadline.remaining_s() * 1000), deadline)
            if state is None:
                return SlotUnchanged()
            event = self._event(state)
            # Other news (the first look, another program's connection) is none of ours.
            if event != SlotUnchanged() or deadline.remaining_s() <= 0:
                return event

    def _event(self, state: int) -> SlotEvent:
        was_present, self._present = self._present, bool(state & scard.SCARD_STATE_PRESENT)
        old, self._state = self._state, state & ~scard.SCARD_STATE_CHANGED
        if was_present and self._present:
            self._came_again = (old ^ state) & EVENT_COUNT != 0
            return CardTakenOut() if self._came_again else SlotUnchanged()
        if was_present == self._present:
            return SlotUnchanged()
        return CardPutIn() if self._present else CardTakenOut()

    def connect(self, deadline: Deadline) -> bytes:
        """See CardPort. Every connection begins with a reset, so that nothing is selected."""
        self.disconnect()
        doing = "connecting to the card"
        code, card, protocol = self._call(
            lambda: scard.SCardConnect(
                self._context,
                self._name,
                scard.SCARD_SHARE_SHARED,
                scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
            ),
            deadline,
            doing,
        )
        self._check(code, deadline, doing)
        self._card, self._protocol = card, protocol
        code, _, _, _, atr = self._call(lambda: scard.SCardStatus(card), deadline, doing)
        self._check(code, deadline, doing)
        return bytes(atr)

    def transmit(self, command: bytes, deadline: Deadline) -> bytes:
        """See CardPort."""
        if self._card is None:
            raise CardRemoved("no card is connected")
        card, protocol = self._card, self._protocol
        pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
        doing = "asking the card"
        code, answer = self._call(
            lambda: scard.SCardTransmit(card, pci, list(command)), deadline, doing
        )
        self._check(code, deadline, doing)
        if not answer:  # some readers call a broken-off command a success without a byte
            raise self._why_broken_off(deadline, f"{self._name}: {doing}")
        return bytes(octet & 0xFF for octet in answer)

    def disconnect(self) -> None:
        """See CardPort. The card is reset: nothing of this person's stays selected."""
        card, self._card = self._card, None
        if card is not None and not self._caller.stuck:
            deadline = Deadline.after(self._clock, 2.0)
            self._call(
                lambda: scard.SCardDisconnect(card, scard.SCARD_RESET_CARD), deadline, "parting"
            )

    def close(self) -> None:
        """See CardPort."""
        if not self._open:
            return
        self._open = False
        card, self._card, context = self._card, None, self._context

        def release() -> None:
            if card is not None:
                scard.SCardDisconnect(card, scard.SCARD_RESET_CARD)
            scard.SCardReleaseContext(context)

        self._caller.end(release)

    def _new_state(self, wait_ms: int, deadline: Deadline) -> int | None:
        """The slot's state once it differs from the last one; None: it did not in time."""
        asked = [(self._name, self._state)]
        code, states = self._call(
            lambda: scard.SCardGetStatusChange(self._context, wait_ms, asked),
            deadline,
            "looking at the slot",
            grace_s=CALL_GRACE_S,
        )
        if code == scard.SCARD_E_TIMEOUT:
            return None
        if code != scard.SCARD_S_SUCCESS:
            raise fault_of(code, f"{self._name}: looking at the slot")
        state: int = states[0][1]
        if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
            raise DeviceLost(f"{self._name}: the reader is gone")
        return state

    def _check(self, code: int, deadline: Deadline, doing: str) -> None:
        if code == scard.SCARD_S_SUCCESS:
            return
        doing = f"{self._name}: {doing}"
        if code in BROKEN_OFF:
            raise self._why_broken_off(deadline, doing)
        raise fault_of(code, doing)

    def _why_broken_off(self, deadline: Deadline, doing: str) -> DriverError:
        """The card was pulled, or it went silent: pcscd knows which at its next look."""
        wait_ms = min(SETTLE_MS, int(deadline.remaining_s() * 1000))
        asked = [(self._name, scard.SCARD_STATE_PRESENT | scard.SCARD_STATE_INUSE)]
        for _ in range(2):  # the first may tell of our own connection's end
            code, states = self._call(
                partial(scard.SCardGetStatusChange, self._context, wait_ms, asked),
                deadline,
                doing,
                grace_s=CALL_GRACE_S,
            )
            if code == scard.SCARD_S_SUCCESS and states[0][1] & scard.SCARD_STATE_EMPTY:
                return CardRemoved(f"{doing}: pulled in the middle of it")
            if code != scard.SCARD_S_SUCCESS:
                break
            asked = [(self._name, states[0][1])]
        return CardMute(f"{doing}: it broke off")

    def _call(
        self,
        act: Callable[[], ResultT],
        deadline: Deadline,
        doing: str,
        *,
        grace_s: float = 0.0,
    ) -> ResultT:
        if not self._open:
            raise DeviceLost(f"{self._name}: closed")
        waiting_for = f"answer from {self._name} while {doing}"
        return self._caller.call(act, deadline, waiting_for, grace_s=grace_s)


class _Caller:
    """One thread for the blocking calls of one context."""

    def __init__(self, on_stuck: Callable[[_Caller], None]) -> None:
        self._on_stuck = on_stuck
        self._acts: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._late: queue.SimpleQueue[Any] | None = None  # where the late call's result will be
        self._thread = threading.Thread(target=self._run, name="pcsc", daemon=True)
        self._thread.start()

    @property
    def stuck(self) -> bool:
        """Whether a call that nobody waits for any more has still not come back."""
        return self._late is not None and self._late.empty()

    def call(
        self,
        act: Callable[[], ResultT],
        deadline: Deadline,
        waiting_for: str,
        *,
        grace_s: float = 0.0,
    ) -> ResultT:
        """What `act` returns. DeadlineExceeded: it did not; the port is of no more use."""
        if self._late is not None:
            raise DeviceLost(f"no {waiting_for}: an earlier call is stuck")
        results: queue.SimpleQueue[ResultT] = queue.SimpleQueue()
        self._acts.put(lambda: results.put(act()))
        try:
            return results.get(timeout=deadline.remaining_s() + grace_s)
        except queue.Empty:
            self._late = results
            self._on_stuck(self)
            raise DeadlineExceeded(f"no {waiting_for} in time") from None

    def end(self, last: Callable[[], Any] | None) -> None:
        """Do `last` and end the thread; nobody waits for it."""
        if last is not None:
            self._acts.put(last)
        self._acts.put(None)

    def _run(self) -> None:
        while (act := self._acts.get()) is not None:
            act()


def _names(caller: _Caller, context: Any, deadline: Deadline) -> tuple[str, ...]:
    code, names = caller.call(
        lambda: scard.SCardListReaders(context, []), deadline, "list of readers"
    )
    if code == scard.SCARD_E_NO_READERS_AVAILABLE:
        return ()
    if code != scard.SCARD_S_SUCCESS:
        raise fault_of(code, "listing readers")
    return tuple(names)


def _one_of(names: tuple[str, ...], wanted: str) -> str:
    found = [name for name in names if name == wanted] or [
        name for name in names if name.startswith(wanted)
    ]
    if not found:
        raise DeviceAbsent(f"PC/SC: no reader {wanted}")
    if len(found) > 1:
        raise TransportError(f"PC/SC: {len(found)} readers begin with {wanted}")
    return found[0]
