"""What the OpenAPI document says of every route, its problems; and which methods an address takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from ingest.api.rest.schemas import ProblemOut

_REF: Final = "#/components/schemas/{model}"
_CONTENT: Final = {"application/problem+json": {"schema": {"$ref": _REF.format(model=ProblemOut.__name__)}}}
_SAID: Final[Mapping[int, str]] = {
    400: "the request cannot be read",
    401: "no token, or one that is not known",
    403: "not for this role",
    404: "does not exist, or not for this token",
    405: "this address does not take that method: Allow",
    409: "not possible in the present state; what was looked at may have changed",
    413: "the body is larger than the limit",
    422: "a parameter is wrong: which, and what was expected",
    429: "this token has as many of these under way as one may have, or too many were wrong: Retry-After",
    503: "a part of the service does not answer: Retry-After",
}

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": said, "content": _CONTENT} for code, said in _SAID.items()
}
"""By status: the problems that any route may answer with."""


def complete(app: FastAPI) -> None:
    """Let the application's document hold the shape of problems too, to which every route refers."""
    made: Callable[[], dict[str, Any]] = app.openapi

    @cache
    def document() -> dict[str, Any]:
        whole = made()
        problem = ProblemOut.model_json_schema(ref_template=_REF)
        whole["components"]["schemas"] |= {**problem.pop("$defs", {}), ProblemOut.__name__: problem}
        return whole

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI asks for it to be extended


def allowed(app: FastAPI) -> Callable[[str], str]:
    """Return what says which methods an address takes, whichever of its routes take them, as `Allow` has it."""
    routes = [
        (compile_path(context.path)[0], context.methods)
        for context in iter_route_contexts(app.routes)
        if context.path is not None and context.methods
    ]

    def methods(path: str) -> str:
        return ", ".join(sorted({one for regex, some in routes if regex.match(path) for one in some}))

    return methods
