"""The OpenAPI description: made from the handlers, with the problems that every one of them may answer."""

import copy
from typing import Any, Final

import msgspec
from litestar import Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from shared.web.authentication import PUBLIC
from shared.web.problem import MEDIA_TYPE, Problem

_REFERENCE: Final = "#/components/schemas/{name}"
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_GENERATED: Final = "400"
"""Litestar documents its own validation errors here; the application answers problems instead."""


def describe(title: str, version: str, description: str) -> OpenAPIConfig:
    """Return what serves /schema/openapi.json, without a token and without pages from other servers."""
    return OpenAPIConfig(
        title=title,
        version=version,
        description=description,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        security=[{"token": []}],
        openapi_router=Router(path="/schema", route_handlers=[], opt={PUBLIC: True}),
        render_plugins=[_WithProblems(path="/openapi.json")],
    )


class _WithProblems(JsonRenderPlugin):
    """Adds to every operation that it may answer a problem."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the description as JSON."""
        return super().render(request, with_problems(openapi_schema))


def with_problems(description: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document with `default: problem+json` in every operation."""
    changed = copy.deepcopy(description)
    (_, components) = msgspec.json.schema_components([Problem], ref_template=_REFERENCE)
    changed.setdefault("components", {}).setdefault("schemas", {}).update(components)
    response = {
        "description": "A problem (RFC 9457), with every field error at once.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name=Problem.__name__)}}},
    }
    for path in changed.get("paths", {}).values():
        for method in _METHODS & path.keys():
            responses = path[method].setdefault("responses", {})
            responses.pop(_GENERATED, None)
            responses["default"] = response
    return changed
