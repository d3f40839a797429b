"""What departments hear of their legs: one message on the unit's receipts topic for each change."""

from collections.abc import Sequence
from typing import Final, Literal

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.commands import Command
from services.dispatch.domain.legs import LegState
from shared.contracts.decisions import Publish
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
    TaskChanged,
)
from shared.contracts.registry import DISPATCH_RECEIPTS_PREFIX

Change = Literal[
    "assigned",
    "signed",
    "fed_back",
    "return_requested",
    "return_refused",
    "return_upheld",
    "waived",
    "rework",
    "closed",
]

CHANGES: Final[dict[type[CaseEvent], Change]] = {
    CaseDispatched: "assigned",
    LegSigned: "signed",
    LegFedBack: "fed_back",
    LegReturnRequested: "return_requested",
    LegReturnRefused: "return_refused",
    LegReturnUpheld: "assigned",
    LegWaived: "waived",
    CaseChecked: "rework",
    CaseClosed: "closed",
}
"""What the event means for the units of the legs that it concerns; events that are not here concern no leg."""


def task_messages(case: CaseState, event: CaseEvent, command: Command) -> Sequence[Publish]:
    """Return the messages that tell units of the event; `case` is the state after it.

    Only units that handle cases have legs, and each of them has topics, so every message has a reader.
    """
    messages = [_message(case, event, command, leg, CHANGES[type(event)], leg.unit) for leg in _concerned(case, event)]
    if isinstance(event, LegReturnUpheld):
        messages += [
            _message(case, event, command, leg, "return_upheld", event.unit) for leg in _concerned(case, event)
        ]
    key = str(command.case_id).encode()
    return [
        Publish(topic=f"{DISPATCH_RECEIPTS_PREFIX}{message.unit}", key=key, message=message) for message in messages
    ]


def _concerned(case: CaseState, event: CaseEvent) -> list[LegState]:
    if type(event) not in CHANGES:
        return []
    match event:
        case CaseDispatched() | CaseClosed():
            return list(case.legs)
        case CaseChecked():
            return [leg for leg in case.legs if leg.leg in event.rework]
        case _:
            number = getattr(event, "leg", None)
            return [leg for leg in case.legs if leg.leg == number]


def _message(
    case: CaseState, event: CaseEvent, command: Command, leg: LegState, change: Change, unit: str
) -> TaskChanged:
    return TaskChanged(
        change=change,
        case_id=command.case_id,
        leg=leg.leg,
        unit=unit,
        role=leg.role,
        limit=leg.limit,
        revision=leg.revision,
        category=case.opened.category,
        place=case.opened.place,
        closing_condition_zh=case.opened.closing_condition_zh,
        closing_condition_en=case.opened.closing_condition_en,
        at=event.at,
        reason=leg.reason,
    )
