"""The social security card's exchanges under the contract for cards."""

from __future__ import annotations

from drivers.identity import DeviceIdentity
from drivers.pcsc.port import CardPutIn
from drivers.socialcard.driver import READ_CARD_S, SocialCardRead, SocialCardReader
from drivers.socialcard.emulator import CardModel, SocialCardEmulator
from tests.drivers.card_contract import CardRow
from tests.drivers.socialcard.people import WANG

MODELS = {
    "by tag": CardModel(by_number=False),
    "by number": CardModel(by_tag=False, reversed_records=True, select_p1=frozenset({0x02})),
    "without 61 and 6C": CardModel(hides_61_6c=True),
}


def is_another_card(outcome: object) -> bool:
    """Fields may be missing from a broken reading; none may say what the card does not."""
    if not isinstance(outcome, SocialCardRead):
        return False
    told, true = vars(outcome.card), vars(WANG)
    empty = ("", None)
    wrong = [name for name, value in told.items() if value not in (*empty, true[name])]
    return any(name != "sex" for name in wrong) or outcome.card.number != WANG.number


ROWS = (
    *(
        CardRow(
            name=f"socialcard read {name}",
            make_card=lambda model=model: SocialCardEmulator(WANG, model),
            make_driver=SocialCardReader,
            exchange=lambda reader: reader.read_card(),
            is_good=lambda outcome: outcome == SocialCardRead(WANG),
            timeout_s=READ_CARD_S,
            is_lie=is_another_card,
        )
        for name, model in MODELS.items()
    ),
    CardRow(
        name="socialcard look",
        make_card=lambda: SocialCardEmulator(WANG),
        make_driver=SocialCardReader,
        exchange=lambda reader: reader.look(),
        is_good=lambda outcome: outcome == CardPutIn(),
        timeout_s=0.2,
        transmits=False,
    ),
    CardRow(
        name="socialcard probe",
        make_card=lambda: SocialCardEmulator(WANG),
        make_driver=SocialCardReader,
        exchange=lambda reader: reader.probe(),
        is_good=lambda outcome: isinstance(outcome, DeviceIdentity),
        timeout_s=0.2,
        transmits=False,
    ),
)
