"""What can be asked of a report: the commands, of which most acts are also the bodies of HTTP requests."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from services.intake.domain.merging import MergeCommand
from services.intake.domain.telling import TellOfCase
from shared.contracts.common import Code, Digest, Instant, Number, ShortText, Slug
from shared.contracts.intake import (
    RejectionReason,
    ReportSubmission,
    Stranger,
    SubmittedCategory,
    VerificationResult,
)

Channel = Literal["topic", "http"]
"""The door by which a report came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Report a problem under a new id. The client that acts is the source. `salt` is random (see `contents`)."""

    report_id: UUID
    channel: Channel
    submission: ReportSubmission
    salt: bytes


class Act(Stranger, frozen=True, kw_only=True):
    """An act on a report.

    `expected_revision` is that of the report; where it is given and stale, the act is refused with the current one.
    """

    expected_revision: Number | None = None


class PlaceCorrection(Stranger, frozen=True, kw_only=True):
    """The parts of a place that are to be set; what is absent stays as it was reported."""

    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    street: Annotated[str, Meta(pattern="^[0-9]{9}$")] | None = None
    community: Annotated[str, Meta(pattern="^[0-9]{12}$")] | None = None
    grid: Code | None = None


class Complete(Act, frozen=True, kw_only=True):
    """补正: an acceptor adds or corrects category and place of a waiting report, until nothing is missing."""

    category: SubmittedCategory | None = None
    place: PlaceCorrection | None = None


class AssignVerification(Act, frozen=True, kw_only=True):
    """派核实, 改派: an acceptor lets a unit with collectors look on site whether the problem is there."""

    unit: Slug


class Verify(Act, frozen=True, kw_only=True):
    """核实: a collector of that unit says what is there. `evidence` are digests of photos that the unit keeps."""

    result: VerificationResult
    finding: ShortText
    evidence: Annotated[tuple[Digest, ...], Meta(max_length=20)] = ()


class Accept(Act, frozen=True, kw_only=True):
    """受理: an acceptor finds the report complete and ours; `reason` is due where the verification found nothing."""

    reason: ShortText | None = None


class File(Act, frozen=True, kw_only=True):
    """立案: a duty leader finds a filing condition met."""


class Reject(Act, frozen=True, kw_only=True):
    """不予受理 (by an acceptor, before acceptance, verified or not) or 不予立案 (by a duty leader, after it)."""

    reason_code: RejectionReason
    reason: ShortText


class Merge(Act, frozen=True, kw_only=True):
    """提请并案: an acceptor or a duty leader finds that a waiting report says the same as `master`, which answers."""

    report_id: UUID
    master: UUID
    reason: ShortText


class Forget(Act, frozen=True, kw_only=True):
    """Forget what may have to be forgotten (I-14), in every state of the report."""

    reason: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class FireClocks:
    """Let the report's clock tell everything that is due by `due_at`; a wake asks for it. Answered in every state."""

    due_at: Instant


@dataclass(frozen=True, slots=True)
class RecomputeClocks:
    """A newer calendar or limit policy is in force than the report's running clock rests on.

    Answered in every state.
    """


OrdinaryAct = Complete | AssignVerification | Verify | Accept | File | Reject | Merge | Forget
Command = Submit | OrdinaryAct | MergeCommand | TellOfCase | FireClocks | RecomputeClocks
