"""Whatever a department's record holds, it becomes one command, or one refusal that names every error."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.consumers import reaction, translate, translate_ask
from services.dispatch.domain.merging import AdmitMerge
from shared.contracts.adjustments import (
    AnswerSupervision,
    AppealLeg,
    RequestLegExtension,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.contracts.decisions import WaitForReference
from shared.contracts.dispatch import FeedBackLeg, LegAction, RequestLegReturn, SignLeg
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import Accepted
from shared.contracts.library import ReferenceLibrary
from shared.contracts.merges import MergeAsked
from shared.contracts.records import Record
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)
from shared.contracts.registry import ACTIONS, type_name
from shared.ledger.commands import Command
from tests.support.cases import CASE_ID, CITY, NOON, SYSTEM, library
from tests.support.ends import OTHER_ID
from tests.unit.dispatch.test_policies import FILED, delivery

TOPIC = "dispatch.actions.fire-rescue"
SOURCE = "/joint/departments/fire-rescue"
SIGN = {"case_id": str(CASE_ID), "leg": 3}
DEPARTMENT_ACTS: dict[type[LegAction], dict[str, object]] = {
    SignLeg: {},
    FeedBackLeg: {"closing_condition": "cleared"},
    RequestLegReturn: {"reason": "not_our_duty", "ground": "line 3"},
    RequestLegExtension: {"reason": "parts are missing"},
    RequestLegSuspension: {"reason": "wrong_season", "plan": "in spring", "until": "2027-04-01T00:00:00+08:00"},
    ResumeLeg: {"reason": "the ground is soft"},
    AppealLeg: {"ground": "the road was closed"},
    AnswerSupervision: {"answer": "under way"},
    OrderRectification: {"legal_basis": "fire law, article 60", "document_number": "2026-118", "days": 3},
    ClaimRectification: {"statement": "the stairs are clear"},
    RecordReinspection: {"passed": False, "finding": "still there"},
    RecordEnforcement: {"measure": "penalty", "legal_basis": "fire law, article 60", "document_number": "2026-45"},
}


def record(headers: tuple[tuple[str, bytes | None], ...], value: bytes | None) -> Record:
    return Record(topic=TOPIC, partition=0, offset=7, timestamp=NOON, key=None, headers=headers, value=value)


def act(data: object = SIGN, type_: str = SignLeg.type, source: str = SOURCE, id_: str = "act-1") -> Command:
    raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
    event = CloudEvent(id=id_, source=source, type=type_, data=raw, correlationid="campaign-1")
    return translate(record(tuple(binary_headers(event)), raw), ReferenceLibrary())


def problems(command: Command) -> tuple[str, list[tuple[str, str]]]:
    assert command.refusal is not None
    return command.refusal.code, [(error.field, error.code) for error in command.refusal.errors]


def test_an_act_becomes_a_command_of_the_department_whose_topic_it_came_on() -> None:
    command = act()
    assert (command.aggregate, command.stream, command.body) == ("case", CASE_ID, SignLeg(case_id=CASE_ID, leg=3))
    assert (command.actor.unit, command.actor.post, command.actor.client) == (
        "fire-rescue",
        "department",
        "department.fire-rescue",
    )
    assert command.actor.person is None
    assert command.counts_as_of == NOON
    assert command.refusal is None
    assert command.request is not None
    assert (command.request.party, command.request.key) == (SOURCE, "act-1")
    assert command.receipt is not None
    assert (command.receipt.topic, command.receipt.request) == ("dispatch.receipts.fire-rescue", "act-1")
    assert (command.cause.correlation, command.cause.causation) == ("campaign-1", "act-1")


@pytest.mark.parametrize("act_type", DEPARTMENT_ACTS, ids=lambda act_type: act_type.__name__)
def test_every_act_of_a_department_is_read(act_type: type[LegAction]) -> None:
    read = act({**SIGN, **DEPARTMENT_ACTS[act_type]}, type_name(act_type)).body
    assert type(read) is act_type
    assert (read.case_id, read.leg) == (CASE_ID, 3)


def test_the_acts_of_departments_are_those_of_the_registry() -> None:
    assert set(DEPARTMENT_ACTS) == set(ACTIONS)


def test_the_same_act_with_its_fields_in_another_order_has_the_same_digest() -> None:
    one = act(b'{"case_id":"%s","leg":3}' % str(CASE_ID).encode()).request
    other = act(b'{ "leg": 3, "case_id": "%s" }' % str(CASE_ID).encode()).request
    changed = act({**SIGN, "leg": 2}).request
    assert one is not None
    assert other is not None
    assert changed is not None
    assert one.digest == other.digest
    assert one.digest != changed.digest


@pytest.mark.parametrize("field", ["post", "actor", "person", "unit"])
def test_a_post_or_an_actor_asserted_in_the_data_is_refused_by_the_field(field: str) -> None:
    assert problems(act({**SIGN, field: "duty_leader"})) == ("invalid", [(field, "additionalProperties")])


def test_every_field_error_is_named_at_once() -> None:
    code, errors = problems(act({"leg": 0, "reason": "because", "hat": 1}, RequestLegReturn.type))
    assert code == "invalid"
    assert {field for field, _code in errors} == {"leg", "reason", "hat", "case_id", "ground"}


@pytest.mark.parametrize(
    "name",
    [
        *("case.dispatched", "case.redispatched", "case.legs_added", "case.check_assigned", "case.checked"),
        *("case.closed", "case.void_proposed", "case.void_refused", "case.voided", "case.reopened"),
        *("case.supervised", "case.escalated", "case.merge_requested", "case.merged", "case.unmerged"),
        *("leg.waived", "leg.return_decided", "leg.return_refused", "leg.return_upheld", "leg.ruled"),
        *("leg.sent_back", "leg.extended", "leg.extension_refused", "leg.suspension_endorsed", "leg.suspended"),
        *("leg.suspension_refused", "leg.appeal_reviewed", "case.leg_ruled", "case.leg_extended"),
    ],
)
def test_an_act_of_a_centre_over_a_topic_is_refused_by_name(name: str) -> None:
    refused = problems(act(type_=f"jointenforcement.{name}.v1"))
    assert refused == ("centre_act_over_topic", [("ce_type", "centre_act_over_topic")])


def test_an_unknown_type_is_refused_by_name() -> None:
    assert problems(act(type_="jointenforcement.leg.painted.v1")) == ("unknown_type", [("ce_type", "unknown_type")])


def test_whoever_speaks_for_somebody_else_is_refused_and_takes_no_key_of_theirs() -> None:
    command = act(source="/joint/departments/health")
    assert problems(command) == ("wrong_source", [("ce_source", "wrong_source")])
    assert command.request is not None
    assert (command.request.party, command.request.key) == (TOPIC, f"record:{TOPIC}:0:7")
    assert command.receipt is not None
    assert command.receipt.topic == "dispatch.receipts.fire-rescue"


def test_a_record_without_an_envelope_is_answered_by_its_place() -> None:
    command = translate(record((), b"hello"), ReferenceLibrary())
    assert command.receipt is not None
    assert (command.receipt.request, command.receipt.record) == (None, f"{TOPIC}:0:7")
    assert command.refusal is not None
    assert command.refusal.code == "bad_envelope"


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_specversion", "content-type", "x"]),
            st.one_of(st.none(), st.binary(max_size=20), st.sampled_from([b"1.0", SOURCE.encode(), b"a"])),
        ),
        max_size=8,
    ),
    value=st.one_of(st.none(), st.binary(max_size=60), st.just(msgspec.json.encode(SIGN))),
)
def test_no_record_whatever_makes_the_consumer_raise(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    command = translate(record(tuple(headers), value), ReferenceLibrary())
    assert command.receipt is not None
    assert command.request is not None
    assert (command.refusal is None) == isinstance(command.body, SignLeg)


ITSELF = "/joint/services/dispatch"
ASKED = msgspec.json.encode(MergeAsked(case_id=CASE_ID, asking=OTHER_ID, asks="admit"))


def asked(data: bytes = ASKED, type_: str = MergeAsked.type, source: str = ITSELF) -> Command:
    event = CloudEvent(id="ask-1", source=source, type=type_, data=data, correlationid="campaign-1")
    return translate_ask(on_merges(tuple(binary_headers(event)), data), ReferenceLibrary())


def on_merges(headers: tuple[tuple[str, bytes | None], ...], value: bytes | None) -> Record:
    return msgspec.structs.replace(record(headers, value), topic="dispatch.merges")


def test_what_a_case_asks_of_another_is_a_request_of_dispatch_itself() -> None:
    command = asked()
    assert command.body == AdmitMerge(case_id=CASE_ID, merged=OTHER_ID)
    assert (command.stream, command.actor.post, command.receipt) == (CASE_ID, "system", None)
    assert command.request is not None
    assert (command.request.party, command.request.key) == (ITSELF, "ask-1")
    assert (command.cause.correlation, command.cause.causation) == ("campaign-1", "ask-1")
    assert command.counts_as_of is None


@pytest.mark.parametrize(
    "command,code",
    [
        (asked(source="/joint/services/intake"), "unknown_type"),
        (asked(type_=SignLeg.type), "unknown_type"),
        (asked(data=b"{"), "not_json"),
        (asked(data=b'{"case_id": 7}'), "invalid"),
        (asked(data=ASKED.replace(b"admit", b"abandon")), "invalid"),
    ],
)
def test_what_is_no_ask_of_a_case_is_refused_by_name(command: Command, code: str) -> None:
    assert command.refusal is not None
    assert (command.refusal.code, command.body) == (code, None)


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_specversion", "content-type", "x"]),
            st.one_of(st.none(), st.binary(max_size=20), st.sampled_from([b"1.0", ITSELF.encode(), b"a"])),
        ),
        max_size=8,
    ),
    value=st.one_of(st.none(), st.binary(max_size=60), st.just(ASKED)),
)
def test_no_record_whatever_that_cases_send_each_other_makes_the_consumer_raise(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    command = translate_ask(on_merges(tuple(headers), value), ReferenceLibrary())
    assert command.request is not None
    assert (command.refusal is None) == isinstance(command.body, AdmitMerge)


def test_a_filed_report_opens_its_case_in_the_name_of_the_system() -> None:
    commands = reaction(CITY)(delivery(FILED), library())
    assert not isinstance(commands, WaitForReference)
    (command,) = commands
    assert (command.stream, command.actor.post, command.cause.causation) == (CASE_ID, "system", "1")
    assert reaction(CITY)(delivery(Accepted(at=NOON + timedelta(1), by=SYSTEM)), library()) == ()
