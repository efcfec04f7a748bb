"""What docs/workbench.md and its notebook show works."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

from tests.detectors.workbench.notebook import NOTEBOOK, cells, run


def test_the_notebook_runs_from_top_to_bottom() -> None:
    """What it prints may change with the detectors; that each cell still shows something may not."""
    code = cells()
    assert len(code) >= 5
    for cell, printed in zip(code, run(["".join(cell["source"]) for cell in code]), strict=True):
        assert bool(printed) == bool(cell["outputs"]), "".join(cell["source"])


def test_the_notebook_is_a_plain_small_file() -> None:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert all({"id", "metadata", "source", "cell_type"} <= cell.keys() for cell in book["cells"])
    assert NOTEBOOK.stat().st_size < 20_000


def test_the_examples_of_the_page_are_true() -> None:
    page = Path(__file__).parents[3] / "docs" / "workbench.md"
    options = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    found = doctest.testfile(str(page), module_relative=False, optionflags=options, encoding="utf-8")
    assert found.attempted >= 3
    assert not found.failed
