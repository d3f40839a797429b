"""Every metric of Joint, with its type and meaning: the one place where a metric has a name.

Labels have few values (groups, topics, partitions, aggregates, codes of our own): never an id, never a person.
"""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

_BATCH_SIZES: Final = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2000)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# Consumers -----------------------------------------------------------------------------------------------------------

CONSUMER_LAG: Final = Gauge(
    "joint_consumer_lag_records",
    "Records of the partition that this process has not taken yet; absent for partitions that it does not have.",
    ["group", "topic", "partition"],
)
CONSUMER_PARTITIONS: Final = Gauge(
    "joint_consumer_assigned_partitions", "Partitions that this process has in the group.", ["group"]
)
CONSUMER_LAST_POLL_AGE: Final = Gauge(
    "joint_consumer_last_poll_age_seconds", "Time since the consumer last asked for records.", ["group"]
)
CONSUMER_RECORDS: Final = Counter(
    "joint_consumer_records_total", "Records that were handled and acknowledged.", ["group", "topic"]
)
CONSUMER_BATCH_RECORDS: Final = Histogram(
    "joint_consumer_batch_records", "Records in one batch.", ["group"], buckets=_BATCH_SIZES
)
CONSUMER_BATCH_SECONDS: Final = Histogram(
    "joint_consumer_batch_seconds", "Time that one batch took, acknowledgement included.", ["group"], buckets=_SECONDS
)
CONSUMER_RETRIES: Final = Counter(
    "joint_consumer_retries_total",
    "Batches that were put back to be tried again: `unavailable` (something of ours is down) or `error` (a bug).",
    ["group", "cause"],
)
CONSUMER_COMMIT_FAILURES: Final = Counter(
    "joint_consumer_commit_failures_total",
    "Acknowledgements that the broker refused; the records come again and are known as repeats.",
    ["group"],
)
CONSUMER_CLIENTS_REPLACED: Final = Counter(
    "joint_consumer_clients_replaced_total",
    "Kafka clients that asked for no records any more, each replaced by a new one.",
    ["group"],
)
CONSUMER_REBALANCES: Final = Counter(
    "joint_consumer_rebalances_total", "Times that the group took its partitions back from this process.", ["group"]
)
CONSUMER_DRAIN_TIMEOUTS: Final = Counter(
    "joint_consumer_drain_timeouts_total", "Rebalances that could not wait for the running batch to end.", ["group"]
)

# Relay ---------------------------------------------------------------------------------------------------------------

RELAY_LEASE_HELD: Final = Gauge("joint_relay_lease_held", "1 when this process is the active relay, else 0.")
RELAY_ROUND_ROWS: Final = Histogram("joint_relay_round_rows", "Outbox rows in one round.", buckets=_BATCH_SIZES)
RELAY_ROUND_SECONDS: Final = Histogram("joint_relay_round_seconds", "Time of one round with rows.", buckets=_SECONDS)
RELAY_PUBLISHED: Final = Counter("joint_relay_published_total", "Outbox rows that Kafka acknowledged.", ["topic"])
RELAY_PUBLISH_FAILURES: Final = Counter(
    "joint_relay_publish_failures_total", "Batches that Kafka did not acknowledge; they are sent again.", ["topic"]
)
RELAY_TOPIC_SET_ASIDE: Final = Gauge(
    "joint_relay_topic_set_aside", "1 while the topic waits after a failure, else 0; the others go on.", ["topic"]
)
OUTBOX_AGE: Final = Gauge(
    "joint_outbox_age_seconds",
    "Age of the oldest outbox row; 0 when it is empty, and in every process but the active relay.",
)
OUTBOX_MESSAGES: Final = Gauge(
    "joint_outbox_messages", "Messages that wait to be sent; every worker of the service says the same."
)

# Timers --------------------------------------------------------------------------------------------------------------

TIMERS_LEASE_HELD: Final = Gauge("joint_timers_lease_held", "1 when this process fires the service's wakes, else 0.")
WAKES_DUE: Final = Gauge(
    "joint_wakes_due", "Wakes whose time has come and that have not fired; every worker of the service says the same."
)
WAKES_DUE_AGE: Final = Gauge(
    "joint_wakes_due_age_seconds",
    "How long the oldest wake that is due waits; 0 when none is; every worker of the service says the same.",
)
WAKES_FIRED: Final = Counter("joint_wakes_fired_total", "Wakes whose command was decided.", ["aggregate", "kind"])
WAKES_LATE: Final = Histogram(
    "joint_wakes_late_seconds",
    "How long after it was due a wake fired: later while inbound topics have not been consumed past it.",
    buckets=(1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14400, 86400),
)
WAKES_SET_ASIDE: Final = Gauge(
    "joint_wakes_set_aside_streams",
    "Streams with a wake that stays though its command was decided; they are tried again later, the others go on.",
)

# HTTP ----------------------------------------------------------------------------------------------------------------

HTTP_REQUEST_SECONDS: Final = Histogram(
    "joint_http_request_seconds",
    "Time until a request was answered, by the template of its route (`unmatched` where there is none) and the status "
    "(`aborted` where the caller went away); its `_count` is the number of requests.",
    ["method", "route", "status"],
    buckets=_SECONDS,
)

# Ledger --------------------------------------------------------------------------------------------------------------

COMMANDS: Final = Counter(
    "joint_ledger_commands_total",
    "Commands by outcome: `accepted`, `refused`, `failed` (our bug) or `repeated` (answered from the record).",
    ["aggregate", "outcome"],
)
BATCH_RERUNS: Final = Counter(
    "joint_ledger_batch_reruns_total", "Transactions that ran again because another one was in the way."
)
BATCH_HALVINGS: Final = Counter(
    "joint_ledger_batch_halvings_total", "Batches that were cut in two to find the one item that makes them fail."
)
REPEATS_SKIPPED: Final = Counter(
    "joint_ledger_repeats_skipped_total", "Messages that had been taken before, known by their sequence (I-6)."
)
MESSAGES_HELD: Final = Counter(
    "joint_ledger_messages_held_total",
    "Messages that were held with a reason: dead letters (I-7).",
    ["consumer", "reason"],
)
HELD_NOW: Final = Gauge(
    "joint_ledger_held_now",
    "Messages that are held now: `dead` with a reason, for an operator to deal with, or `waiting` behind a gap, a dead "
    "letter or a reference document; every worker of the service says the same.",
    ["consumer", "state"],
)
SEALS: Final = Counter("joint_ledger_seals_total", "Seals made over all streams (I-17).")


def exposition() -> tuple[bytes, str]:
    """Return all metrics of this process in the format of Prometheus, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
