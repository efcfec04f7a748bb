"""What the OpenAPI document says of every route, its problems; and which methods an address takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from ingest.web.inputs import TEXT
from ingest.web.rest.schemas import ProblemOut

_REF: Final = "#/components/schemas/{model}"
_CONTENT: Final = {"application/problem+json": {"schema": {"$ref": _REF.format(model=ProblemOut.__name__)}}}
_FORMS: Final = frozenset({"pattern", "format", "enum", "const", "contentMediaType"})
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
        _describe_texts(whole)
        return whole

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI asks for it to be extended


def _describe_texts(document: dict[str, Any]) -> None:
    """Say of every text of a request that has no other form which characters it may hold."""
    schemas, seen = document["components"]["schemas"], set[str]()

    def describe(node: object) -> None:
        if isinstance(node, list):
            for one in node:
                describe(one)
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                describe(schemas[name])
            if node.get("type") == "string" and _FORMS.isdisjoint(node):
                node["pattern"] = TEXT
            describe(list(node.values()))

    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
            describe([operation.get("parameters"), operation.get("requestBody")])


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is not null: no address and no header can say that."""
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return schema if len(kinds) != 1 else {name: schema[name] for name in schema if name != "anyOf"} | kinds[0]


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
