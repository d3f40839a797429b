"""A dispatcher knows better than the power list: 改派 with a reason, and the rule that was not followed is named."""

from shared.contracts.adjustments import CaseRedispatched
from tests.support.cases import DISPATCHER, dispatch_by_hand, sign
from tests.support.telling import STREET, filed


def test_a_dispatcher_sends_a_parking_lock_to_housing_and_the_rule_is_named() -> None:
    # Given: a private parking lock, Monday 20 April 2026, 10:00. Two working days: Wednesday, 10:00.
    lock = filed("2026-04-20 10:00", "E0196")
    assert lock.units == ("urban-management", "public-security", "property-service", STREET)
    assert lock.due("urban-management") == "2026-04-22 10:00"
    assert lock.known.explanation is not None
    assert (lock.known.explanation.decided_by, lock.known.explanation.rule) == ("power_list", "E0196")

    # When: nobody has signed yet, and the place turns out to be a compound.
    [redispatched] = lock.when("2026-04-20 10:40", DISPATCHER, dispatch_by_hand("housing", ["property-service"]))

    # Then: the rule that was not followed stays named, with the reason.
    assert isinstance(redispatched, CaseRedispatched)
    told = redispatched.explanation
    assert (told.decided_by, told.overrides, told.reason) == ("dispatcher", "E0196", "nearest")
    assert [leg.unit for leg in redispatched.withdrawn] == ["urban-management", "public-security", STREET]
    assert (lock.known.rule, lock.known.overridden) == ("E0196", True)

    # Then: new clocks for the new legs, the one of the property company too; the old ones are not scored.
    assert list(lock.units) == ["housing", "property-service"]
    assert lock.due("housing") == lock.due("property-service") == "2026-04-22 10:40"
    assert lock.due_first("property-service") == "2026-04-22 10:40"
    assert lock.sign_due("housing") == "2026-04-20 11:40"

    # When: housing signs at 11:15, which the first clock, due at 11:00, would have called late.
    lock.when("2026-04-20 11:15", "housing", sign)

    # Then
    assert lock.told("housing") == ["2026-04-20 11:10 sign 50 %"]
    again = lock.refuses("2026-04-20 11:20", DISPATCHER, dispatch_by_hand("urban-management"))
    assert again == "wrong_state_case_handling"


def test_in_a_compound_the_narrower_rule_is_the_one_that_is_named() -> None:
    lock = filed("2026-04-20 10:00", "E0196", target_type="resident")
    assert lock.units[0] == "housing"
    lock.when("2026-04-20 10:40", DISPATCHER, dispatch_by_hand("urban-management"))
    assert lock.known.explanation is not None
    assert lock.known.explanation.overrides == "E0196-compound"
