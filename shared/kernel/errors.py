"""Values and exceptions that say what is wrong; every adapter translates into one of these once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing that is wrong with one field.

    `field` is a path such as `location.latitude` ("" for the whole message), `code` is stable and public,
    `message` is for a person.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The answer "no" to a command: a value, not an exception. `code` is stable and public."""

    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    revision: int | None = None
    """The current revision, where the refusal is about a stale one."""


class Unavailable(Exception):
    """Something of ours (database, broker) does not answer: halt, keep the message, try again (I-8)."""


class Unreadable(Exception):
    """A message that cannot be decoded. Carries every field error found.

    Raises are caught where the message entered; the sender gets the errors on its receipt.
    """

    def __init__(self, code: str, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors

    def refusal(self) -> Refusal:
        """Return the same statement as a refusal."""
        return Refusal(code=self.code, detail=self.detail, errors=self.errors)
