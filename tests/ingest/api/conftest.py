"""A county's afternoon behind the API, and clients that ask it as somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from ingest.api.app import build_api
from tests.ingest.api.serving import Halls
from tests.ingest.api.stand_in import StandIn, busy, config

Ask = Callable[[str | None], httpx.AsyncClient]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hall() -> StandIn:
    return busy()


@pytest.fixture
def app(hall: StandIn, tmp_path: Path, clock: Clock) -> FastAPI:
    """The application; its streams end after what is waiting, since the in-process client cannot read halfway."""
    return build_api(hall.ports, config(tmp_path), closing=lambda: True, clock=clock)


@pytest.fixture(scope="module")
def halls(tmp_path_factory: pytest.TempPathFactory) -> Halls:
    return Halls(tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def shared(halls: Halls, hall: StandIn) -> FastAPI:
    """One application for all tests of a file, on this test's hall; its sign-ins and sessions outlast the test."""
    halls.hall = hall
    return halls.app


@pytest.fixture
async def ask(app: FastAPI) -> AsyncIterator[Ask]:
    """A client for a token, or for nobody."""
    made: list[httpx.AsyncClient] = []

    def client(token: str | None) -> httpx.AsyncClient:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app)
        made.append(httpx.AsyncClient(transport=transport, base_url="http://yujing.test", headers=headers))
        return made[-1]

    yield client
    for one in made:
        await one.aclose()
