"""The events that are about a case's own part, and not about one of its legs."""

from shared.contracts.adjustments import (
    CaseCheckAssigned,
    CaseEscalated,
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMerged,
    CaseMergeDeclined,
    CaseMergeReleased,
    CaseMergeRequested,
    CaseReopened,
    CaseSupervised,
    CaseUnmerged,
    CaseVoided,
    CaseVoidProposed,
    CaseVoidRefused,
)
from shared.contracts.dispatch import CaseChecked, CaseClosed, CaseOpeningDeclined, CaseRoutingFailed

EndEvent = CaseCheckAssigned | CaseChecked | CaseClosed | CaseReopened | CaseVoidProposed | CaseVoidRefused | CaseVoided
MergeEvent = (
    CaseMergeRequested
    | CaseMergeAdmitted
    | CaseMergeDeclined
    | CaseMerged
    | CaseMergeAbandoned
    | CaseUnmerged
    | CaseMergeReleased
)
OversightEvent = CaseSupervised | CaseEscalated
OwnEvent = CaseOpeningDeclined | CaseRoutingFailed | EndEvent | OversightEvent | MergeEvent
