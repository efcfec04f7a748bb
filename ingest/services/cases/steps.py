"""Steps of hazards, inspections and leads: one use case for every row of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ingest.domain.cases.bypass_steps import BypassStep
from ingest.domain.cases.criteria import Clause, load_criteria
from ingest.domain.cases.verbs import Form, Kind, VerbTable, advance
from ingest.services.access import Principal
from ingest.services.cases import bypasses, records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports


def fill(step: VerbTable, values: Mapping[str, Any]) -> Form[Any]:
    """Return the form of a step filled in; codes of clauses become clauses. Raises BadParameter."""
    codes = {field.name for field in step.verb.fields if field.kind is Kind.CLAUSE}
    return step.verb.form(**{name: _clause(value) if name in codes else value for name, value in values.items()})


def take(ports: Ports, caller: Principal, table: type[VerbTable], key: UUID, version: int, form: Form[Any]) -> Any:
    """Take a step in the caller's name; `version` is the one they saw. Returns the record after it.

    Raises:
        NotFound: no such record in scope.
        Conflict: somebody changed it meanwhile.
        BadParameter: evidence or a clause that is not for its plant.
        CaseError: the step cannot be taken.
    """
    if table is BypassStep:  # the engine keeps these, with the alarms that go by them
        return bypasses.take(ports, caller, key, version, form)
    record = check(ports, caller, table, key, version, form)
    by, role, time = caller.name, caller.acts_as, ports.now()
    after, kind = advance(table, record, form, by=by, role=role, time=time), table.kind()
    act = records.act(ports, caller, str(table.of(form)), kind, key, record.plant, table.detail(form, after))
    ports.cases.store.commit(added=table.history(after, form, by, role, time), saved=[after], acts=[act])
    return after


def check(ports: Ports, caller: Principal, table: type[VerbTable], key: UUID, version: int, form: Form[Any]) -> Any:
    """Return the record of a step that could be taken now. Raises what `take` raises."""
    kind = table.kind()
    record = records.RECORDS[kind](ports, caller, key)
    records.require_version(f"the {kind}", version, record.version)
    _check_references(ports, record.plant, table, form)
    advance(table, record, form, by=caller.name, role=caller.acts_as, time=ports.now())
    return record


def _clause(code: str | None) -> Clause | None:
    known = load_criteria().clauses
    if code and code not in known:
        raise BadParameter("clause", code, f"one of {', '.join(known)}")
    return known[code] if code else None


def _check_references(ports: Ports, plant: str, table: type[VerbTable], form: Form[Any]) -> None:
    for field in table.of(form).verb.fields:
        value = getattr(form, field.name)
        if field.kind is Kind.EVIDENCE:
            records.require_evidence(ports, plant, value)
        elif field.kind is Kind.CLAUSE and value is not None:
            known = ports.live.configuration().plants.get(plant)
            if known is not None and known.kind not in value.kinds:
                raise BadParameter("clause", value.id, f"a clause for plants of kind {known.kind}")
