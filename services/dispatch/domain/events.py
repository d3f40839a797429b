"""The events that are about a case's own part, and not about one of its legs."""

from shared.contracts.adjustments import (
    CaseCheckAssigned,
    CaseEscalated,
    CaseReopened,
    CaseSupervised,
    CaseVoided,
    CaseVoidProposed,
    CaseVoidRefused,
)
from shared.contracts.dispatch import CaseChecked, CaseClosed, CaseOpeningDeclined, CaseRoutingFailed
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMerged,
    CaseMergeDeclined,
    CaseMergeReleased,
    CaseMergeRequested,
    CaseUnmerged,
)

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
