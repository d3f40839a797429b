"""Why a case is open: one code a situation, and a sentence that names the units."""

from collections.abc import Callable

import pytest

from services.analytics.domain.names import Name
from services.analytics.domain.openness import Reason, why_open
from shared.contracts.intake import VerificationResult
from tests.support.lives import MASTER, SPRING, asking, dispatched, merged_report
from tests.support.long_stories import LongStory
from tests.support.stories import Story
from tests.unit.analytics.test_facts import fold

UNITS = {
    "ecology": Name(zh="生态环境", en="Ecology"),
    "housing": Name(zh="住建", en="Housing"),
}


def reasons(story: Story) -> tuple[Reason, ...]:
    return why_open(*fold([*story.reports, *story.cases]), UNITS)


def joint() -> Story:
    return Story().filed().opened().dispatched("ecology", "housing")


SITUATIONS: dict[str, tuple[Callable[[], Story], list[tuple[str, str | None]]]] = {
    "a report with something missing": (lambda: Story(missing=("condition",)), [("incomplete", None)]),
    "a complete report of an untrusted source": (Story, [("not_accepted", None)]),
    "a report that somebody is to verify": (lambda: Story().verification_assigned(), [("not_verified", None)]),
    "a report that was verified": (
        lambda: Story().verification_assigned().verified("exists"),
        [("not_accepted", None)],
    ),
    "a report that was rejected while somebody was to verify it": (
        lambda: Story().verification_assigned().rejected(),
        [],
    ),
    "an accepted report": (lambda: Story().accepted(), [("not_filed", None)]),
    "a filed report that dispatch has not seen": (lambda: Story().filed(), [("not_opened", None)]),
    "a case without a rule": (lambda: Story().filed().opened().unroutable(), [("unroutable", None)]),
    "a case before its dispatch": (lambda: Story().filed().opened(), [("not_dispatched", None)]),
    "two legs that nobody signed": (joint, [("not_signed", "ecology"), ("not_signed", "housing")]),
    "one leg that nobody signed": (
        lambda: joint().signed(1),
        [("waiting_for_support", "ecology"), ("not_signed", "housing")],
    ),
    "a return that waits for its ruling": (
        lambda: joint().signed(2).fed_back(2).return_requested(1),
        [("return_pending", "ecology")],
    ),
    "a lead that handles alone": (lambda: joint().signed(1).waived(2), [("handling", "ecology")]),
    "a support that handles": (
        lambda: joint().signed(1).signed(2),
        [("waiting_for_support", "ecology"), ("handling", "housing")],
    ),
    "everything fed back": (lambda: joint().signed(2).fed_back(2).signed(1).fed_back(1), [("waiting_for_check", None)]),
    "a failed check": (
        lambda: joint().signed(2).fed_back(2).signed(1).fed_back(1).check_failed(2),
        [("rework", "housing")],
    ),
    "a reworked leg that was fed back": (
        lambda: joint().signed(2).fed_back(2).signed(1).fed_back(1).check_failed(2).fed_back(2),
        [("waiting_for_check", None)],
    ),
    "a passed check": (lambda: Story().handled("ecology"), [("waiting_for_closure", None)]),
    "a closed case": (lambda: Story().handled("ecology").closed(), []),
    "a rejected report": (lambda: Story().rejected(), []),
    "a leg that was sent back": (
        lambda: dispatched("ecology").signed().fed_back().sent_back(),
        [("rework", "ecology")],
    ),
    "a leg that asked for more time": (
        lambda: dispatched("ecology").signed().extension_requested(),
        [("handling", "ecology"), ("extension_requested", "ecology")],
    ),
    "a leg that asked to be suspended": (
        lambda: dispatched("ecology").signed().suspension_requested(SPRING),
        [("handling", "ecology"), ("suspension_requested", "ecology")],
    ),
    "a suspension that waits for the leader": (
        lambda: dispatched("ecology").signed().suspension_requested(SPRING).suspension_endorsed(),
        [("handling", "ecology"), ("suspension_endorsed", "ecology")],
    ),
    "a suspended leg": (
        lambda: dispatched().signed(2).suspended(SPRING, 2).signed(1),
        [("waiting_for_support", "ecology"), ("suspended", "housing")],
    ),
    "an assigned check": (
        lambda: dispatched("ecology").signed().fed_back().check_assigned(),
        [("waiting_for_check", None)],
    ),
    "a reopened case": (
        lambda: LongStory().handled("ecology", "housing").closed().reopened(2),
        [("reopened", "housing")],
    ),
    "a reopened case that was fed back": (
        lambda: LongStory().handled("ecology").closed().reopened().fed_back(),
        [("waiting_for_check", None)],
    ),
    "a proposal to void": (
        lambda: dispatched("ecology").void_proposed(),
        [("void_proposed", None), ("not_signed", "ecology")],
    ),
    "a voided case": (lambda: dispatched().void_proposed().voided(), []),
    "a merge that waits for the master": (
        lambda: dispatched("ecology").merge_requested(MASTER),
        [("merge_pending", None), ("not_signed", "ecology")],
    ),
    "a merged case": (lambda: dispatched().merge_requested(MASTER).merged(MASTER), []),
    "a report that waits for its master": (asking, [("merge_pending", None), ("not_accepted", None)]),
    "a merged report": (merged_report, []),
    "a supervised case": (
        lambda: dispatched("ecology").supervised(),
        [("not_signed", "ecology"), ("supervised", None)],
    ),
    "a supervised case that was answered": (
        lambda: dispatched("ecology").supervised().supervision_answered(),
        [("not_signed", "ecology")],
    ),
    "an escalated case": (
        lambda: dispatched("ecology").escalated("street", "city"),
        [("not_signed", "ecology"), ("escalated", None)],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_has_its_reason(situation: str) -> None:
    tell, expected = SITUATIONS[situation]
    assert [(reason.code, reason.unit) for reason in reasons(tell())] == expected


def test_a_reason_names_the_units_in_both_languages() -> None:
    lead, support = reasons(joint().signed(1))
    assert lead.zh == "生态环境（主办）处置中，等待住建反馈。"
    assert lead.en == "Ecology (lead) is handling and waits for feedback of Housing."
    assert support.zh == "住建（协办）尚未签收。"


def test_a_unit_that_the_document_does_not_know_goes_by_its_code() -> None:
    (reason,) = reasons(Story().filed().opened().dispatched("court"))
    assert reason.zh == "court（主办）尚未签收。"


def test_what_is_missing_is_named_for_people() -> None:
    (reason,) = reasons(Story(missing=("condition", "place.street")))
    assert reason.zh == "已上报，尚缺：立案条件、街道。"
    assert reason.en == "Reported; still missing: filing condition, street."


def test_a_failed_check_says_what_it_found() -> None:
    story = joint().signed(2).fed_back(2).signed(1).fed_back(1).check_failed(2, reason="仍有垃圾")
    assert reasons(story)[0].zh == "核查未通过（仍有垃圾）；住建（协办）返工中。"


def test_a_case_whose_report_has_not_arrived_explains_itself() -> None:
    case = fold(list(joint().cases))[1]
    assert [reason.code for reason in why_open(None, case, UNITS)] == ["not_signed", "not_signed"]


SENTENCES: dict[str, tuple[Callable[[], Story], str, str]] = {
    "suspended": (
        lambda: dispatched("ecology").signed().suspended(SPRING),
        "生态环境（主办）已挂账，至2027-03-16 09:00。",
        "Ecology (lead) is suspended until 2027-03-16 09:00.",
    ),
    "suspension_endorsed": (
        lambda: dispatched("ecology").signed().suspension_requested(SPRING).suspension_endorsed(),
        "生态环境（主办）申请挂账，已初审，等待领导审批。",
        "Ecology (lead) asked to be suspended, endorsed; waits for the leader.",
    ),
    "extension_requested": (
        lambda: dispatched("ecology").signed().extension_requested(),
        "生态环境（主办）申请延期，等待审批。",
        "Ecology (lead) asked for more time; awaits a decision.",
    ),
    "reopened": (
        lambda: LongStory().handled("ecology").closed().reopened(),
        "案件因虚假结案重开（staged photo）；生态环境（主办）重新处置中。",
        "Reopened: it had been closed falsely (staged photo); Ecology (lead) handles it again.",
    ),
    "rework": (
        lambda: dispatched("ecology").signed().fed_back().sent_back(),
        "反馈不充分，退回补充（no photo）；生态环境（主办）返工中。",
        "The feedback was sent back as insufficient (no photo); Ecology (lead) reworks.",
    ),
    "not_verified": (
        lambda: Story().verification_assigned("housing"),
        "已上报，等待住建核实。",
        "Reported; Housing is to verify it.",
    ),
    "waiting_for_check": (
        lambda: dispatched("ecology").signed().fed_back().check_assigned("housing"),
        "各单位均已反馈，等待住建核查。",
        "Every unit has fed back; waits for a check by Housing.",
    ),
    "void_proposed": (
        lambda: dispatched("ecology").void_proposed(),
        "已提请作废（现场未发现），等待领导审批。",
        "Proposed to be voided (not found on site); waits for the leader.",
    ),
    "merge_pending": (
        lambda: dispatched("ecology").merge_requested(MASTER),
        f"已提请并入案件 {MASTER}，等待答复。",
        f"Asked to be merged into case {MASTER}; waits for its answer.",
    ),
    "escalated": (
        lambda: dispatched("ecology").escalated("street", "city"),
        "已升级，由市级负责解决。",
        "Escalated: to be solved at city level.",
    ),
}


def test_a_report_that_asks_names_its_master_in_both_languages() -> None:
    asked, _ = reasons(asking())
    assert (asked.zh, asked.en) == (
        f"已提请并入上报 {MASTER}，等待答复。",
        f"Asked to be merged into report {MASTER}; waits for its answer.",
    )


@pytest.mark.parametrize("code", SENTENCES)
def test_each_reason_is_said_in_both_languages(code: str) -> None:
    tell, zh, en = SENTENCES[code]
    (reason,) = (reason for reason in reasons(tell()) if reason.code == code)
    assert (reason.zh, reason.en) == (zh, en)


@pytest.mark.parametrize(
    "result, zh, en",
    [
        ("exists", "已核实属实，等待受理员受理。", "Verified; waits for an acceptor to accept it."),
        ("absent", "核实未发现，等待受理员决定。", "Not found on site; waits for an acceptor to decide."),
        ("undetermined", "无法核实，等待受理员决定。", "Could not be verified; waits for an acceptor to decide."),
    ],
)
def test_a_report_that_was_verified_says_what_was_found(result: VerificationResult, zh: str, en: str) -> None:
    (reason,) = reasons(Story().verification_assigned().verified(result))
    assert (reason.zh, reason.en) == (zh, en)
