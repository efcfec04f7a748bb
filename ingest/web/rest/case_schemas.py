"""What the shapes of the closed loop share. Times are RFC 3339 in UTC; days are the plant's; money is in yuan."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from ingest.domain.cases.labels import label
from ingest.domain.model.payload import iso
from ingest.web.inputs import WORDS, Count
from ingest.web.rest.schemas import Body, Said


def _iso(value: object) -> object:
    return iso(value) if isinstance(value, int) else value


When = Annotated[str, BeforeValidator(_iso), Field(json_schema_extra={"format": "date-time"})]
"""A time as the API shows it: RFC 3339."""

LongWords = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    Field(json_schema_extra={"pattern": WORDS}),
]
"""A longer text."""

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    Field(json_schema_extra={"pattern": WORDS}),
]
"""Of a person, an authority, a document."""

Day = Annotated[
    dt.date,
    Field(
        ge=dt.date(2000, 1, 1),
        lt=dt.date(2200, 1, 1),
        examples=["2026-12-04"],
        json_schema_extra={"pattern": "^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    ),
]
Hours = Annotated[int, Field(ge=1, le=8760, strict=True, examples=[8])]
Proofs = Annotated[tuple[UUID, ...], Field(max_length=20, description="ids of evidence handed in for the plant")]
Yuan = Annotated[
    Decimal,
    Field(ge=0, max_digits=14, decimal_places=2),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
                {"type": "number", "minimum": 0, "maximum": 999_999_999_999.99, "multipleOf": 0.01},
            ],
            "examples": ["3500.00"],
        }
    ),
]


class Seen(Body):
    """The version of the record that the caller saw; a change of another one is refused with 409."""

    version: Annotated[Count, Field(examples=[3])]


def values_of(record: Any) -> dict[str, Any]:
    """Return the fields of a record with their values."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def localized(value: StrEnum | None) -> Said | None:
    """Return the label of a code in both languages."""
    return None if value is None else Said.model_validate(label(value))
