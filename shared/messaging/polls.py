"""Whether a client still asks for records: aiokafka's background tasks can die, and nothing starts them again.

Heartbeats and the look-up of committed offsets end at the first answer that aiokafka does not expect (a right that was
withdrawn, a coordinator that is starting). From then on every request for records raises, or nobody makes one. Its
`fetcher_idle_time` does not show it: after an error among the records it stands still (0.14.0).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

_LOOK_SECONDS: Final = 1.0
_WAIT_MILLISECONDS: Final = 1000
_SILENT_SECONDS: Final = 20.0
"""More than FastStream waits after an error of the client (5 s), several times."""
_UNANSWERED_SECONDS: Final = 90.0
"""More than a rebalance takes: a request for records waits for its end."""


class Polls:
    """The requests for records of a consumer's client, and the batches that they brought."""

    def __init__(self) -> None:
        self._asking = False
        self._handling = False
        self._since = monotonic()

    def watch(self, client: AIOKafkaConsumer) -> None:
        """Note what this client asks for from now on; it has asked for nothing yet.

        Each request waits up to a second for the first record. FastStream has one figure for that and for its pause
        after nothing came; a short one lets an idle process wake fifty times a second, a long one is late.
        """
        self._asking, self._since = False, monotonic()
        client.getmany = self._noting(client.getmany)

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Say that nothing is asked for while the block runs, because a batch is worked on."""
        self._handling = True
        try:
            yield
        finally:
            self._handling, self._since = False, monotonic()

    def age(self) -> float:
        """Return the seconds since the last request was answered, or its batch handled; 0 while one waits."""
        return 0.0 if self._asking else monotonic() - self._since

    async def end(self) -> None:
        """Return when this client will ask for nothing more, or get no answer: nothing but a new one helps."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            limit = _UNANSWERED_SECONDS if self._asking else _SILENT_SECONDS
            if not self._handling and monotonic() - self._since > limit:
                return

    def _noting(self, getmany: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(*arguments: Any, **settings: Any) -> Any:  # noqa: ANN401 - aiokafka's, passed on
            self._asking = True
            try:
                found = await getmany(*arguments, **settings | {"timeout_ms": _WAIT_MILLISECONDS})
            finally:
                self._asking = False
            self._since = monotonic()
            return found

        return noted
