"""The ways from state to state, as a table: what an act, another case or time makes of a case and of a leg.

`decide` and `evolve` do not read it: a test walks them and finds these ways, and no others. What stays has no way.
"""

from collections.abc import Mapping
from typing import Final

from services.dispatch.domain.adjustments import (
    DecideLegSuspension,
    DecideVoid,
    FireClocks,
    ReopenCase,
    UnmergeCase,
)
from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.commands import (
    AddLegs,
    AssignCheck,
    CheckCase,
    CloseCase,
    Command,
    DecideLegReturn,
    DispatchCase,
    OpenCase,
    RuleLeg,
    SendLegBack,
    WaiveLeg,
)
from services.dispatch.domain.legs import LegStage
from services.dispatch.domain.merging import CompleteMerge, LeaveVoidedMaster
from services.dispatch.domain.rectifying import RectificationStage
from shared.contracts.adjustments import ResumeLeg
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)

CaseWay = tuple[CaseStage | None, CaseStage]
LegWay = tuple[LegStage | None, LegStage]
RectificationWay = tuple[RectificationStage, RectificationStage]

CASE_WAYS: Final[Mapping[type[Command], frozenset[CaseWay]]] = {
    OpenCase: frozenset({(None, "filed"), (None, "dispatched")}),
    DispatchCase: frozenset({("filed", "dispatched")}),
    SignLeg: frozenset({("dispatched", "handling")}),
    FireClocks: frozenset({("dispatched", "handling")}),
    RequestLegReturn: frozenset({("dispatched", "handling")}),
    DecideLegReturn: frozenset({("handling", "dispatched"), ("handling", "feedback"), ("handling", "checking")}),
    RuleLeg: frozenset({("handling", "dispatched")}),
    FeedBackLeg: frozenset({("handling", "feedback"), ("handling", "checking")}),
    WaiveLeg: frozenset({("handling", "dispatched"), ("handling", "feedback"), ("handling", "checking")}),
    SendLegBack: frozenset({("feedback", "handling"), ("checking", "handling")}),
    AssignCheck: frozenset({("feedback", "checking")}),
    CheckCase: frozenset({("checking", "checked"), ("checking", "handling")}),
    CloseCase: frozenset({("checked", "closed"), ("feedback", "closed")}),
    ReopenCase: frozenset({("closed", "handling")}),
    DecideVoid: frozenset({("filed", "voided"), ("dispatched", "voided"), ("handling", "voided")}),
    CompleteMerge: frozenset({("filed", "merged"), ("dispatched", "merged"), ("handling", "merged")}),
    UnmergeCase: frozenset({("merged", "filed"), ("merged", "dispatched"), ("merged", "handling")}),
    LeaveVoidedMaster: frozenset({("merged", "filed"), ("merged", "dispatched"), ("merged", "handling")}),
}
LEG_WAYS: Final[Mapping[type[Command], frozenset[LegWay]]] = {
    OpenCase: frozenset({(None, "assigned")}),
    DispatchCase: frozenset({(None, "assigned"), ("waived", "assigned")}),
    AddLegs: frozenset({(None, "assigned")}),
    SignLeg: frozenset({("assigned", "handling")}),
    FireClocks: frozenset({("assigned", "handling"), ("suspended", "handling")}),
    RequestLegReturn: frozenset({("assigned", "return_pending"), ("handling", "return_pending")}),
    DecideLegReturn: frozenset(
        {("return_pending", "assigned"), ("return_pending", "handling"), ("return_pending", "waived")}
    ),
    RuleLeg: frozenset({("handling", "assigned")}),
    DecideLegSuspension: frozenset({("handling", "suspended")}),
    ResumeLeg: frozenset({("suspended", "handling")}),
    FeedBackLeg: frozenset({("handling", "fed_back")}),
    WaiveLeg: frozenset(
        {("assigned", "waived"), ("handling", "waived"), ("return_pending", "waived"), ("suspended", "waived")}
    ),
    SendLegBack: frozenset({("fed_back", "handling")}),
    CheckCase: frozenset({("fed_back", "handling")}),
    ReopenCase: frozenset({("fed_back", "handling")}),
}
RECTIFICATION_WAYS: Final[Mapping[type[Command], frozenset[RectificationWay]]] = {
    OrderRectification: frozenset({("none", "ordered"), ("not_cleared", "ordered"), ("cleared", "ordered")}),
    ClaimRectification: frozenset({("ordered", "claimed")}),
    RecordReinspection: frozenset(
        {
            *(("ordered", "cleared"), ("claimed", "cleared"), ("enforced", "cleared")),
            *(("ordered", "not_cleared"), ("claimed", "not_cleared"), ("enforced", "not_cleared")),
        }
    ),
    RecordEnforcement: frozenset({("not_cleared", "enforced")}),
}
"""The legal track of a leg. That another unit takes the leg over ends it too, where nothing is ordered."""
