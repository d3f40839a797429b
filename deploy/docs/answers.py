"""What policy commands and time are answered in every state of a case: the code itself is asked."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.dispatch.domain.acting import DISPATCH_ITSELF, Acting
from services.dispatch.domain.acts import merges
from services.dispatch.domain.case import CASE_STAGES, CaseStage, CaseState
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from shared.contracts.common import CategoryCode, Place
from shared.contracts.decisions import Context
from shared.contracts.dispatch import CaseOpened
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Limit, Units

_THIS: Final = UUID(int=1)
_OTHER: Final = UUID(int=2)
_AT: Final = datetime(2026, 11, 24, tzinfo=UTC)

QUESTIONS: Final[Mapping[str, tuple[MergeCommand, bool]]] = {
    "`AdmitMerge`": (AdmitMerge(case_id=_THIS, merged=_OTHER), False),
    "`AdmitMerge`, while it asks to be merged itself": (AdmitMerge(case_id=_THIS, merged=_OTHER), True),
    "`CompleteMerge`, asked for": (CompleteMerge(case_id=_THIS, master=_OTHER), True),
    "`CompleteMerge`, no longer asked for": (CompleteMerge(case_id=_THIS, master=_OTHER), False),
    "`AbandonMerge`": (AbandonMerge(case_id=_THIS, master=_OTHER, reason="closed"), True),
    "`ReleaseMerge`": (ReleaseMerge(case_id=_THIS, merged=_OTHER), False),
    "`LeaveVoidedMaster`": (LeaveVoidedMaster(case_id=_THIS, master=_OTHER), False),
}
"""What is asked, and whether the case asks at that time to be merged into the other one."""


def answers() -> Mapping[str, Mapping[CaseStage, str]]:
    """Return the names of the events with which every question is answered in every state."""
    return {
        question: {stage: _answer(stage, command, merging=merging) for stage in CASE_STAGES}
        for question, (command, merging) in QUESTIONS.items()
    }


def _answer(stage: CaseStage, command: MergeCommand, *, merging: bool) -> str:
    acting = Acting(city="", context=_context(), units_version=1, units=Units(units=(), sources=()))
    return " ".join(f"`{type(event).__name__}`" for event in merges.answer(_case(stage, merging), command, acting))


def _case(stage: CaseStage, merging: bool) -> CaseState:
    merged = stage == "merged"
    return CaseState(
        opened=_opened(),
        state=stage,
        revision=1,
        merging=_OTHER if merging else None,
        master=_OTHER if merged else None,
        merged_at=_AT if merged else None,
        before_merge="filed" if merged else None,
    )


def _opened() -> CaseOpened:
    return CaseOpened(
        at=_AT,
        by=DISPATCH_ITSELF,
        source="",
        category=CategoryCode(system="any", version=1, code="any", condition="any"),
        place=Place(longitude=0, latitude=0),
        observed_at=_AT,
        reported_at=_AT,
        filed_at=_AT,
        target_type="public_space",
        campaign=None,
        limit=Limit(amount=1, unit="working_day"),
        closing_condition_zh="",
        closing_condition_en="",
    )


def _context() -> Context:
    return Context(stream=_THIS, now=_AT, at=_AT, actor=DISPATCH_ITSELF, library=ReferenceLibrary({}))
