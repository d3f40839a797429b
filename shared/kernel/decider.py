"""The decider: pure functions decide, one write path records (design section 1)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """What should wake an aggregate, and when (UTC): one row a (stream, kind)."""

    kind: str
    due_at: datetime
