"""The tables of verbs are whole, and the documentation has them as they are."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from ingest.domain.cases.labels import label
from ingest.domain.cases.step_tables import PAGE, TABLES, filled_in
from ingest.domain.cases.verbs import VerbTable
from ingest.web.texts import ACTIONS
from ingest.web.texts.field_errors import expected_text

PAGE_HERE = Path(__file__).parents[4] / PAGE


def test_the_page_has_the_tables_of_today() -> None:
    """Red after a change of a table: run `python -m ingest.domain.cases.step_tables`."""
    page = PAGE_HERE.read_text(encoding="utf-8")
    assert filled_in(page) == page
    assert all(f"`{step}`" in page for step in chain.from_iterable(TABLES))


@pytest.mark.parametrize("step", [*chain.from_iterable(TABLES)], ids=lambda step: f"{step.kind()}-{step}")
def test_every_row_is_whole(step: VerbTable) -> None:
    """It leads somewhere, somebody may take it, and whatever it says is in both languages."""
    verb = step.verb
    assert verb.moves
    assert verb.who
    assert "service" not in verb.who
    assert label(step) == verb.words
    assert ACTIONS[step.kind()][step] == (verb.past or verb.words)
    labels = [verb.words, *([verb.past] if verb.past else []), *(field.input.label for field in verb.fields)]
    for field in verb.fields:
        assert expected_text(field.input.expected.en) == field.input.expected
    assert all(text.zh and text.en for text in labels)
    assert sum(other.verb.form is verb.form for other in type(step)) == 1, "the form names the step"
