"""A county's afternoon behind the API, and clients that ask it as somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from tests.ingest.web.afternoon import busy
from tests.ingest.web.case_books import DATABASES
from tests.ingest.web.serving import DAY_S, Clock, Halls
from tests.ingest.web.stand_in import StandIn

Ask = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture(scope="session")
def halls(tmp_path_factory: pytest.TempPathFactory) -> Halls:
    return Halls(tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def clock(halls: Halls) -> Clock:
    """The application's clock; between two tests a day goes by."""
    halls.clock.now += DAY_S
    return halls.clock


@pytest.fixture
def hall() -> Iterator[StandIn]:
    made_up = busy()
    yield made_up
    DATABASES.give_back(made_up.database)


@pytest.fixture
def app(halls: Halls, hall: StandIn, clock: Clock) -> FastAPI:
    """The application on this test's hall: one for all tests, but nobody is signed in and nobody has guessed wrong.

    Its streams end after what is waiting, since the in-process client cannot read halfway.
    """
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
    for async_client in made:
        await async_client.aclose()
