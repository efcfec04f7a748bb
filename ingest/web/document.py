"""Completes the OpenAPI document with problem responses and text patterns, and finds the methods of a path."""

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
_DESCRIPTIONS: Final[Mapping[int, str]] = {
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
    code: {"description": description, "content": _CONTENT} for code, description in _DESCRIPTIONS.items()
}
"""Problem responses that every route may return, by status."""


def complete_document(app: FastAPI) -> None:
    """Add the schema of problems, to which every route refers, and text patterns to the application's document."""
    generate: Callable[[], dict[str, Any]] = app.openapi

    @cache
    def document() -> dict[str, Any]:
        whole = generate()
        problem = ProblemOut.model_json_schema(ref_template=_REF)
        whole["components"]["schemas"] |= {**problem.pop("$defs", {}), ProblemOut.__name__: problem}
        _describe_texts(whole)
        return whole

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI asks for it to be extended


def _describe_texts(document: dict[str, Any]) -> None:
    """Add the pattern of storable text to every string of a request that has no other constraint."""
    schemas, seen = document["components"]["schemas"], set[str]()

    def describe(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                describe(item)
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
    """Drop null from an optional parameter's schema: no URL and no header can hold one."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    return schema if len(kinds) != 1 else {name: schema[name] for name in schema if name != "anyOf"} | kinds[0]


def allowed_methods(app: FastAPI) -> Callable[[str], str]:
    """Return a function that gives the methods of a path over all of its routes, as the header `Allow` has them."""
    routes = [
        (compile_path(context.path)[0], context.methods)
        for context in iter_route_contexts(app.routes)
        if context.path is not None and context.methods
    ]

    def methods(path: str) -> str:
        return ", ".join(sorted({method for regex, some in routes if regex.match(path) for method in some}))

    return methods
