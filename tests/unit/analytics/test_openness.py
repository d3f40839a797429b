"""Why a case is open: one code a situation, and a sentence that names the units."""

from collections.abc import Callable

import pytest

from services.analytics.domain.names import Name
from services.analytics.domain.openness import Reason, why_open
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
