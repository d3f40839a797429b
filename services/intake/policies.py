"""What events of dispatch mean for a report; pure, and never a refusal."""

from collections.abc import Mapping
from typing import Final

from services.intake.domain.telling import NEWS, CaseNews, TellOfCase
from shared.contracts.decisions import Delivery
from shared.contracts.validation import decode

_NEWS: Final[Mapping[str, type[CaseNews]]] = {news.type: news for news in NEWS}


def tell_of_case(delivery: Delivery) -> TellOfCase | None:
    """Return the command that news of a case becomes; whatever else happens to a case means nothing here: None.

    The id of a case is that of the report that opened it (design section 2).

    Raises:
        Unreadable: if the event is not what its type says.
    """
    news = _NEWS.get(delivery.event.type)
    if news is None:
        return None
    return TellOfCase(
        report_id=delivery.stream, case_sequence=delivery.sequence, news=decode(news, delivery.event.data)
    )
