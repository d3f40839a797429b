"""Why an act on a report is refused, beside what is wrong or missing in it (`admission`)."""

from shared.kernel.errors import Refusal


def wrong_state(state: str, detail: str) -> Refusal:
    """Return the refusal of an act that the state of the report does not allow."""
    return Refusal(code=f"wrong_state_report_{state}", detail=detail)
