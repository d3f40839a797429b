"""The routes of reports: submit, read, and the acts of the supervision centre."""

import os
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from services.intake.api.bodies import Merging
from services.intake.api.examples import act
from services.intake.api.views import ReportPage, ReportView, clocks_of, content_of, summary
from services.intake.api.writing import Calling
from services.intake.domain.commands import (
    Accept,
    AssignVerification,
    Complete,
    File,
    Forget,
    Merge,
    Reject,
    Submit,
    Verify,
)
from services.intake.domain.contents import SALT_BYTES
from services.intake.domain.entitlement import POSTS, may_read_contact, may_read_content, sees_only
from services.intake.domain.report import Status
from services.intake.queries import KnownReport, ReportFilter, ReportQueries
from shared.contracts.common import Actor, Answer, FieldProblem
from shared.contracts.intake import ReportSubmission
from shared.kernel.identifiers import new_id
from shared.web.after import After, wait_until_reached
from shared.web.answers import respond
from shared.web.authentication import Caller
from shared.web.clockviews import Watch
from shared.web.problem import Problem, ProblemError

_STORABLE: Final = r"^[^\x00]{1,200}$"
"""PostgreSQL holds no U+0000, not even to look for it."""

Reply = Response[Answer] | Response[Problem]
ReportId = FromPath[UUID]
Reads = NamedDependency[ReportQueries]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=200, description="The most reports on the page.")]
Cursor = Annotated[UUID | None, QueryParameter(name="cursor", description="`next` of the page before.")]

# ---------------------------------------------------------------------------------------------------- reading


async def provide_wanted(
    actor: Caller,
    status: Annotated[Status | None, QueryParameter(name="state")] = None,
    source: Annotated[str | None, QueryParameter(description="Code of the source.", pattern=_STORABLE)] = None,
    street: Annotated[str | None, QueryParameter(description="9-digit code.", pattern=_STORABLE)] = None,
    category: Annotated[str | None, QueryParameter(description="Code of the category.", pattern=_STORABLE)] = None,
    campaign: Annotated[str | None, QueryParameter(description="Its code.", pattern=_STORABLE)] = None,
    verify_unit: Annotated[str | None, QueryParameter(description="Is to verify 核实.", pattern=_STORABLE)] = None,
) -> ReportFilter:
    """Give the list what is asked for; a source sees its own reports only.

    Raises:
        ProblemError: 403 `not_entitled_source`, when it asks for another's.
    """
    own = sees_only(actor)
    if own is not None and source not in {None, own}:
        raise ProblemError(HTTPStatus.FORBIDDEN, "not_entitled_source", "A source sees its own reports only.")
    return ReportFilter(
        state=status,
        source=own or source,
        street=street,
        category=category,
        campaign=campaign,
        verify_unit=verify_unit,
    )


@get("/v1/reports", dependencies={"wanted": Provide(provide_wanted)})
async def list_reports(
    wanted: NamedDependency[ReportFilter], queries: Reads, limit: Limit = 50, cursor: Cursor = None, after: After = None
) -> ReportPage:
    """List reports, newest first, without their private content."""
    await wait_until_reached(after, queries.reached)
    found, following = await queries.page(wanted, limit=limit, before=cursor)
    return ReportPage(items=tuple(map(summary, found)), next=following)


@get("/v1/reports/{report_id:uuid}")
async def read_report(report_id: ReportId, actor: Caller, queries: Reads, after: After = None) -> ReportView:
    """Read a report with its clocks.

    Its private content is for acceptor, duty leader, leader, administrator and its source; all but the contact also for
    a collector of the unit that is to verify it 核实, while it is to.
    """
    await wait_until_reached(after, queries.reached)
    known = await queries.find(report_id)
    if known is None or sees_only(actor) not in {None, known.report.source}:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown_report", f"There is no report {report_id}.")
    return await _view(known, actor, queries)


async def _view(known: KnownReport, actor: Actor, queries: ReportQueries) -> ReportView:
    now, library = await queries.as_of()
    facts = summary(known)
    clocks = clocks_of(known, Watch(now=now, library=library, city=queries.city))
    if not may_read_content(actor, known.report):
        return ReportView(report=facts, clocks=clocks, content_state="withheld")
    private = await queries.content(known.id)
    if private is None:
        return ReportView(report=facts, clocks=clocks, content_state="forgotten")
    content = content_of(private, with_contact=may_read_contact(actor, known.report))
    return ReportView(report=facts, clocks=clocks, content_state="shown", content=content)


# ---------------------------------------------------------------------------------------------------- writing


@post("/v1/reports", status_code=HTTPStatus.CREATED)
async def submit_report(data: JSONBody[ReportSubmission], call: Calling) -> Reply:
    """Report a problem. The token's client must be a source of the city; `subject` of the answer is the report."""
    report_id = new_id()
    submit = Submit(report_id=report_id, channel="http", submission=data, salt=os.urandom(SALT_BYTES))
    return respond(await call.ask(report_id, submit), created=True)


@act("complete", Complete)
async def complete_report(report_id: ReportId, data: JSONBody[Complete], call: Calling) -> Reply:
    """补正: add or correct category and place of a report that waits (acceptor)."""
    return respond(await call.ask(report_id, data))


@act("assign-verification", AssignVerification)
async def assign_verification(report_id: ReportId, data: JSONBody[AssignVerification], call: Calling) -> Reply:
    """派核实, 改派: let a unit's collectors look whether what the public reports is there (acceptor)."""
    return respond(await call.ask(report_id, data))


@act("verify", Verify)
async def verify_report(report_id: ReportId, data: JSONBody[Verify], call: Calling) -> Reply:
    """核实: say what is there (a collector of the unit that is to look)."""
    return respond(await call.ask(report_id, data))


@act("accept", Accept)
async def accept_report(report_id: ReportId, data: JSONBody[Accept], call: Calling) -> Reply:
    """受理: the report is complete and ours (acceptor); with a reason, where a verification found nothing."""
    return respond(await call.ask(report_id, data))


@act("file", File)
async def file_report(report_id: ReportId, data: JSONBody[File], call: Calling) -> Reply:
    """立案: the report becomes a case (duty leader)."""
    return respond(await call.ask(report_id, data))


@act("reject", Reject)
async def reject_report(report_id: ReportId, data: JSONBody[Reject], call: Calling) -> Reply:
    """不予受理 (acceptor) or 不予立案 (duty leader)."""
    return respond(await call.ask(report_id, data))


@act("merge", Merge)
async def merge_report(report_id: ReportId, data: JSONBody[Merging], call: Calling, queries: Reads) -> Reply:
    """并案 into a report that exists and says the same (acceptor, duty leader); that one answers a moment later."""
    # What was seen once stays: a report never goes away, so this is no race with the decision. Whoever may not merge is
    # told that by the decision, and not which reports there are.
    if call.actor.post in POSTS[Merge] and not await queries.exists(data.master):
        detail = f"There is no report {data.master} to merge this one into."
        missing = FieldProblem(field="master", code="unknown_report", message=detail)
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown_report", detail, [missing])
    return respond(await call.ask(report_id, data.of(report_id)))


@act("forget", Forget)
async def forget_report(report_id: ReportId, data: JSONBody[Forget], call: Calling) -> Reply:
    """Forget text, address, contact and photos, here and wherever they were copied (leader, administrator)."""
    return respond(await call.ask(report_id, data))


ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    list_reports,
    read_report,
    submit_report,
    complete_report,
    assign_verification,
    verify_report,
    accept_report,
    file_report,
    reject_report,
    merge_report,
    forget_report,
)
