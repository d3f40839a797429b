"""并案: what two cases say when one goes on as the other; each is the other's answer (design section 2)."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.clocks import MovedClock
from shared.contracts.common import Event, Message

MergeObstacle = Literal["closed", "voided", "merged", "merging"]
"""Why a case cannot take another one on: it is no longer open, or it goes, or asks to go, into a third (no chains)."""
MergeAsk = Literal["admit", "complete", "abandon", "release", "leave"]
"""What a case asks of another: to carry it, to come, to stay, to let it go, to leave because it is void itself."""


class CaseMergeRequested(Event, frozen=True, kw_only=True):
    """提请并案: this case says the same as `master`, which has not answered yet."""

    type: ClassVar[str] = "jointenforcement.case.merge_requested.v1"
    master: UUID
    reason: str


class CaseMergeAdmitted(Event, frozen=True, kw_only=True):
    """The master takes `merged` on."""

    type: ClassVar[str] = "jointenforcement.case.merge_admitted.v1"
    merged: UUID


class CaseMergeDeclined(Event, frozen=True, kw_only=True):
    """The master cannot take `merged` on; nothing of it changed."""

    type: ClassVar[str] = "jointenforcement.case.merge_declined.v1"
    merged: UUID
    reason: MergeObstacle


class CaseMerged(Event, frozen=True, kw_only=True):
    """并案: the case goes on as `master`; its reporters follow."""

    type: ClassVar[str] = "jointenforcement.case.merged.v1"
    master: UUID


class CaseMergeAbandoned(Event, frozen=True, kw_only=True):
    """The merge did not happen: the master declined, or, where `admitted`, this case had moved on meanwhile."""

    type: ClassVar[str] = "jointenforcement.case.merge_abandoned.v1"
    master: UUID
    reason: str
    admitted: bool


class CaseUnmerged(Event, frozen=True, kw_only=True):
    """撤销并案: the case goes on from its state before the merge.

    `resumed` are its clocks as they go on: the time that it was merged is a pause.
    """

    type: ClassVar[str] = "jointenforcement.case.unmerged.v1"
    master: UUID
    reason: str
    resumed: tuple[MovedClock, ...] = ()


class CaseMergeReleased(Event, frozen=True, kw_only=True):
    """The master no longer carries `merged`."""

    type: ClassVar[str] = "jointenforcement.case.merge_released.v1"
    merged: UUID


class MergeAsked(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What `asking` asks of the case `case_id`, with the event that it follows from, on dispatch's own topic.

    It is answered by an event on `dispatch.cases`, in every state. `obstacle` is why a merge is to be abandoned.
    """

    type: ClassVar[str] = "jointenforcement.merge.asked.v1"
    case_id: UUID
    asking: UUID
    asks: MergeAsk
    obstacle: MergeObstacle | None = None
