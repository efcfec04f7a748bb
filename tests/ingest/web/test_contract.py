"""The API answers as its OpenAPI document says, to what the document allows and to what it does not, whoever asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, Response
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.ingest.web.afternoon import busy
from tests.ingest.web.case_books import DATABASES
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL
from tests.ingest.web.objects import Objects, objects_of
from tests.ingest.web.serving import DAY_S, Halls
from tests.ingest.web.stand_in import ADMIN, DISPLAY, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

EXAMPLES = 2
"""Requests to each operation, of each role and kind."""

FEW = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

OF_THE_STATE = ["2xx", "403", "404", "409"]
"""What may become of a request that the document allows: not of this role, not there, not now."""

NO_SCHEMA_SAYS = {
    ("cursor", "`next` of"): "only the service writes them",
    ("position", "a position of the roster"): "the settings name them",
    ("person", "somebody"): "likewise",
    ("to", "somebody whom the settings name"): "likewise",
    ("substitute", "somebody whom the settings name"): "likewise",
    ("before", "`next` of"): "likewise",
    ("from", "a time before"): "two values are not compared",
    ("from", "at most"): "likewise",
    ("since", "no days: they are for"): "which lists have days depends on another parameter",
    ("through", "no days: they are for"): "likewise",
    ("through", "a day not before"): "two values are not compared",
    ("at", "a time not before"): "the warning's own time",
    ("raises", "one number for each of alarms"): "two lists are not compared",
    ("cause", "one of "): "it depends on the alarm, whether it is one of the process or of a device",
    ("day", "a day not after"): "no document knows which day it is",
    ("deadline", "a day not before"): "likewise",
    ("deadline", "a day after"): "the deadline there is",
    ("period", "a period that had begun"): "months or quarters: the plant's risk class decides",
    ("result", "a result that fits"): "it depends on the findings",
    ("until", "a day not before"): "no document knows which day it is",
    ("words", "words that say"): "of a cause, or a false alarm, that is none of those listed",
    ("number", "the certificate's number"): "of a calibration that was passed",
    ("evidence", "the certificate's file"): "likewise",
    (
        "works",
        "one of confined-space",
    ): "the document names them (propertyNames), and the requests' maker does not look",
    ("clause", "the clause of"): "of a major hazard only",
    ("valid_until", "a day not before"): "two values are not compared",
    ("clause", "one of art"): "the criteria in force are a setting, which may change",
}
"""Parameters whose values 422 may refuse though the document allows them, with how it begins to say so, and why."""


class Signer:
    """What signs requests with a token; the checks take that away again to see that nobody is let in without."""

    def get(self, case: Case[Any], context: object) -> str:
        return ADMIN

    def set(self, case: Case[Any], data: str, context: object) -> None:
        case.headers["authorization"] = f"Bearer {data}"


@pytest.fixture(scope="module")
def schema(halls: Halls) -> Any:
    """The document as it is."""
    return read(halls, halls.app.openapi())


@pytest.fixture(scope="module")
def signed_schema(halls: Halls) -> Any:
    """The same without tokens: else nearly everything would be refused for its token, and nothing else be tested."""
    document = deepcopy(halls.app.openapi())
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return read(halls, document)


def read(halls: Halls, document: dict[str, Any]) -> Any:
    schema: Any = schemathesis.openapi.from_dict(document)
    schema.app = halls.app
    schema.config.checks.positive_data_acceptance.expected_statuses = OF_THE_STATE
    schema.auth(refresh_interval=None)(Signer)
    return schema


def excused(response: Response) -> bool:
    """Whether all that was wrong is what no schema can say."""
    return response.status_code == 422 and all(
        any(error["parameter"] == name and error["expected"].startswith(expected) for name, expected in NO_SCHEMA_SAYS)
        for error in response.json()["errors"]
    )


def untranslated(response: Response) -> list[str]:
    """Whatever was expected, in English alone."""
    errors = response.json()["errors"]
    return [error["expected"] for error in errors if not re.search("[\u4e00-\u9fff]", error["message"]["zh"])]


TOKENS = {OPERATOR: "operator", INSPECTOR: "inspector", ADMIN: "admin", ELSEWHERE: "of-one-plant", DISPLAY: "display"}
NOT_THEIRS = {(ELSEWHERE, STEEL), (ELSEWHERE, ALUMINIUM)}
"""Callers, and the plants of which nothing is there for them."""

DONE = {OPERATOR: 60, INSPECTOR: 60, ADMIN: 70, ELSEWHERE: 50, DISPLAY: 2}
"""So many operations at least do what each caller asks; what the others refuse is told by role, state or content."""


@dataclass
class Caller:
    """Who asks, the hall behind what they ask, and what there is in it, if requests are to name that.

    Attributes:
        seen: how often each status was the answer, by operation.
    """

    token: str
    hall: StandIn
    objects: Objects | None = None
    seen: dict[str, Counter[int]] = field(default_factory=dict)

    def own(self, case: Case[Any]) -> Case[Any]:
        """The same request with the caller's token."""
        copied = case.derive(keep_auth=True)
        copied._meta = deepcopy(case._meta)
        Signer().set(copied, self.token, None)
        copied._record_starting_state()
        return copied


@pytest.fixture
def callers() -> Iterator[list[Caller]]:
    """Of each role one, each with an afternoon of its own."""
    made = [Caller(token, busy()) for token in TOKENS]
    yield made
    for caller in made:
        DATABASES.give_back(caller.hall.database)


@pytest.mark.usefixtures("clock")
async def test_every_operation_answers_as_the_document_says(
    schema: Any, halls: Halls, ask: Ask, callers: list[Caller]
) -> None:
    """To requests that name what there is: not there is only what is of another plant than the caller's."""
    for place, caller in enumerate(callers):
        halls.hall = caller.hall
        caller.objects = await objects_of(caller.hall, ask, caller.token, EXAMPLES * place)
    each_asks(callers, halls, schema, GenerationMode.POSITIVE)
    for caller in callers:
        done = [operation for operation, counts in caller.seen.items() if any(status < 300 for status in counts)]
        assert len(done) >= DONE[caller.token], (TOKENS[caller.token], sorted(caller.seen.keys() - done))


@pytest.mark.usefixtures("clock")
def test_every_operation_refuses_what_the_document_does_not_allow(
    signed_schema: Any, halls: Halls, callers: list[Caller]
) -> None:
    """And for what was wrong with it, unless it is not for this role: no request comes without its token."""
    each_asks(callers, halls, signed_schema, GenerationMode.NEGATIVE)
    for caller in callers:
        seen = sum(caller.seen.values(), Counter[int]())
        assert seen.total() > 100, TOKENS[caller.token]
        assert set(seen) <= {400, 403, 404, 422}, TOKENS[caller.token]


def each_asks(callers: list[Caller], halls: Halls, schema: Any, kind: GenerationMode) -> None:
    """Every caller sends the same requests of that kind, and each is answered as the document says.

    To make a request takes four times as long as to send it.
    """
    client = get_client(schema.app)
    client.trust_env = False  # else the environment is searched for proxies at each request

    def ask(caller: Caller, case: Case[Any]) -> None:
        plant = caller.objects.put_into(case) if caller.objects is not None else None
        response = case.call(session=client)
        client.cookies.clear()
        if plant is not None and response.status_code == HTTPStatus.NOT_FOUND:
            assert (caller.token, plant) in NOT_THEIRS, f"{case.operation.label}: {response.text}"
        unknown = {*case.query} - {parameter.name for parameter in case.operation.query}
        if response.status_code < 300 and unknown and kind is GenerationMode.NEGATIVE:
            return  # what the document does not name is passed over
        caller.seen.setdefault(case.operation.label, Counter())[response.status_code] += 1
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            assert untranslated(response) == []
        case.validate_response(response, excluded_checks=[positive_data_acceptance] if excused(response) else [])

    def all_ask(case: Case[Any]) -> None:
        for caller in callers:
            halls.hall = caller.hall
            try:
                ask(caller, caller.own(case))
            except BaseException as error:
                error.add_note(f"asked by {TOKENS[caller.token]}")
                raise

    for operation in schema.get_all_operations():
        halls.clock.now += DAY_S  # what was guessed wrong at the last operation is forgotten
        made = operation.ok().as_strategy(generation_mode=kind)

        @FEW
        @given(case=made)
        def ask_few(case: Case[Any]) -> None:  # short, since Hypothesis parses what it runs, each time anew
            all_ask(case)

        with suppress(Unsatisfiable):  # where nothing is given, nothing can be wrong
            ask_few()
