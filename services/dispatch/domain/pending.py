"""What of a case's own part waits for somebody: its check, a proposal to void it, a supervision."""

from datetime import datetime
from typing import Literal

from shared.contracts.adjustments import VoidReason
from shared.contracts.clocks import Clock
from shared.contracts.common import Actor, Message


class AssignedCheck(Message, frozen=True, kw_only=True):
    """核查任务: only collectors of this unit check."""

    unit: str
    assigned_at: datetime
    clock: Clock | None = None


class VoidProposal(Message, frozen=True, kw_only=True):
    """提请作废 that nobody has decided yet."""

    by: Actor
    proposed_at: datetime
    reason: VoidReason
    ground: str


class Supervision(Message, frozen=True, kw_only=True):
    """督办; `answered` are the legs whose units have answered it."""

    by: Actor
    supervised_at: datetime
    reason: str
    reply_by: datetime | None = None
    answered: tuple[int, ...] = ()


class Appeal(Message, frozen=True, kw_only=True, omit_defaults=True):
    """申诉 of a leg's unit. `upheld_by` is the first reviewer, where the first upheld it."""

    appealed_at: datetime
    ground: str
    upheld_by: Actor | None = None
    decision: Literal["upheld", "rejected"] | None = None
