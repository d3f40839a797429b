"""A deterministic simulator of the ledger's rules: thousands of acts a second, in the order that a seed says.

The ledger's own code runs here unchanged: `Ledger.execute`, policies, receptions and their `resume`, halving, `take`,
the `Decider`, the hash chain, arrivals, held messages by hand, the outbox and its rounds, the timers and their turns.
Its coroutines are driven without an event loop: every statement, COPY and COMMIT is one act (`acts`), before and
after which anybody else may act, die, or lose a connection.

Modelled, and therefore not proved here:
- PostgreSQL (`statements`, `store`, `connection`): the statements that the ledger makes, read from their text: SELECT
  with `=`, `ANY`, `ALL`, `IS NULL`, ORDER BY, LIMIT and FOR UPDATE; INSERT (VALUES, `unnest`, ON CONFLICT DO NOTHING,
  RETURNING), COPY, UPDATE and DELETE with `unnest`; the outbox's lots; advisory locks; `clock_timestamp()`. READ
  COMMITTED with row locks, waits, deadlocks (40P01), unique keys (23505), U+0000 (22021), lost connections (57P01). A
  statement of another shape raises `UnknownStatementError`. Plans, isolation inside of one statement and time-outs
  are not modelled.
- Kafka and `shared.messaging` (`broker`, `processes`): topics, groups that rebalance at any time, put-back,
  acknowledgements that are lost or commit another assignment, batches that are refused, taken unheard, or taken late.
  Group commit, the loops of relay and timers, and how the broker is asked what was consumed, are written anew, as short
  as the originals' order of acts.

It adds to the tests on the real servers and replaces none of them. What it can find it shows by `guarantees`: each is
taken from the model, and a seed breaks.
"""
