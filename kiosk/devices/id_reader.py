"""The ID card reader as a port: polled while a page wants cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from drivers import errors
from drivers.idcard import card as card_text
from drivers.idcard import driver as idcard
from drivers.idcard.reader import IdReader
from kiosk.devices.faults import fault_of
from kiosk.domain.identity import Credential, DocumentKind, Identity, Sex
from kiosk.flows.effects import (
    Effect,
)
from kiosk.flows.events import (
    CardLaid,
    CardRead,
    CardTrouble,
)
from kiosk.ports import Listen, Part, Told


class IdReaderDevice:
    """An ID card reader: polled while a page wants cards."""

    part: Part = "id_reader"
    pause_s = 0.3  # PROTOCOLS §1.6: find every 300 ms

    LOOK_EVERY = 10  # attends without a wish for cards between two looks: 3 s

    def __init__(self, connect: Callable[[], IdReader]) -> None:
        self._connect = connect
        self._reader: IdReader | None = None
        self._troubled = False
        self._attended = 0

    def open(self) -> Iterator[Told]:
        try:
            self._reader = self._connect()
            self._reader.probe()
        except errors.DriverError as fault:
            raise fault_of(fault) from fault
        yield from ()

    def attend(self, listen: Listen) -> Iterator[Told]:
        assert self._reader is not None
        self._attended += 1
        try:
            if listen.cards:
                yield from self._look(self._reader)
            elif self._attended % self.LOOK_EVERY == 0:  # or a pulled cable is seen by a patient
                self._reader.probe()
        except errors.CardRemoved:
            yield from self._trouble("card_removed")
        except errors.ProtocolError:
            yield from self._trouble("card_unreadable")
        except errors.DriverError as fault:
            raise fault_of(fault) from fault

    def _look(self, reader: IdReader) -> Iterator[Told]:
        if isinstance(reader.find(), idcard.CardAbsent):
            self._troubled = False
            return
        if not self._troubled:
            yield CardLaid()
        match reader.read_card():
            case idcard.CardRead(card) if not card.number.strip():
                yield from self._trouble("card_unreadable")
            case idcard.CardRead(card):
                self._troubled = False
                yield CardRead(identity_of(card))
            case idcard.PutAgain(idcard.PutAgainReason.LIFTED):
                yield from self._trouble("card_removed")
            case idcard.PutAgain(idcard.PutAgainReason.UNREADABLE):
                yield from self._trouble("card_unreadable")
            case idcard.PutAgain() | idcard.CardAbsent():
                yield from self._trouble("put_again")

    def _trouble(self, code: str) -> Iterator[Told]:
        """Said once until the card is gone: one that is left lying is nobody's sign of life."""
        if not self._troubled:
            self._troubled = True
            yield CardTrouble(code)

    def perform(self, effect: Effect) -> Iterable[Told]:
        raise AssertionError(f"an ID card reader carries out no {type(effect).__name__}")

    def absent(self, effect: Effect) -> Iterable[Told]:
        return ()

    def interrupt(self, effect: Effect) -> bool:
        return False

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


_KINDS = {
    card_text.Layout.RESIDENT: DocumentKind.RESIDENT,
    card_text.Layout.PERMIT_HK_MO_TW: DocumentKind.HK_MACAU_TAIWAN,
    card_text.Layout.FOREIGN_2017: DocumentKind.FOREIGN_RESIDENT,
    card_text.Layout.FOREIGN_2023: DocumentKind.FOREIGN_RESIDENT,
}
_SEXES = {card_text.Sex.MALE: Sex.MALE, card_text.Sex.FEMALE: Sex.FEMALE}


def identity_of(card: card_text.CardText) -> Identity:
    """What the flows learn of a card: neither address nor authority nor photo."""
    return Identity(
        kind=_KINDS[card.layout],
        number=card.number,
        name=card.name or card.english_name,
        credential=Credential.ID_CARD,
        born=card.birth,
        sex=_SEXES.get(card.sex, Sex.UNKNOWN),
        valid_to=card.valid_to,
    )
