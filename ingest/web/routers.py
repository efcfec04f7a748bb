"""Makes the routers of the API and the console, and adds their routes to an application.

An application takes routes over as they were built. `FastAPI.include_router` would build each of them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from threading import RLock
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.routing import compile_path

_LOCK: Final = RLock()  # the document is made in a thread


class RouteOnDemand(APIRoute):
    """A route that is built when it is first used. Until then it has its path, its methods and its endpoint.

    Building is to work out how each parameter and answer is read and checked: for all routes half of a start's work.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, methods: Iterable[str] | None = None, **options: Any
    ) -> None:
        self.path, self.endpoint = path, endpoint
        self.methods = {method.upper() for method in methods or ["GET"]}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._unbuilt: Mapping[str, Any] | None = {"methods": self.methods, **options}

    def __getattr__(self, name: str) -> Any:
        """Build the route when something is asked for that only a built one has."""
        with _LOCK:
            options, self._unbuilt = self.__dict__.get("_unbuilt"), None
            if options is not None:
                try:
                    super().__init__(self.path, self.endpoint, **options)
                except BaseException:
                    self._unbuilt = options  # the next use fails in the same way
                    raise
        if name in self.__dict__:
            return self.__dict__[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def api_router(
    prefix: str = "",
    *,
    tags: list[str | Enum] | None = None,
    responses: dict[int | str, dict[str, Any]] | None = None,
    dependencies: Sequence[Depends] = (),
) -> APIRouter:
    """Return a router of the API."""
    return APIRouter(
        prefix=prefix, tags=tags, responses=responses, dependencies=[*dependencies], route_class=RouteOnDemand
    )


def page_router(prefix: str = "", *, dependencies: Sequence[Depends] = ()) -> APIRouter:
    """Return a router of the console: outside the OpenAPI document."""
    return APIRouter(prefix=prefix, dependencies=[*dependencies], include_in_schema=False, route_class=RouteOnDemand)


def add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routes of routers to an application, in their order."""
    for router in routers:
        app.router.routes += router.routes
