"""The page on compliance names what there is: clauses with their confidence, signals, rules, tests and states."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

from ingest.domain.model.alarm import AlarmState
from ingest.plants.catalogue import load_catalogue
from tests.deploy.written import ROOT

PAGE = (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading that begins so."""
    [section] = [part for part in PAGE.split("\n## ")[1:] if part.startswith(heading)]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@cache
def functions_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_clause_of_the_criteria_is_there_once_with_its_confidence() -> None:
    criteria = tomllib.loads((ROOT / "ingest/domain/cases/criteria.toml").read_text(encoding="utf-8"))["clauses"]
    assert [(row[0].strip("`"), row[1], row[3]) for row in rows("令第10号")] == [
        (clause["id"], clause["article"], clause["confidence"]) for clause in criteria
    ]


def test_every_test_it_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name[0]).is_file()] == []
    assert [name for name in named if name[1] and name[1] not in functions_in(ROOT / name[0])] == []


def test_every_signal_it_names_exists() -> None:
    catalogue = load_catalogue()
    known = {code for signals in (*catalogue.signals.values(), catalogue.gateway) for code in signals}
    named = set(re.findall(r"`((?:DUST|STL|ALC|GATEWAY)_\w+)`", PAGE))
    assert named - known == set()
    assert named


def test_every_state_of_an_alarm_has_its_counterpart() -> None:
    assert [row[0] for row in rows("OPC UA")] == list(AlarmState)


def test_every_requirement_says_how_far_its_words_can_be_trusted() -> None:
    for heading in ("令第10号", "令第6号", "接入规定", "ISA-18.2", "IEC 61511", "NAMUR"):
        assert {re.split("[（(]", row[-2])[0] for row in rows(heading)} <= {"found", "recalled"}, heading
