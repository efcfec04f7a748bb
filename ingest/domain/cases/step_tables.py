"""Every table of verbs; what pages, histories and refusals call steps and fields; the tables of the documentation.

`python -m ingest.domain.cases.step_tables`, at the project's root, writes them into `docs/closed-loop.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ingest.domain.cases.bypass_steps import BypassStep
from ingest.domain.cases.cleaning_steps import CleaningStep
from ingest.domain.cases.hazard_steps import HazardStep
from ingest.domain.cases.inspection_steps import InspectionStep
from ingest.domain.cases.lead_steps import LeadStep
from ingest.domain.cases.ledger_steps import LedgerStep
from ingest.domain.cases.pledge_steps import PledgeStep
from ingest.domain.cases.verbs import FormField, VerbTable
from ingest.domain.cases.work_steps import WorkStep
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.domain.model.text import Text

TABLES: Final[tuple[type[VerbTable], ...]] = (
    HazardStep,
    InspectionStep,
    LeadStep,
    WorkStep,
    CleaningStep,
    PledgeStep,
    LedgerStep,
    BypassStep,
)

PAGE: Final = Path("docs/closed-loop.md")
_BEGIN: Final = "<!-- steps: written by `python -m ingest.domain.cases.step_tables`, not by hand -->\n"
_END: Final = "<!-- end of steps -->\n"
_WHO: Final[Mapping[frozenset[str], str]] = {ENTERPRISE: "enterprise", AUTHORITY: "authority"}


def actions_of(table: type[VerbTable]) -> dict[str, Text]:
    """Return by verb its line in histories and the audit trail."""
    return {str(step): step.verb.past or step.verb.words for step in table}


def fields_of(table: type[VerbTable]) -> Iterator[FormField]:
    """Yield every field of every form, those of the first verb last, so that its words for a field count."""
    for step in reversed(table):
        yield from step.verb.fields


COLUMNS: Final[Mapping[str, Mapping[str, Text]]] = {
    table.kind(): {field.column: field.input.label for field in fields_of(table)} for table in TABLES
}
"""Kind of record -> its field -> what that is called in the form that fills it."""

FIELDS: Final[Mapping[str, Text]] = {field.name: field.input.label for table in TABLES for field in fields_of(table)}
"""Field of a form -> what it is called."""

EXPECTED: Final[Mapping[str, Text]] = {
    field.input.expected.en: field.input.expected for table in TABLES for field in fields_of(table)
}
"""What a field that was left blank is refused with, in English -> in both languages."""


def render(tables: tuple[type[VerbTable], ...] = TABLES) -> str:
    """Return the section of the documentation: a table for each kind of record, a row for each verb."""
    return _BEGIN + "\n" + "\n".join(_table(table) for table in tables) + "\n" + _END


def filled_in(page: str) -> str:
    """Return a page with its section written anew."""
    before, _, rest = page.partition(_BEGIN)
    return before + render() + rest.partition(_END)[2]


def _table(table: type[VerbTable]) -> str:
    rows = [f"| {table.kind()} | | leads | who | asks for |", "|---|---|---|---|---|"]
    for step in table:
        verb = step.verb
        asked = ", ".join(field.parameter if field.required else f"({field.parameter})" for field in verb.fields)
        who = _WHO.get(verb.who, "both") + (", but not who submitted it" if verb.reviews else "")
        rows.append(f"| {verb.words.zh} | `{step}` | {_moves(step)} | {who} | {asked} |")
    return "\n".join(rows) + "\n"


def _moves(step: VerbTable) -> str:
    """The states it leads from and to, with the levels where not any will do."""
    levels: dict[str, list[object]] = {}
    for situation, after in step.verb.moves.items():
        state, level = situation if isinstance(situation, tuple) else (situation, None)
        change = f"{state} (stays)" if state == after else f"{state} → {after}"
        levels.setdefault(change, []).append(level)
    return ", ".join(
        change if None in only else f"{change} if {' or '.join(map(str, only))}" for change, only in levels.items()
    )


if __name__ == "__main__":
    PAGE.write_text(filled_in(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
