"""Routes about routing: why a case went where it went, what would happen, and how the rules fare."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from services.dispatch.api.parameters import STORABLE, Reads
from services.dispatch.api.routing_views import (
    CaseRouting,
    Prediction,
    Question,
    RuleList,
    prediction_of,
    routing_of,
    rules_of,
)
from services.dispatch.domain.hypothesis import Hypothesis, Versions, suppose
from services.dispatch.domain.routing import route
from services.dispatch.domain.sight import sees_only
from shared.contracts.common import Actor, FieldProblem
from shared.kernel.errors import Refusal, Unreadable
from shared.web.after import After, wait_until_reached
from shared.web.authentication import Caller
from shared.web.problem import ProblemError, status_of


class CaseRoutingReads(Controller):
    """Why one case went where it went."""

    path = "/v1/cases/{case_id:uuid}/routing"
    tags = ("routing",)

    @get("/")
    async def read_routing(
        self, case_id: FromPath[UUID], actor: Caller, database: Reads, after: After = None
    ) -> CaseRouting:
        """Read every decision about who handles the case, with the rules that were considered, and in words."""
        await wait_until_reached(after, database.reached)
        found = await database.routing(case_id)
        if found is None or sees_only(actor) not in {None, found[0].case.opened.source}:
            raise ProblemError(status_of("unknown_case"), "unknown_case", f"There is no case {case_id}.")
        known, events = found
        return routing_of(known, events, database.city, await database.library())


class RoutingReads(Controller):
    """The rules in force, and what they would do."""

    path = "/v1/routing"
    tags = ("routing",)

    @post("/explanations", status_code=200)
    async def explain(self, data: JSONBody[Question], actor: Caller, database: Reads) -> Prediction:
        """Ask what would happen to a case. Nothing is changed: it may be asked again and needs no Idempotency-Key."""
        _refuse_sources(actor)
        asked = suppose(await database.library(), database.city, _hypothesis(data))
        if isinstance(asked, Refusal):
            raise Unreadable(asked.code, asked.detail, asked.errors)
        documents, matter = asked
        return prediction_of(route(documents, matter), documents.units[1])

    @get("/rules")
    async def list_rules(
        self,
        actor: Caller,
        database: Reads,
        system: Annotated[str | None, QueryParameter(description="Code system.", pattern=STORABLE)] = None,
        category: Annotated[str | None, QueryParameter(description="Code of the category.", pattern=STORABLE)] = None,
        since: Annotated[
            datetime | None, QueryParameter(description="Count cases opened since then; without it all.")
        ] = None,
    ) -> RuleList:
        """List the rules in force with how many cases each has decided, and in how many that was found wrong.

        Every case is looked at, or with `category` those of the category: ask seldom about all.
        """
        _refuse_sources(actor)
        if since is not None and since.tzinfo is None:
            missing = FieldProblem(field="since", code="timezone", message="Say the zone, such as Z or %2B08:00.")
            raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid_parameter", "An instant has a zone.", [missing])
        counts = await database.rule_counts(system=system, category=category, since=since)
        return rules_of(await database.library(), database.city, counts, system=system, category=category)


def _hypothesis(question: Question) -> Hypothesis:
    category, place, versions = question.category, question.place, question.versions
    return Hypothesis(
        system=category.system,
        code=category.code,
        condition=category.condition,
        street=place.street,
        community=place.community,
        target_type=question.target_type,
        at=question.at,
        versions=Versions(
            catalogue=versions.catalogue,
            units=versions.units,
            routing=versions.routing,
            calendar=versions.calendar,
            limit_policy=versions.limit_policy,
        ),
    )


def _refuse_sources(actor: Actor) -> None:
    if sees_only(actor) is not None:
        raise ProblemError(status_of("not_entitled"), "not_entitled_post", "A source sees its own cases alone.")
