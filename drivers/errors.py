"""Faults of devices: one small tree, so that a worker can tell what to do from the class alone.

    DriverError
    ├── TransportError          the bytes did not travel
    │   ├── DeviceAbsent        nothing there to open
    │   ├── DeviceLost          it was there and went away
    │   ├── DeviceBusy          someone else holds the port
    │   └── DeadlineExceeded    no (whole) answer in time
    ├── ProtocolError           the bytes make no sense
    ├── DeviceRefused           the device understood and cannot
    │   ├── PaperOut
    │   ├── CoverOpen
    │   ├── PaperJammed
    │   ├── CardRemoved
    │   ├── CardReset
    │   └── CardMute
    └── OutcomeUnknown          sent, not answered: never retried, only asked about

Expected outcomes (no card, declined) are values of each driver, not exceptions.
"""


class DriverError(Exception):
    """A device could not do what it was asked; nothing else escapes from drivers."""


class TransportError(DriverError):
    """The bytes did not travel."""


class DeviceAbsent(TransportError):
    """There is nothing to open under this name."""


class DeviceLost(TransportError):
    """The device was open and went away."""


class DeviceBusy(TransportError):
    """Another program holds the port."""


class DeadlineExceeded(TransportError):
    """No answer, or not the whole of it, within the exchange's deadline."""


class ProtocolError(DriverError):
    """What came is not in the manual."""


class DeviceRefused(DriverError):
    """The device understood and cannot do it now."""


class PaperOut(DeviceRefused):
    """No paper; a person must put some in."""


class CoverOpen(DeviceRefused):
    """A cover or the print head is open."""


class PaperJammed(DeviceRefused):
    """Paper is stuck; a person must look."""


class CardRemoved(DeviceRefused):
    """The card went away in the middle of a reading."""


class CardReset(DeviceRefused):
    """The card lost its power or another program reset it: what was selected is forgotten."""


class CardMute(DeviceRefused):
    """Something is in the slot and does not answer: the wrong way round, or no chip card."""


class OutcomeUnknown(DriverError):
    """A command that changes the world was sent and not answered: ask, never repeat."""
