"""With which HTTP status an act on a case is refused."""

from http import HTTPStatus

from services.dispatch.domain.refusals import OF_ACTS
from shared.web.problem import status_of


def status_of_refusal(code: str) -> HTTPStatus:
    """Return 409 where the state of the case does not allow the act, whatever its name; else what the name says."""
    meaning = OF_ACTS.get(code)
    return HTTPStatus.CONFLICT if meaning is not None and meaning.of_state else status_of(code)
