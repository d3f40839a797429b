"""The relay: what the ledger has committed goes to Kafka, in order of each key, first copies never missing (I-4).

At least once: a row leaves the outbox after Kafka has acknowledged it; a repeat is known by its sequence. One relay
a service is active, by lease; another waits to take over.
"""

import asyncio
from time import monotonic
from typing import Final

import structlog

from shared.ledger.aside import SetAside
from shared.ledger.relaying import LeasedOutbox, Outbox
from shared.messaging.backoff import Backoff, brief, pause
from shared.messaging.partitions import Delivery, PartitionSender
from shared.observability import metrics
from shared.observability.crash import reach

ROUND_ROWS: Final = 6000
"""What one round sends at most: a batch of acts makes as many messages, and the fewer the batches that Kafka gets, the
less each costs it."""

_BUSY_SECONDS: Final = 0.03
_QUIET_SECONDS: Final = 0.15
_QUIET_AFTER_SECONDS: Final = 1.0
"""Looking into an empty outbox thirty times a second was half of what an idle city took."""
_STANDBY_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 60.0
_BACKOFF: Final = Backoff(first=0.2, most=10.0)
_TOPIC_FIRST_SECONDS: Final = 0.5
_TOPIC_LONGEST_SECONDS: Final = 30.0

log = structlog.get_logger()


class Relay:
    """Sends a service's outbox until it is told to stop."""

    def __init__(self, outbox: Outbox, sender: PartitionSender) -> None:
        self._outbox = outbox
        self._sender = sender
        self._aside = _topics_set_aside()
        self._failures = 0
        self._last_turn: float | None = None
        self._reason = "not started"

    def problem(self) -> str | None:
        """Say what keeps the relay from working, for the health of its process; standing by is no problem."""
        if self._last_turn is None or self._failures:
            return self._reason
        age = monotonic() - self._last_turn
        return f"last turn {age:.0f} s ago" if age > _STALE_SECONDS else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay while the lease is ours, stand by while it is not; whatever fails is tried again."""
        while not stopping.is_set():
            try:
                async with self._outbox.lease() as leased:
                    if leased is not None:
                        await self._hold(leased, stopping)
            except Exception as error:  # noqa: BLE001 - database or broker away: wait, never skip (I-8)
                self._failures += 1
                self._reason = brief(error)
                wait = _BACKOFF.jittered(self._failures)
                log.warning("relay.lost", reason=self._reason, seconds=round(wait, 1))
            else:
                self._turned()
                wait = _STANDBY_SECONDS
            await pause(wait, stopping)

    async def _hold(self, leased: LeasedOutbox, stopping: asyncio.Event) -> None:
        """Relay for as long as the lease holds; leave no producer behind that might still send."""
        metrics.RELAY_LEASE_HELD.set(1)
        log.info("relay.lease_taken")
        last_sent = monotonic()
        try:
            while not stopping.is_set():
                if await self._turn(leased):
                    last_sent = monotonic()
                else:
                    quiet = monotonic() - last_sent > _QUIET_AFTER_SECONDS
                    await pause(_QUIET_SECONDS if quiet else _BUSY_SECONDS, stopping)
        finally:
            # Whoever relays now knows better.
            metrics.RELAY_LEASE_HELD.set(0)
            metrics.OUTBOX_AGE.set(0)
            metrics.RELAY_TOPIC_SET_ASIDE.clear()
            self._aside = _topics_set_aside()
            await self._sender.discard()

    async def _turn(self, leased: LeasedOutbox) -> bool:
        """Send once what waits; say whether anything was sent."""
        age = await leased.age_seconds()
        metrics.OUTBOX_AGE.set(age)
        sent = await self._round(leased) if age else 0
        self._turned()
        return sent > 0

    async def _round(self, leased: LeasedOutbox) -> int:
        started = monotonic()
        async with leased.round(ROUND_ROWS, self._aside.waiting(started)) as round_:
            if not round_.rows:
                return 0
            reach("relay_before_send")
            delivery = await self._sender.send(round_.rows)
            reach("relay_after_send_before_delete")
            await round_.sent(delivery.sent)
            reach("relay_after_delete_before_commit")
        metrics.RELAY_ROUND_ROWS.observe(len(round_.rows))
        metrics.RELAY_ROUND_SECONDS.observe(monotonic() - started)
        self._judge({row.topic for row in round_.rows}, delivery)
        return len(delivery.sent)

    def _judge(self, topics: set[str], delivery: Delivery) -> None:
        for topic in topics - delivery.failed.keys():
            if self._aside.succeeded(topic):
                metrics.RELAY_TOPIC_SET_ASIDE.labels(topic).set(0)
                log.info("relay.topic_works_again", topic=topic)
        for topic, reason in delivery.failed.items():
            wait = self._aside.failed(topic, monotonic())
            metrics.RELAY_TOPIC_SET_ASIDE.labels(topic).set(1)
            metrics.RELAY_PUBLISH_FAILURES.labels(topic).inc()
            log.error("relay.topic_set_aside", topic=topic, reason=reason, seconds=wait)

    def _turned(self) -> None:
        self._failures = 0
        self._last_turn = monotonic()


def _topics_set_aside() -> SetAside[str]:
    return SetAside(first=_TOPIC_FIRST_SECONDS, most=_TOPIC_LONGEST_SECONDS)
