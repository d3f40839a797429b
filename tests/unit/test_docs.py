"""The pages that are made from the code are current, and know every name."""

from typing import get_args

from deploy.docs import terms
from deploy.docs.case_page import CASE_PAGE, case_page
from services.dispatch.domain.case import CASE_STAGES
from services.dispatch.domain.legs import LEG_STAGES
from services.dispatch.domain.merging import MergeCommand
from services.dispatch.domain.paths import CASE_WAYS, LEG_WAYS
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Post


def test_the_page_of_the_case_is_what_the_code_says() -> None:
    assert CASE_PAGE.read_text("utf-8") == case_page(), "make docs"


def test_the_page_has_a_line_for_every_act_and_a_column_for_every_post_that_has_rights() -> None:
    page = CASE_PAGE.read_text("utf-8")
    assert [command.__name__ for command in TRANSITIONS if page.count(f"`{command.__name__}`") < 2] == []
    entitled = {post for line in TRANSITIONS.values() for post in line.posts}
    assert [post for post in entitled if f"{post} {terms.POSTS[post]}" not in page] == []


def test_the_page_shows_every_way_from_state_to_state() -> None:
    page = CASE_PAGE.read_text("utf-8")
    ways = {way for table in (CASE_WAYS, LEG_WAYS) for ways in table.values() for way in ways}
    assert [way for way in ways if f"  {way[0] or '[*]'} --> {way[1]} : " not in page] == []


def test_everything_has_its_term() -> None:
    assert tuple(terms.CASE_STAGES) == CASE_STAGES
    assert tuple(terms.LEG_STAGES) == LEG_STAGES
    assert set(terms.POSTS) == set(get_args(Post))
    assert set(terms.COMMANDS) >= {*TRANSITIONS, *CASE_WAYS, *LEG_WAYS, *get_args(MergeCommand)}


def test_policies_are_answered_in_every_state() -> None:
    """Written by hand: what the other case of a merge may hear."""
    admitting = next(line for line in case_page().splitlines() if line.startswith("| `AdmitMerge` |"))
    said = [cell.strip(" `") for cell in admitting.split("|")[2:-1]]
    assert said == ["CaseMergeAdmitted"] * 6 + ["CaseMergeDeclined"] * 3
