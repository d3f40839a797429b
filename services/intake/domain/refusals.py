"""Why an act on a report is refused, beside what is wrong or missing in it (`admission`)."""

from shared.kernel.errors import FieldError, Refusal


def wrong_state(state: str, detail: str) -> Refusal:
    """Return the refusal of an act that the state of the report does not allow."""
    return Refusal(code=f"wrong_state_report_{state}", detail=detail)


def verified_absent() -> Refusal:
    """Return the refusal to accept without a reason what was not found on site."""
    message = "The verification did not find it on site: reject it, or say why it is accepted."
    return Refusal(
        code="verified_absent",
        detail=message,
        errors=(FieldError(field="reason", code="required", message=message),),
    )


def no_verifier(unit: str) -> Refusal:
    """Return the refusal to let this unit look on site."""
    message = f"{unit} has no collectors."
    return Refusal(
        code="no_verifier", detail=message, errors=(FieldError(field="unit", code="no_verifier", message=message),)
    )
