"""REST: an operation for every row of a table of verbs, with its form as the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field, create_model

from ingest.domain.cases.verbs import FormField, Kind, VerbTable
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.services.access import Principal
from ingest.services.cases import steps
from ingest.services.ports import Ports
from ingest.web.caller import BY_ROLES, Caller
from ingest.web.rest.case_schemas import Day, Hours, LongWords, Name, Proofs, Seen, Yuan
from ingest.web.rest.schemas import Words

_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.WORDS: Words,
    Kind.PROSE: LongWords,
    Kind.NAME: Name,
    Kind.DAY: Day,
    Kind.DEADLINE: Day,
    Kind.HOURS: Hours,
    Kind.MONEY: Yuan,
    Kind.CLAUSE: Annotated[str, Field(max_length=64)],
    Kind.EVIDENCE: Proofs,
    Kind.RECORD: UUID,
}
_WHO: Final = {AUTHORITY: " Inspectors and admins only", ENTERPRISE: " Operators and admins only"}


def add_steps(
    router: APIRouter, ports: Ports, table: type[VerbTable], answer: Callable[[Any, Principal], Any], shape: Any
) -> None:
    """Give a router the operation of each step: `POST /{record}/{verb}`, answered with the record after it."""
    for step in table:
        if step.verb.own_operation:
            continue
        router.add_api_route(
            f"/{{{table.kind()}}}/{step}",
            _operation(ports, table, step, answer),
            methods=["POST"],
            response_model=shape,
            name=step.replace("-", "_"),
            description=description_of(step),
        )


def description_of(step: VerbTable) -> str:
    """Return what the document says of a step: what it is, and who may take it."""
    who = _WHO.get(step.verb.who, "")
    nobody = ", and nobody who submitted it" if step.verb.reviews else ""
    return step.verb.about + (f"{who}{nobody}." if who else "")


def body_of(step: VerbTable) -> type[Seen]:
    """Return the shape of a step's form, with the version that the caller saw."""
    form, entered = step.verb.form, step.verb.fields
    if not entered:
        return Seen
    types = tuple((_name(field), field.kind, field.choice, field.required) for field in entered)
    return _body(step.verb.body or form.__name__, str(form.__doc__), types)


@cache
def _body(name: str, about: str, types: tuple[tuple[str, Kind, type[StrEnum] | None, bool], ...]) -> type[Seen]:
    """One shape for forms that are alike, since the document names it once."""
    shape: dict[str, Any] = {}
    for field, kind, choice, required in types:
        of: Any = choice or _TYPES[kind]
        if kind is Kind.EVIDENCE:
            shape[field] = (Annotated[of, Field(min_length=1)], ...) if required else (of, ())
        else:
            shape[field] = (of, ...) if required else (of | None, None)
    return create_model(name, __base__=Seen, __doc__=about, **shape)


def _operation(
    ports: Ports, table: type[VerbTable], step: VerbTable, answer: Callable[[Any, Principal], Any]
) -> Callable[..., Any]:
    def take(key: UUID, caller: Principal, body: Seen) -> Any:
        form = steps.fill(step, {field.name: _value(field, body) for field in step.verb.fields})
        return answer(steps.take(ports, caller, table, key, body.version, form), caller)

    take.__annotations__ |= {
        "key": Annotated[UUID, Path(alias=table.kind())],
        "caller": BY_ROLES.get(step.verb.who, Caller),
        "body": body_of(step),
    }
    return take


def _name(field: FormField) -> str:
    return f"{field.parameter}_yuan" if field.kind is Kind.MONEY else field.name


def _value(field: FormField, body: Seen) -> Any:
    value = getattr(body, _name(field))
    return int(value * 100) if field.kind is Kind.MONEY and value is not None else value
