"""Nobody signs: 视同签收, 预警, 超期, a late feedback, and an appeal that exempts but forgets nothing."""

from tests.support.cases import DUTY_LEADER, LEADER, check_passed, close, feed_back
from tests.support.ends import EVALUATOR, appeal, uphold_appeal
from tests.support.telling import STREET, Life, as_local, filed

URBAN = "urban-management"
LEG = 1


def closed_late() -> Life:
    """An illegal advertisement, Tuesday 10 March 2026, 14:00, that nobody signs for."""
    sign_board = filed("2026-03-10 14:00", "E0203")
    sign_board.when("2026-03-11 09:00", STREET, feed_back)
    sign_board.when("2026-03-11 15:30", URBAN, feed_back)
    sign_board.when("2026-03-11 16:30", sign_board.checker, check_passed())
    sign_board.when("2026-03-11 17:00", DUTY_LEADER, close())
    return sign_board


def test_who_does_not_sign_is_warned_counted_as_signed_and_overdue() -> None:
    # Given: one working hour to sign, 14:00 to 15:00; one working day to handle: 4 hours today, 4 tomorrow.
    unsigned = filed("2026-03-10 14:00", "E0203")
    assert unsigned.sign_due(URBAN) == "2026-03-10 15:00"
    assert unsigned.due(URBAN) == "2026-03-11 12:00"

    # When: the street handles its part, which it may without ever having signed; urban management is late.
    late = closed_late()

    # Then
    assert late.told(URBAN) == [
        "2026-03-10 14:30 sign 50 %",
        "2026-03-10 14:48 sign 80 %",
        "2026-03-10 15:00 sign breached",
        "2026-03-10 15:00 counted as signed",
        "2026-03-10 18:00 handle 50 %",
        "2026-03-11 10:24 handle 80 %",
        "2026-03-11 12:00 handle breached",
    ]
    assert late.told(STREET)[3:] == ["2026-03-10 15:00 counted as signed", "2026-03-10 18:00 handle 50 %"]
    assert late.leg(URBAN).counted_as_signed
    assert late.leg(URBAN).signed_at is None
    # The check was due after 2.5 hours of that afternoon and 1.5 of the next morning, and was in time.
    assert late.check_due() == "2026-03-12 09:30"
    assert late.told(None) == []
    assert late.stage == "closed"


def test_two_reviewers_uphold_an_appeal_and_the_overdue_fact_stays() -> None:
    # Given
    late = closed_late()
    assert late.refuses("2026-03-12 08:30", STREET, appeal) == "wrong_state_not_overdue"

    # When: the department appeals, and the evaluator agrees; twice is not two persons.
    late.when("2026-03-12 09:00", URBAN, appeal)
    late.when("2026-03-12 10:00", EVALUATOR, uphold_appeal(LEG))
    assert late.refuses("2026-03-12 10:05", EVALUATOR, uphold_appeal(LEG)) == "not_entitled_reviewer"
    late.when("2026-03-12 11:00", LEADER, uphold_appeal(LEG))

    # Then
    found = late.leg(URBAN)
    assert found.appeal is not None
    assert found.appeal.decision == "upheld"
    assert found.overdue_at is not None
    assert as_local(found.overdue_at) == "2026-03-11 12:00"
    assert late.refuses("2026-03-12 11:30", URBAN, appeal) == "wrong_state_already_appealed"
