"""The OpenAPI document is true: what it refers to is there, and what is answered is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL
from tests.ingest.web.stand_in import ADMIN, StandIn


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_everything_the_document_refers_to_is_in_it(app: FastAPI) -> None:
    document = app.openapi()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    referred = set(references(document))
    assert "#/components/schemas/ProblemOut" in referred
    assert referred - known == set()


async def test_every_refusal_is_in_the_document(app: FastAPI, ask: Ask, hall: StandIn) -> None:
    """What can go wrong with any route: unreadable, too large, nobody, not possible, wrong method."""
    paths = app.openapi()["paths"]
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    acknowledge, note = "/api/v1/alarms/{alarm}/acknowledge", "/api/v1/enterprises/{plant}"
    json = {"content-type": "application/json"}
    here = acknowledge.format(alarm=alarm.id)
    client = ask(ADMIN)
    answers = [
        (400, acknowledge, "post", await client.post(here, content=b'{"raises": 1' + b"0" * 5000 + b"}", headers=json)),
        (401, acknowledge, "post", await ask(None).post(here)),
        (409, note, "patch", await client.patch(note.format(plant=ALUMINIUM), json={"version": 9})),
        (413, acknowledge, "post", await client.post(here, content=b" " * 70_000, headers=json)),
        (422, acknowledge, "post", await client.post(here, json={"raises": 0})),
        (405, acknowledge, "post", await client.put(here)),
    ]
    for status, path, method, answer in answers:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "application/problem+json" in paths[path][method]["responses"][str(status)]["content"], (status, path)
    for methods in paths.values():
        for operation in methods.values():
            assert {"401", "429"} <= operation["responses"].keys()


async def test_a_wrong_method_is_answered_with_all_allowed_ones(app: FastAPI, ask: Ask) -> None:
    """Whichever of the routes at that address takes it."""
    for path, methods in app.openapi()["paths"].items():
        taken = {method.upper() for method in methods}
        answer = await ask(ADMIN).request("TRACE", path)
        assert answer.status_code == 405, path
        assert taken <= set(answer.headers["allow"].split(", ")), path
    assert (await ask(ADMIN).request("TRACE", "/api/v1/suppressions")).headers["allow"] == "GET, POST"
