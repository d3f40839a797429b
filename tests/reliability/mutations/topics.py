"""Guarantees between the topics and the ledger: nothing lost on the way in, order kept on the way out."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_CONSUMER: Final = "tests/integration/test_consumer.py::"
_RELAY: Final = "tests/integration/test_relay.py::"
_RECORDS: Final = "tests/unit/messaging/test_records.py::"
_GUARANTEES: Final = "tests/reliability/test_guarantees.py::"
_WEB: Final = "tests/unit/web/"
_ACKNOWLEDGED: Final = f"{_GUARANTEES}test_a_batch_is_acknowledged_when_its_handler_is_done_and_not_before"

_IN: Final = (
    Mutation(
        name="acknowledging after the work",
        invariant="I-1",
        removed="a batch is acknowledged after its handler has returned",
        file="shared/messaging/consumer.py",
        text="            await self._subscription.handle(records)\n",
        replacement=(
            "            await self._acknowledge(message, records)\n"
            "            await self._subscription.handle(records)\n"
        ),
        pins=(_ACKNOWLEDGED,),
        every_run=True,
    ),
    Mutation(
        name="a failed batch comes again",
        invariant="I-8",
        removed="a batch is not acknowledged when its handler could not work",
        file="shared/messaging/consumer.py",
        text="        except Unavailable as error:\n            _put_back(message, records)\n",
        replacement="        except Unavailable as error:\n            await self._acknowledge(message, records)\n",
        pins=(_ACKNOWLEDGED,),
        every_run=True,
    ),
    Mutation(
        name="a client that has ended is replaced",
        invariant="I-8",
        removed="a consumer whose client asks for nothing any more reads on with a new one",
        file="shared/messaging/consumer.py",
        text="            await self._polls.end()\n",
        replacement="            await self._stopping.wait()\n",
        pins=(f"{_CONSUMER}test_a_consumer_whose_right_was_taken_away_for_a_while_reads_on",),
    ),
    Mutation(
        name="a batch with a bug comes again",
        invariant="I-8",
        removed="a batch is not acknowledged when its handler has a bug",
        file="shared/messaging/consumer.py",
        text='            log.exception("consumer.failed")\n            _put_back(message, records)\n',
        replacement=(
            '            log.exception("consumer.failed")\n            await self._acknowledge(message, records)\n'
        ),
        pins=(_ACKNOWLEDGED,),
    ),
    Mutation(
        name="every record reaches the handler",
        invariant="I-3",
        removed="a record without a value is no less a record",
        file="shared/messaging/records.py",
        text="tuple(to_record(raw) for raw in batch)",
        replacement="tuple(to_record(raw) for raw in batch if raw.value is not None)",
        pins=(f"{_CONSUMER}test_whatever_is_in_a_record_it_reaches_the_handler",),
    ),
    Mutation(
        name="header names of any bytes",
        invariant="I-3",
        removed="one bad header name stops no topic",
        file="shared/messaging/headers.py",
        text="except UnicodeDecodeError:",
        replacement="except ZeroDivisionError:",
        pins=(f"{_RECORDS}test_a_header_name_that_is_not_utf8_loses_no_record",),
    ),
    Mutation(
        name="total reading of acts",
        invariant="I-3",
        removed="a record that is no event is answered all the same",
        file="services/dispatch/consumers.py",
        text="    except Unreadable as unreadable:\n        return _command(",
        replacement="    except ZeroDivisionError as unreadable:\n        return _command(",
        pins=("tests/unit/dispatch/test_consumers.py::test_no_record_whatever_makes_the_consumer_raise",),
    ),
    Mutation(
        name="total reading of submissions",
        invariant="I-3",
        removed="a record that is no event is answered all the same",
        file="services/intake/consumers.py",
        text="    except Unreadable as unreadable:\n        return _command(",
        replacement="    except ZeroDivisionError as unreadable:\n        return _command(",
        pins=("tests/unit/intake/test_consumers.py::test_no_record_is_left_without_an_answer",),
    ),
)

_OUT: Final = (
    Mutation(
        name="oldest first",
        invariant="I-4",
        removed="the outbox is sent in the order in which it was written",
        file="shared/ledger/outbox.py",
        text=")) ORDER BY id FOR UPDATE",
        replacement=")) ORDER BY id DESC FOR UPDATE",
        pins=(f"{_GUARANTEES}test_what_waits_is_sent_in_the_order_in_which_it_was_written",),
    ),
    Mutation(
        name="one active relay",
        invariant="I-4",
        removed="one relay of a service is active, and the others stand by",
        file="shared/ledger/outbox.py",
        text="if not taken.scalar_one():",
        replacement="if taken.scalar_one() is None:",
        pins=(f"{_GUARANTEES}test_one_relay_of_a_service_is_active_and_the_next_takes_over",),
    ),
    Mutation(
        name="rows of a round are locked",
        invariant="I-4",
        removed="a successor waits for a batch that is in flight",
        file="shared/ledger/outbox.py",
        text=")) ORDER BY id FOR UPDATE",
        replacement=")) ORDER BY id",
        pins=(f"{_RELAY}test_a_successor_waits_for_the_rows_of_a_relay_that_lost_only_its_lease",),
    ),
    Mutation(
        name="one key, one partition",
        invariant="I-4",
        removed="the partition of a key is its CRC-32, for every client the same",
        file="shared/contracts/registry.py",
        text="zlib.crc32(key)",
        replacement="zlib.adler32(key)",
        pins=("tests/unit/contracts/test_registry.py::test_a_key_has_one_partition_which_other_clients_can_compute",),
    ),
    Mutation(
        name="a row leaves the outbox when it was sent",
        invariant="I-1",
        removed="a row stays until the broker has acknowledged it",
        file="shared/messaging/relay.py",
        text="await round_.sent(delivery.sent)",
        replacement="await round_.sent({row.id for row in round_.rows})",
        pins=(f"{_GUARANTEES}test_what_the_broker_did_not_take_stays_in_the_outbox",),
    ),
    Mutation(
        name="the rest of a lot stays",
        invariant="I-1",
        removed="what was not sent of a lot stays in it",
        file="shared/ledger/relaying.py",
        text="            if not rest:\n",
        replacement="            if len(rest) < len(rows):\n",
        pins=(f"{_GUARANTEES}test_what_was_sent_of_a_lot_leaves_it_and_the_rest_stays",),
    ),
    Mutation(
        name="a failed producer is made anew",
        invariant="I-4",
        removed="a producer that a batch failed in is discarded, and what it could not send is sent by another",
        file="shared/messaging/partitions.py",
        text="                self._spoilt = True\n",
        replacement="",
        pins=(f"{_RELAY}test_a_row_that_the_broker_refuses_stops_its_own_topic_alone_until_it_is_taken",),
    ),
)

_RIGHTS: Final = (
    Mutation(
        name="the digest of an HTTP request",
        invariant="I-2",
        removed="a key that comes with another body over HTTP is seen",
        file="shared/web/idempotency.py",
        text="canonical_digest(method, path, data=body)",
        replacement="canonical_digest(method, path, data=None)",
        pins=(f"{_WEB}test_application.py::test_the_digest_ignores_field_order_and_notices_another_body",),
    ),
    Mutation(
        name="a token is for this service",
        invariant="I-13",
        removed="a token that was made for another service, by somebody else or for another time is refused",
        file="shared/web/authentication.py",
        text="            self._rules().validate(claims)\n",
        replacement="            self._rules()\n",
        pins=(f"{_WEB}test_authentication.py::test_a_token_with_a_wrong_claim_is_refused",),
    ),
    Mutation(
        name="rights on topics",
        invariant="I-13",
        removed="the broker lets each party write on its own topic alone",
        file="shared/messaging/provisioning.py",
        text='f"User:{user}", "*", operation,',
        replacement='"User:*", "*", operation,',
        pins=("tests/integration/test_provisioning.py::test_a_forbidden_publish_is_refused",),
    ),
)

MUTATIONS: Final = (*_IN, *_OUT, *_RIGHTS)
