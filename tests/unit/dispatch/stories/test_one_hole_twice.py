"""Two people report one missing manhole cover: 并案, 撤销并案, and a master that turns out to be nothing (作废)."""

from dataclasses import replace

from tests.support.cases import CASE_ID, DUTY_LEADER, LEADER, feed_back, sign
from tests.support.ends import MASTER_ID, approve_void, merge, propose_void, unmerge
from tests.support.telling import Life, as_local, filed, handled, they_talk

WATER = "water-supply"


def told_of_one_hole() -> tuple[Life, Life]:
    """Thursday 11 June 2026: reported at 09:00 and at 09:20, and at 09:30 found to be one."""
    master = filed("2026-06-11 09:00", "P0101", case_id=MASTER_ID)
    other = filed("2026-06-11 09:20", "P0101")
    other.when("2026-06-11 09:30", DUTY_LEADER, merge())
    they_talk("2026-06-11 09:30", master, other)
    return master, other


def test_a_merged_case_stands_still_and_goes_on_when_it_is_unmerged() -> None:
    # Given: two urgent hours each; an hour to sign.
    master, other = told_of_one_hole()
    assert (master.due(WATER), other.due(WATER)) == ("2026-06-11 11:00", "2026-06-11 11:20")
    assert (other.stage, other.known.master) == ("merged", MASTER_ID)
    assert (master.stage, master.known.carries) == ("dispatched", (CASE_ID,))

    # When: an hour later it is another hole after all.
    other.when("2026-06-11 10:30", DUTY_LEADER, unmerge())
    they_talk("2026-06-11 10:30", master, other)

    # Then: it goes on with that hour more, to handle and to sign; nothing of it was told meanwhile.
    assert (other.stage, master.known.carries) == ("dispatched", ())
    assert other.due(WATER) == "2026-06-11 12:20"
    assert other.sign_due(WATER) == "2026-06-11 11:20"
    assert other.told(WATER) == []
    assert master.due(WATER) == "2026-06-11 11:00"

    # When: both are covered; nobody had signed for the first within its hour.
    handled(other, "2026-06-11 10:50", sign)
    for hole in (master, other):
        handled(hole, "2026-06-11 10:55", feed_back)

    # Then: time had gone on for the first while the other stood still.
    assert master.told(WATER)[2:] == [
        "2026-06-11 10:00 handle 50 %",
        "2026-06-11 10:00 sign breached",
        "2026-06-11 10:00 counted as signed",
        "2026-06-11 10:36 handle 80 %",
    ]
    assert other.told(WATER) == []


def test_a_case_whose_master_is_voided_goes_on_by_itself() -> None:
    # Given
    master, other = told_of_one_hole()

    # When: at 09:45 there is nothing where the first report says, and at 09:50 the leader agrees.
    master.when("2026-06-11 09:45", DUTY_LEADER, replace(propose_void(), case_id=MASTER_ID))
    master.when("2026-06-11 09:50", LEADER, replace(approve_void(), case_id=MASTER_ID))
    they_talk("2026-06-11 09:50", master, other)

    # Then: twenty minutes more for the other, which nobody has to ask for.
    assert (master.stage, other.stage) == ("voided", "dispatched")
    assert other.known.master is None
    assert other.due(WATER) == "2026-06-11 11:40"
    assert other.sign_due(WATER) == "2026-06-11 10:40"
    [pause] = other.clock(WATER).pauses
    assert (as_local(pause.started_at), as_local(pause.ended_at)) == ("2026-06-11 09:30", "2026-06-11 09:50")

    # When: it is covered at the last minute.
    handled(other, "2026-06-11 10:05", sign)
    handled(other, "2026-06-11 11:40", feed_back)

    # Then: of the two hours half were used at 10:40 and four fifths at 11:16.
    assert other.told(WATER) == ["2026-06-11 10:40 handle 50 %", "2026-06-11 11:16 handle 80 %"]
    assert other.leg(WATER).overdue_at is None
