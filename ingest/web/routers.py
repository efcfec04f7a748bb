"""Makes the routers of the console, and adds routes to an application.

An application takes routes over as they were built. `FastAPI.include_router` would build each of them again, which is
half of what an application takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends


def page_router(prefix: str = "", *, dependencies: Sequence[Depends] = ()) -> APIRouter:
    """Return a router of the console: outside the OpenAPI document."""
    return APIRouter(prefix=prefix, dependencies=[*dependencies], include_in_schema=False)


def add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routes of routers to an application, in their order."""
    for router in routers:
        app.router.routes += router.routes
