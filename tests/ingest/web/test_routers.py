"""A route that is built when it is first used answers as one that was built at once, and is built one time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute

from ingest.services.config import ApiConfig
from ingest.web.app import build_api
from ingest.web.routers import RouteOnDemand, add_routes, api_router
from tests.ingest.web.stand_in import StandIn

REQUESTS = [
    ("GET", "/things/7?limit=2"),
    ("GET", "/things/7"),
    ("GET", "/things/seven?limit=-1"),
    ("POST", "/things/7"),
    ("PATCH", "/things/7"),
    ("DELETE", "/things/7"),
    ("HEAD", "/things/7"),
    ("GET", "/nothing"),
]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[APIRoute]:
    """Every route that is built from now on, in order."""
    routes: list[APIRoute] = []
    build = APIRoute.get_route_handler

    def counted(route: APIRoute) -> Callable[[Any], Awaitable[Any]]:
        routes.append(route)
        return build(route)

    monkeypatch.setattr(APIRoute, "get_route_handler", counted)
    return routes


def application(router: APIRouter) -> FastAPI:
    @router.get("/things/{thing}", tags=["things"])
    def thing(thing: int, limit: int = 5) -> dict[str, int]:
        """Return a thing."""
        return {"thing": thing, "limit": limit}

    @router.api_route("/things/{thing}", methods=["post", "PATCH"], status_code=201, include_in_schema=False)
    def put(thing: int) -> dict[str, int]:
        return {"thing": thing}

    app = FastAPI()
    add_routes(app, router)
    return app


async def answers(app: FastAPI) -> list[tuple[int, dict[str, str], bytes]]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test") as client:
        found = [await client.request(method, path) for method, path in REQUESTS]
    return [(answer.status_code, dict(answer.headers), answer.content) for answer in found]


async def test_it_answers_and_is_documented_as_one_that_is_built_at_once(built: list[APIRoute]) -> None:
    at_once, on_demand = application(APIRouter(prefix="")), application(api_router())
    expected = await answers(at_once)
    del built[:]
    assert await answers(on_demand) == expected
    assert await answers(on_demand) == expected, "the second time, too"
    assert on_demand.openapi() == at_once.openapi()
    assert built == [route for route in on_demand.routes if isinstance(route, RouteOnDemand)], "one time each"


def test_many_threads_at_once_build_it_one_time(built: list[APIRoute]) -> None:
    (route, _) = [route for route in application(api_router()).routes if isinstance(route, RouteOnDemand)]
    del built[:]
    together = Barrier(8)

    def use(name: str) -> Any:
        together.wait(60)
        return getattr(route, name)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(use, ["app", "dependant", "tags", "name"] * 2))
    assert found[:4] == found[4:]
    assert found[2:4] == [["things"], "thing"]
    assert built == [route]


def test_what_cannot_be_built_fails_in_the_same_way_each_time() -> None:
    router = api_router()

    @router.get("/wrong")
    def wrong() -> pytest.Item:
        raise AssertionError

    (route,) = router.routes
    for _ in range(2):
        with pytest.raises(FastAPIError, match="Invalid args for response field"):
            route.app  # type: ignore[attr-defined]  # noqa: B018


def test_a_built_one_lacks_what_every_route_lacks() -> None:
    route = application(api_router()).routes[-1]
    for _ in range(2):
        with pytest.raises(AttributeError, match="RouteOnDemand has no attribute 'colour'"):
            route.colour  # type: ignore[attr-defined]  # noqa: B018


def test_the_start_of_the_service_builds_the_route_of_its_document_alone(built: list[APIRoute]) -> None:
    """Two hundred of them are half of what it takes to start."""
    app = build_api(StandIn().ports, ApiConfig())
    assert [route.path for route in built] == ["/api/v1/openapi.json"]
    everything = [route for route in app.routes if isinstance(route, RouteOnDemand)]
    assert len(everything) > 200
    app.openapi()
    assert {*map(id, built[1:])} == {*map(id, everything)}
