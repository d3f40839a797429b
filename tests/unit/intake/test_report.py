"""The `Report` decider by given / when / then: every event, every refusal by its name, every wrong state."""

from datetime import timedelta

import pytest

from services.intake.domain import report
from services.intake.domain.commands import (
    Accept,
    Act,
    AssignVerification,
    Command,
    Complete,
    File,
    Forget,
    PlaceCorrection,
    Reject,
    Verify,
)
from services.intake.domain.contents import digest_of, private_content
from services.intake.domain.report import INTAKE_ITSELF, evolve
from shared.contracts.common import Actor, CategoryCode, Post
from shared.contracts.intake import (
    Accepted,
    Completed,
    Filed,
    Rejected,
    ReportContentForgotten,
    Reported,
)
from shared.contracts.library import ReferenceLibrary
from shared.kernel.errors import Unavailable
from tests.support import reports
from tests.support.report_merges import merge, merged
from tests.support.reports import (
    COMMUNITY,
    LIBRARY,
    NOW,
    OTHER_COMMUNITY,
    OTHER_STREET,
    STREET,
    TRUSTED,
    UNTRUSTED,
    Given,
    person,
    source,
    submission,
    submit,
)

ACCEPTOR, DUTY_LEADER, COLLECTOR = person("acceptor"), person("duty_leader"), person("collector")
CHOSEN = CategoryCode(system="jiaohe", version=1, code="E0702", condition="default")
REJECT = Reject(reason_code="not_ours", reason="belongs to the railway")
FORGET = Forget(reason="asked by the reporter")
ASSIGN = AssignVerification(unit="supervision-centre")
VERIFY = Verify(result="exists", finding="as photographed")

NOTHING = Given()
WAITING = NOTHING.after(submit(), source(UNTRUSTED))
INCOMPLETE = NOTHING.after(
    submit(category=reports.category("E0203"), place=reports.place(street=None, community=None)), source()
)
ACCEPTED = WAITING.after(Accept(), ACCEPTOR)
FILED = ACCEPTED.after(File(), DUTY_LEADER)
REJECTED = WAITING.after(REJECT, ACCEPTOR)
VERIFYING = WAITING.after(ASSIGN, ACCEPTOR)
STATES = {
    "reported": WAITING,
    "verifying": VERIFYING,
    "accepted": ACCEPTED,
    "filed": FILED,
    "rejected": REJECTED,
    "merged": merged(),
}


def test_a_complete_report_of_a_trusted_source_is_reported_accepted_and_filed_at_once() -> None:
    reported, accepted, filed = NOTHING.when(submit(campaign="autumn"), source())

    assert reported == Reported(
        at=NOW,
        by=source(),
        source=TRUSTED,
        channel="topic",
        category=CHOSEN,
        named_category=reports.category(),
        place=reports.public_place(),
        observed_at=NOW - timedelta(hours=1),
        target_type="public_space",
        campaign="autumn",
        content_digest=digest_of(private_content(submission(), reports.SALT)),
        missing=(),
        places_version=1,
    )
    assert accepted == Accepted(at=NOW, by=INTAKE_ITSELF)
    assert filed == Filed(
        at=NOW,
        by=INTAKE_ITSELF,
        source=TRUSTED,
        category=CHOSEN,
        place=reports.public_place(),
        observed_at=NOW - timedelta(hours=1),
        reported_at=NOW,
        target_type="public_space",
        campaign="autumn",
    )


def test_a_complete_report_of_any_other_source_waits_for_an_acceptor() -> None:
    (reported,) = NOTHING.when(submit(), source(UNTRUSTED))
    assert isinstance(reported, Reported)
    assert reported.missing == ()
    assert WAITING.state.status == "reported"


def test_an_incomplete_report_of_a_trusted_source_waits_and_names_what_is_missing() -> None:
    assert INCOMPLETE.state.status == "reported"
    assert INCOMPLETE.state.missing == ("category.condition", "place.street", "place.community")
    assert INCOMPLETE.state.category is None


def test_a_report_is_refused_with_every_field_error_at_once() -> None:
    wrong = submit(
        category=reports.category(system="mars"),
        place=reports.place(longitude=120.0, street="999999999", community="999999999999"),
        observed_at=NOW + timedelta(hours=1),
    )
    refusal = NOTHING.refuses(wrong, source())
    assert refusal.code == "invalid"
    assert [(error.field, error.code) for error in refusal.errors] == [
        ("category.system", "unknown_code_system"),
        ("place", "outside_city"),
        ("place.street", "unknown_street"),
        ("place.community", "unknown_community"),
        ("observed_at", "in_the_future"),
    ]


def test_a_client_that_is_no_source_of_the_city_cannot_report() -> None:
    assert NOTHING.refuses(submit("http"), source("somebody")).code == "not_entitled_source"


def test_a_report_id_is_used_once() -> None:
    assert WAITING.refuses(submit(), source()).code == "wrong_state_report_exists"


@pytest.mark.parametrize("kind", ["units", "places"])
def test_nothing_is_decided_before_the_reference_documents_have_arrived(kind: str) -> None:
    without = ReferenceLibrary({key: known for key, known in LIBRARY.documents.items() if key[0] != kind})
    with pytest.raises(Unavailable, match=kind):
        NOTHING.when(submit(), source(), library=without)


def test_an_acceptor_completes_a_report() -> None:
    command = Complete(
        category=reports.category("E0203", condition="large"),
        place=PlaceCorrection(street=STREET, community=COMMUNITY, grid="g-7"),
    )
    (completed,) = INCOMPLETE.when(command, ACCEPTOR)
    assert completed == Completed(
        at=NOW,
        by=ACCEPTOR,
        category=CategoryCode(system="jiaohe", version=1, code="E0203", condition="large"),
        place=reports.public_place(grid="g-7"),
    )
    assert INCOMPLETE.after(command, ACCEPTOR).state.missing == ()


def test_a_completion_that_leaves_something_missing_is_refused() -> None:
    command = Complete(place=PlaceCorrection(street=STREET, community=COMMUNITY))
    refusal = INCOMPLETE.refuses(command, ACCEPTOR)
    assert refusal.code == "incomplete"
    assert [error.field for error in refusal.errors] == ["category.condition"]


def test_a_completion_is_judged_like_a_submission() -> None:
    command = Complete(place=PlaceCorrection(street=OTHER_STREET))
    refusal = WAITING.refuses(command, ACCEPTOR)
    assert [(error.field, error.code) for error in refusal.errors] == [("place.community", "community_not_in_street")]


def test_a_corrected_place_keeps_the_catalogue_version_that_was_chosen() -> None:
    newer = LIBRARY.with_document("catalogue", "jiaohe", 2, reports.CATALOGUE)
    command = Complete(place=PlaceCorrection(street=OTHER_STREET, community=OTHER_COMMUNITY))
    (completed,) = WAITING.when(command, ACCEPTOR, library=newer)
    assert isinstance(completed, Completed)
    assert completed.category == CHOSEN


def test_an_acceptor_accepts_a_complete_report() -> None:
    (accepted,) = WAITING.when(Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)
    assert (accepted.at, accepted.by) == (NOW, ACCEPTOR)


def test_a_report_with_something_missing_cannot_be_accepted() -> None:
    refusal = INCOMPLETE.refuses(Accept(), ACCEPTOR)
    assert refusal.code == "incomplete"
    assert [error.field for error in refusal.errors] == ["category.condition", "place.street", "place.community"]


def test_a_duty_leader_files_an_accepted_report() -> None:
    (filed,) = ACCEPTED.when(File(), DUTY_LEADER)
    assert isinstance(filed, Filed)
    assert (filed.by, filed.source, filed.category, filed.reported_at) == (DUTY_LEADER, UNTRUSTED, CHOSEN, NOW)


@pytest.mark.parametrize(
    "given, actor, stage",
    [(WAITING, ACCEPTOR, "acceptance"), (VERIFYING, ACCEPTOR, "acceptance"), (ACCEPTED, DUTY_LEADER, "filing")],
)
def test_a_report_is_rejected_by_the_post_of_its_stage(given: Given, actor: Actor, stage: str) -> None:
    (rejected,) = given.when(REJECT, actor)
    assert isinstance(rejected, Rejected)
    assert (rejected.stage, rejected.reason_code, rejected.by) == (stage, "not_ours", actor)


@pytest.mark.parametrize("given, actor", [(WAITING, DUTY_LEADER), (VERIFYING, DUTY_LEADER), (ACCEPTED, ACCEPTOR)])
def test_the_post_of_the_other_stage_does_not_reject(given: Given, actor: Actor) -> None:
    assert given.refuses(REJECT, actor).code == "not_entitled_post"


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("post", ["administrator", "leader"])
def test_content_is_forgotten_in_every_state(status: str, post: Post) -> None:
    given = STATES[status]
    assert given.when(FORGET, person(post)) == [
        ReportContentForgotten(at=NOW, by=person(post), reason="asked by the reporter")
    ]
    after = given.after(FORGET, person(post))
    assert (after.state.status, after.state.content_forgotten) == (status, True)


def test_content_is_forgotten_once() -> None:
    given = FILED.after(FORGET, person("leader"))
    assert given.refuses(FORGET, person("leader")).code == "wrong_state_report_content_forgotten"


WRONG: list[tuple[str, Command, Actor]] = [
    *[(status, Complete(), ACCEPTOR) for status in ("verifying", "accepted", "filed", "rejected", "merged")],
    *[(status, ASSIGN, ACCEPTOR) for status in ("verifying", "accepted", "filed", "rejected", "merged")],
    *[(status, VERIFY, COLLECTOR) for status in ("reported", "accepted", "filed", "rejected", "merged")],
    *[(status, Accept(), ACCEPTOR) for status in ("verifying", "accepted", "filed", "rejected", "merged")],
    *[(status, File(), DUTY_LEADER) for status in ("reported", "verifying", "filed", "rejected", "merged")],
    *[(status, REJECT, ACCEPTOR) for status in ("filed", "rejected", "merged")],
    *[(status, REJECT, DUTY_LEADER) for status in ("filed", "rejected", "merged")],
    *[(status, merge(), ACCEPTOR) for status in ("verifying", "filed", "rejected", "merged")],
]


@pytest.mark.parametrize("status, command, actor", WRONG)
def test_every_other_transition_is_refused_by_name(status: str, command: Command, actor: Actor) -> None:
    assert STATES[status].refuses(command, actor).code == f"wrong_state_report_{status}"


ACTS: list[tuple[Act, set[str]]] = [
    (Complete(), {"acceptor"}),
    (ASSIGN, {"acceptor"}),
    (VERIFY, {"collector"}),
    (Accept(), {"acceptor"}),
    (File(), {"duty_leader"}),
    (REJECT, {"acceptor", "duty_leader"}),
    (merge(), {"acceptor", "duty_leader"}),
    (FORGET, {"administrator", "leader"}),
]


@pytest.mark.parametrize("act, entitled", ACTS)
@pytest.mark.parametrize("post", sorted(reports.HOME_UNITS))
def test_an_act_is_refused_to_every_post_that_is_not_entitled(act: Command, entitled: set[str], post: Post) -> None:
    if post in entitled:
        assert WAITING.refuses(act, person(post, unit="urban-management")).code == "not_entitled_unit"
    else:
        assert WAITING.refuses(act, person(post)).code == "not_entitled_post"


def test_a_post_of_a_unit_that_does_not_exist_may_do_nothing() -> None:
    assert WAITING.refuses(Accept(), person("acceptor", unit="nowhere")).code == "not_entitled_unit"


@pytest.mark.parametrize("act, _entitled", ACTS)
def test_an_act_on_a_report_that_does_not_exist_is_refused(act: Command, _entitled: set[str]) -> None:
    assert NOTHING.refuses(act, ACCEPTOR).code == "unknown_report"


def test_a_stale_expected_revision_is_refused_with_the_current_one() -> None:
    refusal = ACCEPTED.refuses(File(expected_revision=1), DUTY_LEADER)
    assert (refusal.code, refusal.revision) == ("stale_revision", 2)


def test_the_current_expected_revision_is_taken() -> None:
    assert len(ACCEPTED.when(File(expected_revision=2), DUTY_LEADER)) == 1


def test_the_columns_are_what_queries_search_by() -> None:
    assert report.columns(FILED.state) == {
        "status": "filed",
        "source": UNTRUSTED,
        "street": STREET,
        "category_system": "jiaohe",
        "category": "E0702",
        "campaign": None,
        "reported_at": NOW,
        "verify_unit": None,
        "calendar_version": None,
        "policy_version": None,
    }
    assert report.columns(VERIFYING.state)["verify_unit"] == "supervision-centre"
    assert report.columns(VERIFYING.after(REJECT, ACCEPTOR).state)["verify_unit"] is None


def test_a_stream_that_does_not_begin_with_reported_is_no_report() -> None:
    with pytest.raises(ValueError, match="begins with Reported"):
        evolve(None, Accepted(at=NOW, by=ACCEPTOR))
    with pytest.raises(ValueError, match="reported once"):
        evolve(WAITING.state, WAITING.events[0])
