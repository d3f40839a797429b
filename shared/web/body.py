"""Bodies decoded as messages are: by their class, with every field error at once, and documented by that class."""

from collections.abc import Generator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from litestar.dto import AbstractDTO, DTOConfig
from litestar.typing import FieldDefinition

from shared.contracts.validation import decode
from shared.web.problem import ProblemError

if TYPE_CHECKING:
    from litestar.dto._backend import DTOBackend
    from litestar.dto.data_structures import DTOFieldDefinition
    from litestar.openapi.spec import Reference, Schema

_JSON: Final = "application/json"


class MessageBody(AbstractDTO[Any]):
    """How a handler's `data: SomeMessage` is read, for the whole application.

    Litestar's own decoding stops at the first wrong field; a data transfer object is its way to replace it. This one
    transfers nothing: the message itself is what the handler gets.
    """

    config = DTOConfig()

    def decode_bytes(self, value: bytes) -> Any:  # noqa: ANN401 - Litestar's signature
        """Decode the body as the message that the handler declares.

        Raises:
            Unreadable: with every field error.
            ProblemError: 415, when the body says that it is no JSON.
        """
        content_type = self.asgi_connection.headers.get("content-type", _JSON).split(";")[0].strip().lower()
        if content_type != _JSON and not content_type.endswith("+json"):
            detail = f"The content type {content_type} is not read; send {_JSON}."
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        field = self.asgi_connection.route_handler.parsed_data_field
        return decode(field.annotation, value)

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: "type[DTOBackend] | None" = None
    ) -> None:
        """Prepare nothing: there is no second model of the message."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003
        schema_creator: Any,  # noqa: ANN401
    ) -> "Reference | Schema":
        """Return the schema of the message."""
        found: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return found

    @classmethod
    def generate_field_definitions(
        cls,
        model_type: type[Any],  # noqa: ARG003
    ) -> "Generator[DTOFieldDefinition, None, None]":
        """Yield none: there is no second model of the message."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003
        """Never asked for: there is no second model of the message."""
        return False
