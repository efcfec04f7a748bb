"""Every table of verbs, and what pages and histories call the fields of their forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ingest.domain.cases.hazard_steps import HazardStep
from ingest.domain.cases.inspection_steps import InspectionStep
from ingest.domain.cases.lead_steps import LeadStep
from ingest.domain.cases.verbs import FormField, VerbTable
from ingest.domain.model.text import Text

TABLES: Final[tuple[type[VerbTable], ...]] = (HazardStep, InspectionStep, LeadStep)


def form_fields(table: type[VerbTable]) -> Iterator[FormField]:
    """Every field of every form of a table; of fields kept in one place, the one of the first verb comes last."""
    for step in reversed(table):
        yield from step.verb.fields


COLUMNS: Final[Mapping[str, Mapping[str, Text]]] = {
    table.kind(): {field.column: field.input.label for field in form_fields(table)} for table in TABLES
}
"""Kind of record -> its field -> what that is called in the form that fills it."""

FIELDS: Final[Mapping[str, Text]] = {field.name: field.input.label for table in TABLES for field in form_fields(table)}
"""Field of a form -> what it is called."""

EXPECTED: Final[Mapping[str, Text]] = {
    field.input.expected.en: field.input.expected for table in TABLES for field in form_fields(table)
}
"""What a field that was left blank is refused with."""

ACTIONS: Final[Mapping[str, Mapping[str, Text]]] = {
    table.kind(): {str(step): step.verb.past or step.verb.words for step in table} for table in TABLES
}
"""Kind of record -> verb -> its line in histories and the audit trail."""
