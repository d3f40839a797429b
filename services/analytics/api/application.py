"""The HTTP application of analytics: its routes and what their handlers ask for."""

from collections.abc import Sequence
from typing import Final

from litestar import Litestar
from litestar.di import Provide

from services.analytics.api.indicators import Indicators
from services.analytics.api.rows import Cases, Legs
from services.analytics.domain.names import Names, names_in
from services.analytics.queries import ReadModel
from shared.contracts.asyncapi import asyncapi_document
from shared.ledger.references import References
from shared.observability.health import Health
from shared.web.application import About, Lifespan, build_application
from shared.web.authentication import TokenVerifier

VERSION: Final = "1.0.0"
_DESCRIPTION: Final = (
    "Counts what intake and dispatch published: the cumulative closure rate (累计办结率), "
    "and the cases behind every figure. Any valid token may read."
)


def build(
    read_model: ReadModel,
    references: References,
    *,
    city: str,
    verifier: TokenVerifier,
    health: Health,
    lifespan: Sequence[Lifespan] = (),
) -> Litestar:
    """Return the application on this read model; names come from the reference documents of `city`."""

    async def provide_names() -> Names:
        return names_in(await references.refresh(), city)

    async def provide_read_model() -> ReadModel:
        return read_model

    about = About(
        title="Joint analytics (统计评价)",
        version=VERSION,
        description=_DESCRIPTION,
        asyncapi=asyncapi_document("analytics", VERSION),
    )
    return build_application(
        about,
        [Indicators, Cases, Legs],
        verifier=verifier,
        health=health,
        dependencies={
            "names": Provide(provide_names),
            "read_model": Provide(provide_read_model),
        },
        lifespan=lifespan,
    )
