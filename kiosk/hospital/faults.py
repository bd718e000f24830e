"""Faults between terminal and gateway, in the same form as the drivers' tree.

    HospitalError
    ├── HospitalUnreachable     nothing was sent: the work may be done another way
    │   └── HospitalBusy        nothing was done; it says when to come again
    ├── HospitalAnsweredBadly   an answer came and makes no sense; nothing of it is used
    ├── HospitalRefused         the gateway understood and will not (its words are for staff)
    └── HospitalOutcomeUnknown  sent, not answered: never repeated with another key, only asked

A change sent again with the same key is asking: the gateway gives its first answer again.
"""


class HospitalError(Exception):
    """The hospital could not be asked, or not understood."""


class HospitalUnreachable(HospitalError):
    """No byte of the request left."""


class HospitalBusy(HospitalUnreachable):
    """Nothing was done: too many are asking. `wait_s`: not before that."""

    def __init__(self, words: str, wait_s: float) -> None:
        super().__init__(words)
        self.wait_s = wait_s


class HospitalAnsweredBadly(HospitalError):
    """Not the contract's answer: schema, patient or amount differ."""


class HospitalRefused(HospitalError):
    """A 4xx other than an expected reply."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"refused with {status}: {code}")
        self.status, self.code = status, code


class HospitalOutcomeUnknown(HospitalError):
    """The request left, the answer did not come."""
