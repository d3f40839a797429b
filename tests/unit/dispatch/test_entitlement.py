"""Who may do what to a case: posts, units, handlers, and the revision that an act expects."""

from typing import get_args

import pytest

from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Post
from shared.kernel.errors import Refusal
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    MARKET,
    POLICE,
    SYSTEM,
    URBAN,
    Case,
    actor,
    check_failed,
    check_passed,
    close,
    department,
    fed_back,
    feed_back,
    open_case,
    opened,
    refusal,
    rule,
    sign,
    signed,
    units_with_posts,
)


def test_the_one_who_handles_never_checks_and_never_closes() -> None:
    generous = units_with_posts(URBAN, "department", "collector", "duty_leader")
    case = Case(units=generous).given((open_case(), SYSTEM), *signed(1, 2, 3), *fed_back(2, 3, 1))
    assert refusal(case.when(check_passed(), actor(URBAN, "collector"))) == "not_entitled_handler"
    case.given((check_passed(), COLLECTOR))
    assert refusal(case.when(close(), actor(URBAN, "duty_leader"))) == "not_entitled_handler"


def test_the_person_who_fed_back_checks_under_no_other_hat() -> None:
    case = opened(rule("alone")).given((sign(1), department(URBAN)), (feed_back(1), department(URBAN, "wang-1")))
    hat = actor("supervision-centre", "collector", "wang-1")
    assert refusal(case.when(check_passed(), hat)) == "not_entitled_handler"


def test_who_fed_back_once_checks_not_even_what_a_colleague_has_reworked() -> None:
    case = opened(rule("alone")).given((sign(1), department(URBAN)), (feed_back(1), department(URBAN, "wang-1")))
    case.given((check_failed(1), COLLECTOR), (feed_back(1), department(URBAN, "li-2")))
    hat = actor("supervision-centre", "collector", "wang-1")
    assert refusal(case.when(check_passed(), hat)) == "not_entitled_handler"


def test_a_department_acts_on_its_own_leg_only() -> None:
    assert refusal(opened().when(sign(1), department(FIRE))) == "not_entitled_other_leg"


def test_posts_are_refused_by_name() -> None:
    case = opened()
    assert refusal(case.when(sign(1), DISPATCHER)) == "not_entitled_post"
    assert refusal(case.when(close(), department(POLICE))) == "not_entitled_post"
    assert refusal(case.when(close(), actor(POLICE, "duty_leader"))) == "not_entitled_post_of_unit"
    assert refusal(case.when(sign(1), department("ghost-office"))) == "not_entitled_unknown_unit"


def test_a_stale_revision_is_refused_with_the_current_one() -> None:
    case = opened().given(*signed(2))
    decision = case.when(feed_back(2, revision=1), department(MARKET))
    assert isinstance(decision, Refusal)
    assert (decision.code, decision.revision) == ("stale_revision", 2)


def test_departments_on_their_own_legs_never_conflict() -> None:
    case = opened()
    case.given(
        (sign(1, 1), department(URBAN)),
        (sign(2, 1), department(MARKET)),
        (sign(3, 1), department(FIRE)),
        (feed_back(3, 2), department(FIRE)),
        (feed_back(2, 2), department(MARKET)),
        (feed_back(1, 2), department(URBAN)),
    )
    assert case.known.revision == 3
    assert refusal(case.when(check_passed(revision=2), COLLECTOR)) == "stale_revision"
    case.given((check_passed(revision=3), COLLECTOR), (close(revision=4), DUTY_LEADER))


def test_a_leg_or_a_case_that_does_not_exist_is_refused_by_name() -> None:
    assert refusal(opened().when(sign(4), department(URBAN))) == "unknown_leg"
    assert refusal(Case().when(sign(1), department(URBAN))) == "unknown_case"


RIGHTS: dict[Post, set[str]] = {
    "department": {
        *("SignLeg", "FeedBackLeg", "RequestLegReturn", "RequestLegExtension", "RequestLegSuspension", "ResumeLeg"),
        *("AnswerSupervision", "AppealLeg"),
        *("OrderRectification", "ClaimRectification", "RecordReinspection", "RecordEnforcement"),
    },
    "street": {"EscalateCase"},
    "collector": {"CheckCase"},
    "dispatcher": {
        *("DispatchCase", "AddLegs", "SendLegBack", "EndorseLegSuspension", "ResumeLeg", "AssignCheck"),
    },
    "duty_leader": {
        *("DecideLegReturn", "DecideLegExtension", "WaiveLeg", "CloseCase", "ProposeVoid", "ReopenCase"),
        *("EscalateCase", "MergeCase", "UnmergeCase"),
    },
    "inspector": {"SuperviseCase"},
    "leader": {
        *("RuleLeg", "DecideLegExtension", "DecideLegSuspension", "WaiveLeg", "DecideVoid", "ReopenCase"),
        *("SuperviseCase", "ReviewLegAppeal"),
    },
    "evaluator": {"ReviewLegAppeal"},
    "acceptor": set(),
    "administrator": set(),
    "source": set(),
    "system": set(),
}
"""Domain 1.3 and 9.2, by hand."""


@pytest.mark.parametrize("post", get_args(Post))
def test_a_post_has_the_rights_that_the_field_gives_it(post: Post) -> None:
    given = {command.__name__ for command, line in TRANSITIONS.items() if post in line.posts}
    assert given == RIGHTS[post]


def test_departments_act_on_their_own_legs_and_whoever_decides_has_no_part_in_the_handling() -> None:
    own = {command.__name__ for command, line in TRANSITIONS.items() if line.own_leg}
    apart = {command.__name__ for command, line in TRANSITIONS.items() if line.apart}
    assert own == RIGHTS["department"]
    # Who sends a case somewhere, watches it or calls for help may be anybody of the post.
    deciding = {name for acts in RIGHTS.values() for name in acts} - own
    assert deciding - apart == {
        "DispatchCase",
        "AddLegs",
        "AssignCheck",
        "SuperviseCase",
        "EscalateCase",
        "UnmergeCase",
    }
