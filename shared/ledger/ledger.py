"""The one write path of a service: `execute` for commands, and the consumers that end in it (design section 1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ledger.aggregate import Aggregate
from shared.ledger.commands import Command, Delivery, Failed, Outcome, WaitForReference
from shared.ledger.consumption import Consumption
from shared.ledger.copies import ContentsCopy
from shared.ledger.decide import Decider
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.load import database_now, lock_requests, lock_states
from shared.ledger.policies import PolicyHandler, React
from shared.ledger.portions import command_size, portions
from shared.ledger.projection import Project, ProjectionHandler
from shared.ledger.reception import Reception, Translate
from shared.ledger.references import References, store_references
from shared.ledger.serials import serials_for
from shared.ledger.transaction import BatchFailedError, in_halves, once_committed
from shared.ledger.vault import Vault
from shared.ledger.write import write_draft
from shared.observability import metrics
from shared.observability.crash import reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The write path of one service.

    Every change goes through `execute` or through a consumer made here; both commit state, events, outbox, positions,
    requests and wakes together or not at all (I-5).
    """

    engine: AsyncEngine
    service: str
    aggregates: tuple[Aggregate, ...]
    vault: Vault
    references: References

    async def execute(self, commands: Sequence[Command]) -> list[Outcome]:
        """Decide and record commands, in as few transactions as 2,000 commands or 4 MiB each allow.

        Returns:
            One outcome a command, in order, after the commit: what was acknowledged is never lost (I-1).

        Raises:
            Unavailable: when the database is away. Whether the batch was committed the requests tell: give it again.
        """
        outcomes: list[Outcome] = []
        for part in portions(commands, command_size):
            outcomes += await in_halves(self.engine, part, self._run)
        reach("execute_after_commit")
        for command, outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Failed):
                metrics.COMMANDS.labels(command.aggregate, "failed").inc()
        return outcomes

    def reception(self, consumer: str, translate: Translate) -> Reception:
        """Return the consumer of topics on which this service is asked for something: requests, receipts, I-2, I-3."""
        return Reception(
            self.engine,
            service=self.service,
            consumer=consumer,
            aggregates=self._by_name(),
            references=self.references,
            vault=self.vault,
            translate=translate,
        )

    def policy(self, consumer: str, react: React) -> Consumption:
        """Return the consumer of our own topics whose events become commands: I-6, I-7, I-19."""

        def handler() -> PolicyHandler:
            return PolicyHandler(
                service=self.service,
                aggregates=self._by_name(),
                references=self.references,
                vault=self.vault,
                react=react,
            )

        return Consumption(self.engine, service=self.service, consumer=consumer, vault=self.vault, handler=handler)

    def reference_copy(self, consumer: str) -> Consumption:
        """Return the consumer of `dispatch.reference` that keeps this service's copy of the documents."""
        return projection(
            self.engine, service=self.service, consumer=consumer, vault=self.vault, project=store_references
        )

    def contents_copy(self, consumer: str) -> ContentsCopy:
        """Return the consumer of `intake.contents` that keeps this service's copy; tombstones forget (I-14)."""
        return ContentsCopy(self.engine, service=self.service, consumer=consumer, vault=self.vault)

    def _by_name(self) -> dict[str, Aggregate]:
        return {aggregate.name: aggregate for aggregate in self.aggregates}

    async def _run(
        self, connection: AsyncConnection, commands: Sequence[Command], failure: BatchFailedError | None
    ) -> list[Outcome]:
        if failure is not None:
            return [Failed(reason=failure.reason) for _ in commands]
        by_name = self._by_name()
        library = await self.references.refresh(connection)
        requests = await lock_requests(
            connection, [(c.request.party, c.request.key) for c in commands if c.request is not None]
        )
        states = await lock_states(connection, [(by_name[c.aggregate], c.stream) for c in commands])
        now = await database_now(connection)
        decider = Decider(
            service=self.service,
            vault=self.vault,
            library=library,
            now=now,
            states=states,
            requests=requests,
            serials=await serials_for(connection, commands, states, now),
        )
        outcomes = [self._decide(decider, command) for command in commands]
        await write_draft(connection, decider.draft, states, decider.now, self.vault)
        once_committed(connection, decider.count)
        reach("execute_before_commit")
        return outcomes

    @staticmethod
    def _decide(decider: Decider, command: Command) -> Outcome:
        answers = isolated(
            lambda: decider.decide_unit([command], refusable=True),
            command=type(command.body).__name__,
            stream=str(command.stream),
        )
        return Failed(reason=answers.detail) if isinstance(answers, Crashed) else answers[0]


def projection(
    engine: AsyncEngine,
    *,
    service: str,
    consumer: str,
    vault: Vault,
    project: Project,
    wait: Callable[[Delivery], WaitForReference | None] = lambda _delivery: None,
) -> Consumption:
    """Return a consumer of our own topics that writes read models (I-6, I-7, I-9).

    `wait` says which reference version an event must wait for, if any (I-19).
    """

    def handler() -> ProjectionHandler:
        return ProjectionHandler(project, wait)

    return Consumption(engine, service=service, consumer=consumer, vault=vault, handler=handler)
