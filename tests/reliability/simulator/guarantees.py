"""The guarantees that the model can do without, one at a time, so that the simulator shows that it can fail."""

from enum import Enum
from typing import Final


class Guarantee(Enum):
    """What is taken away from the model (never from the product); the value says it in a trace."""

    POSITION_KEPT = "no position is kept: every record may be taken again"
    TOPIC_IN_POSITION = "positions and held messages are found by consumer and stream alone"
    ROW_LOCK = "FOR UPDATE locks nothing"
    STATE_AFTER_LOCK = "a waiter gets the row as it was before its wait"
    UNIQUE_KEYS = "no key is unique"
    REQUEST_KEPT = "no request is kept: every repeat is new"
    OUTBOX_IN_TRANSACTION = "the outbox is written by a transaction of its own, before the other commits"
    OUTBOX_AFTER_COMMIT = "the outbox is written by a transaction of its own, after the other has committed"
    ATOMIC_COMMIT = "a crash may leave the first half of a commit"
    ACKNOWLEDGE_AFTER_COMMIT = "a batch is acknowledged before it is handled"
    PUT_BACK = "a batch that found our database away is not put back"
    ONE_ACTIVE_RELAY = "neither the lease nor the locks of a round keep a second relay out"
    DELETE_WHAT_WAS_ACKNOWLEDGED = "a round deletes all of its rows, whatever the broker acknowledged"
    STOP_AT_FAILED_BATCH = "a partition goes on after a batch that failed"
    BISECTING = "what the database refuses is taken for its absence"
    GAP_WAITS = "what lies behind a gap is not held"
    DUE_LOOKED_AT_AGAIN = "a wake fires whatever the state says now"
    CONSUMED_PAST_DUE = "a wake fires although inbound records are older than it"
    CLOCK_DIFFERENCE = "a wake does not wait for a broker whose clock is behind the database's"
    WAKE_IN_TRANSACTION = "wakes are not written with the state"


SPARING: Final = frozenset({Guarantee.ONE_ACTIVE_RELAY})
"""What spares work and is not needed for any invariant: two relays at once only send more repeats (I-4)."""
