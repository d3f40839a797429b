"""A refusal that is about the state of the case is a conflict over HTTP, whatever its name."""

from http import HTTPStatus

import pytest

from services.dispatch.api.statuses import status_of_refusal
from services.dispatch.domain.refusals import OF_ACTS, OF_THE_TABLE

CONFLICTS = {
    *("already_ruled", "returns_exhausted", "returns_not_exhausted", "overdue"),
    *("no_clock", "extensions_exhausted", "extension_pending", "no_extension_pending"),
    *("suspension_pending", "no_suspension_pending", "suspended_before"),
    "limit_not_over",
    *("already_endorsed", "not_endorsed", "until_passed"),
    *("nothing_changes", "already_assigned", "too_late", "not_upwards", "level_jump"),
}
"""Besides those that are called `wrong_state_…`, and a stale revision."""
UNPROCESSABLE = {
    *("invalid", "required", "not_expected", "unknown_unit", "unit_has_leg", "no_checker", "leg_not_fed_back"),
    *("until_not_future", "until_too_far", "in_the_past", "same_case"),
    *("void_needed", "lead_not_waivable", "site_check_required"),
}
"""What is wrong with what was said, or is never allowed for such a case."""


def expected(code: str) -> HTTPStatus:
    if code in CONFLICTS or code.startswith("wrong_state_") or code == "stale_revision":
        return HTTPStatus.CONFLICT
    if code.startswith("not_entitled_"):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.UNPROCESSABLE_ENTITY if code in UNPROCESSABLE else HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("code", [*OF_THE_TABLE, *OF_ACTS])
def test_every_refusal_has_the_status_of_what_it_is_about(code: str) -> None:
    assert status_of_refusal(code) == expected(code)


def test_a_code_that_no_act_on_a_case_has_keeps_the_status_of_its_name() -> None:
    assert status_of_refusal("key_reused") == HTTPStatus.UNPROCESSABLE_ENTITY
