"""Whatever a caller sends, the answer names what is wrong with it: no value of a request is a fault of the service."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from ingest.web.rest.alarms_schemas import Occurrence
from ingest.web.rest.schemas import Body
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM
from tests.ingest.web.stand_in import ADMIN, OPERATOR, StandIn

MOST: Final = 2**63 - 1
"""The greatest whole number a database takes."""

NOBODY: Final = UUID(int=0)
PAGED: Final = {
    "alarms": "cursor",
    "warnings": "cursor",
    "suppressions": "before",
    "dispositions": "cursor",
    "hazards": "cursor",
    "leads": "cursor",
    "inspections": "cursor",
}
REF: Final = "#/components/schemas/{model}"
NESTED: Final = {"new"}
"""A body within a body: it is met by itself."""

Schema = Mapping[str, Any]


def leaves(document: Schema, schema: Schema, kind: str, name: str = "") -> Iterator[tuple[str, Schema]]:
    """Every value of that kind within a schema, by its name."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("type") == kind:
        yield name, schema
    for key, inner in schema.get("properties", {}).items():
        yield from leaves(document, inner, kind, f"{name}.{key}" if name else key)
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
        yield from leaves(document, inner, kind, name)


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def bodies(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method, path and schema of everything that takes JSON."""
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield method, path, content["application/json"]["schema"]


def test_every_whole_number_taken_is_one_that_a_database_holds(app: FastAPI) -> None:
    document = app.openapi()
    taken = [
        (f"{method} {path} {name}", schema)
        for method, path, operation in operations(document)
        for parameter in operation.get("parameters", ())
        for name, schema in leaves(document, parameter["schema"], "integer", parameter["name"])
    ]
    for method, path, body in bodies(document):
        taken += [(f"{method} {path} {name}", schema) for name, schema in leaves(document, body, "integer")]
    unbounded = [
        name
        for name, schema in taken
        if schema.get("maximum", schema.get("exclusiveMaximum", MOST + 1)) > MOST or schema.get("minimum", -1) < 0
    ]
    assert len(taken) > 20
    assert unbounded == []


async def test_a_cursor_with_a_time_no_database_holds_is_none_of_ours(ask: Ask) -> None:
    for path, parameter in PAGED.items():
        for time in (str(MOST + 1), "-1", "9" * 4000, "9" * 5000):
            cursor = base64.urlsafe_b64encode(f"{time}.{NOBODY}".encode()).decode()
            answer = await ask(ADMIN).get(f"/api/v1/{path}", params={parameter: cursor})
            assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter), (path, time[:30])


async def test_a_page_of_the_console_takes_no_number_that_no_row_has(ask: Ask) -> None:
    for path in ("/audit?before=", "/quarantine?before=", "/lists/hazards?first="):
        for number in (str(MOST + 1), "9" * 5000, "-1"):
            assert (await ask(ADMIN).get(path + number)).status_code == 422, (path, number[:30])


@pytest.mark.parametrize("stream", ["alarms", "warnings"])
async def test_a_stream_goes_on_after_any_number_or_says_that_it_is_none(ask: Ask, stream: str) -> None:
    for number, status in (("9" * 5000, 422), ("²", 422), ("9" * 20, 200)):
        headers = {b"last-event-id": number.encode("latin-1")}
        assert (await ask(OPERATOR).get(f"/api/v1/{stream}/stream", headers=headers)).status_code == status


async def test_the_service_is_no_enterprise_wherever_it_is_asked_for(ask: Ask, hall: StandIn) -> None:
    plants = hall.known.plants
    hall.known = replace(hall.known, plants={**plants, "service": replace(plants[ALUMINIUM], id="service")})
    here, done = (
        "/api/v1/enterprises/service",
        {"period": "2026-11", "day": "2026-11-20", "summary": "检查", "found": 0},
    )
    client = ask(ADMIN)
    answers = [
        await client.get(here),
        await client.patch(here, json={"version": 0, "principal": "陈总"}),
        await client.post(f"{here}/classification", json={"version": 0, "risk_class": "red", "reason": "试"}),
        await client.get("/api/v1/self-inspections", params={"plant": "service"}),
        await client.post("/api/v1/self-inspections", json={**done, "plant": "service", "principal": "陈总"}),
        await client.get("/enterprises/service"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)


async def test_a_number_that_json_does_not_know_is_refused_and_not_repeated(ask: Ask) -> None:
    for number in ("NaN", "Infinity", "-Infinity", "9" * 4000, "9" * 5000):
        answer = await ask(ADMIN).patch(
            f"/api/v1/enterprises/{ALUMINIUM}",
            content=f'{{"version": {number}, "principal": "陈总"}}',
            headers={"content-type": "application/json"},
        )
        assert (answer.status_code, number[:9]) in {(422, number[:9]), (400, "9" * 9)}
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_boolean_and_no_text_passes_for_a_number() -> None:
    assert refused("integer", (True, "1", 1.5)) > 40
    assert refused("number", (True,)) > 0


def test_a_whole_number_may_be_written_as_programs_write_it_that_know_no_other_kind() -> None:
    assert Occurrence.model_validate_json('{"raises": 3.0}').raises == 3


def test_no_text_of_a_body_may_have_control_characters_or_half_a_character() -> None:
    assert refused("string", ("a\x00b", "\x1b[2J", "a\u0085b", "\ud83d")) > 100


async def test_no_address_may_have_control_characters(ask: Ask) -> None:
    for address in (
        "/api/v1/audit?subject=%00",
        "/api/v1/plants/a%00b",
        "/audit?subject=a%1Bb",
        "/api/v1/audit?a%00=1",
    ):
        assert (await ask(ADMIN).get(address)).status_code == 422, address


def refused(kind: str, values: tuple[object, ...]) -> int:
    """Give every body each value wherever that kind of value is taken; it must be refused. How often it was."""
    asked = 0
    for body in shapes(Body):
        whole = body.model_json_schema(ref_template=REF)
        document = {"components": {"schemas": whole.get("$defs", {})}}
        for name, schema in whole.get("properties", {}).items():
            if name in NESTED or not any(leaves(document, schema, kind)):
                continue
            for value in values:
                faults = faults_of(body, {name: [value] if many(schema) else value})
                assert name in faults, (body, name, value)
                asked += 1
    return asked


def shapes(of: type[Body]) -> Iterator[type[Body]]:
    for body in of.__subclasses__():
        yield body
        yield from shapes(body)


def many(schema: Schema) -> bool:
    return any("items" in variant for variant in (schema, *schema.get("anyOf", ())))


def faults_of(body: type[Body], given: Mapping[str, object]) -> set[object]:
    try:
        body.model_validate(given)
    except ValidationError as error:
        return {fault["loc"][0] for fault in error.errors()}
    return set()
