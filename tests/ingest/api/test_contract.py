"""The API answers as its OpenAPI document says, to what the document allows and to what it does not, whoever asks."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.ingest.api.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

EXAMPLES = 2
"""Requests to each operation, of each role and kind; all of them take half a minute of processor time."""

NOT_ASKED: list[Any] = [positive_data_acceptance]
"""What else a record asks of a body (a day to come, words that are not blank) is told by 422; no schema has it."""


def signing(token: str) -> type:
    """What signs requests with a token; the checks take that away again to see that nobody is let in without."""

    class Bearer:
        def get(self, case: Case[Any], context: object) -> str:
            return token

        def set(self, case: Case[Any], data: str, context: object) -> None:
            case.headers["authorization"] = f"Bearer {data}"

    return Bearer


@pytest.mark.parametrize("kind", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not-allowed"])
@pytest.mark.parametrize(
    "token", [OPERATOR, INSPECTOR, ADMIN, ELSEWHERE], ids=["operator", "inspector", "admin", "of-one-plant"]
)
def test_every_operation_answers_as_the_document_says(
    app: FastAPI, hall: StandIn, token: str, kind: GenerationMode
) -> None:
    schema: Any = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    schema.auth()(signing(token))
    asked = 0
    for operation in schema.get_all_operations():
        signed = operation.ok().as_strategy(generation_mode=kind)

        @given(case=signed)
        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        def answers(case: Case[Any]) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(excluded_checks=NOT_ASKED)

        with suppress(Unsatisfiable):  # where nothing is given, nothing can be wrong
            answers()
    assert asked > 100
