"""What reports ask of each other, as a record of `intake.merges`: total, and in the name of the system."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.consumers import translate_ask
from services.intake.domain.asking import command_of
from services.intake.domain.merging import AbandonMerge, AdmitMerge, CompleteMerge, ConfirmMerge, ReleaseMerge
from services.intake.domain.report import INTAKE_ITSELF
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import ReportSubmission
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.report_merges import ReportMergeAsk, ReportMergeAsked
from shared.kernel.errors import Unreadable
from shared.ledger.commands import Command
from tests.support.report_merges import OTHER_ID
from tests.support.reports import NOW, REPORT_ID

ITSELF = "/joint/services/intake"
ASKED = msgspec.json.encode(ReportMergeAsked(report_id=REPORT_ID, asking=OTHER_ID, asks="admit"))


def on_merges(headers: tuple[tuple[str, bytes | None], ...], value: bytes | None) -> Record:
    return Record(topic="intake.merges", partition=3, offset=7, timestamp=NOW, key=None, headers=headers, value=value)


def asked(data: bytes = ASKED, type_: str = ReportMergeAsked.type, source: str = ITSELF) -> Command:
    event = CloudEvent(id="ask-1", source=source, type=type_, data=data, correlationid="campaign-1")
    return translate_ask(on_merges(tuple(binary_headers(event)), data), ReferenceLibrary())


def test_what_a_report_asks_of_another_is_a_request_of_intake_itself() -> None:
    command = asked()
    assert command.body == AdmitMerge(report_id=REPORT_ID, merged=OTHER_ID)
    assert (command.aggregate, command.stream, command.actor) == ("report", REPORT_ID, INTAKE_ITSELF)
    assert command.request is not None
    assert (command.request.party, command.request.key) == (ITSELF, "ask-1")
    assert (command.cause.correlation, command.cause.causation) == ("campaign-1", "ask-1")
    assert (command.receipt, command.counts_as_of) == (None, None)


@pytest.mark.parametrize(
    "command,code",
    [
        (asked(source="/joint/services/dispatch"), "unknown_type"),
        (asked(type_=ReportSubmission.type), "unknown_type"),
        (asked(data=b"{"), "not_json"),
        (asked(data=b'{"report_id": 7}'), "invalid"),
        (asked(data=ASKED.replace(b"admit", b"abandon")), "invalid"),
    ],
)
def test_what_is_no_ask_of_a_report_is_refused_by_name(command: Command, code: str) -> None:
    assert command.refusal is not None
    assert (command.refusal.code, command.body) == (code, None)


@pytest.mark.parametrize(
    "asks,command",
    [
        ("admit", AdmitMerge(report_id=REPORT_ID, merged=OTHER_ID)),
        ("complete", CompleteMerge(report_id=REPORT_ID, master=OTHER_ID)),
        ("abandon", AbandonMerge(report_id=REPORT_ID, master=OTHER_ID, reason="closed")),
        ("confirm", ConfirmMerge(report_id=REPORT_ID, merged=OTHER_ID)),
        ("release", ReleaseMerge(report_id=REPORT_ID, merged=OTHER_ID)),
    ],
)
def test_each_word_is_a_command(asks: ReportMergeAsk, command: object) -> None:
    assert command_of(ReportMergeAsked(report_id=REPORT_ID, asking=OTHER_ID, asks=asks, obstacle="closed")) == command


def test_why_a_merge_is_abandoned_must_be_said() -> None:
    with pytest.raises(Unreadable):
        command_of(ReportMergeAsked(report_id=REPORT_ID, asking=OTHER_ID, asks="abandon"))


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
def test_no_record_whatever_that_reports_send_each_other_makes_the_consumer_raise(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    command = translate_ask(on_merges(tuple(headers), value), ReferenceLibrary())
    assert command.request is not None
    assert (command.refusal is None) == isinstance(command.body, AdmitMerge)
