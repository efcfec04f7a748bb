"""The glossary names what is there, and the code is named in plain words."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
CODE = [row.split("|")[3] for row in GLOSSARY.partition("## Older names")[0].splitlines() if row.startswith("| ")]
NAMES = sorted({name for cell in CODE for name in re.findall(r"`([^`]+)`", cell)})
OLDER = {
    "ingest/cli/configured.py: said",
    "ingest/domain/cases/disposition.py: told",
    "ingest/web/rest/dispositions_schemas.py: told",
    "ingest/web/rest/schemas.py: Said",
    "ingest/web/rest/suppressions.py: Wish",
}
"""Names that others rely on, beside the API's fields `…_said`: log, database, API (the glossary's last table)."""

VAGUE = frozenset({"said", "told", "aside", "wish"})
"""Words that name nothing of the field, as part of a name; what is meant is a message, a report, a request."""

VAGUE_ALONE = frozenset({"one", "look", "looks", "turn", "turns", "tell", "watch"})
"""Words that are too vague to be a whole name: of a loop's variable, a cycle, a check."""


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the packages by its path; migrations apart, which are history."""
    patterns = [f"{package}/**.py" for package in packages]
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    for file in listed.stdout.split():
        if "/migrations/" not in file:
            yield file, ast.parse((ROOT / file).read_text(encoding="utf-8"))


def identifiers() -> set[str]:
    """Every name that the code uses."""
    found = set[str]()
    for _, module in modules("ingest", "detectors"):
        for node in ast.walk(module):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                    found.add(name)
                case ast.alias(name=name):
                    found.add(name.rpartition(".")[2])
    return found


def test_each_code_name_of_the_glossary_is_in_the_code() -> None:
    known = identifiers()
    assert len(NAMES) > 80
    for name in NAMES:
        assert (ROOT / name).exists() if "/" in name else name.split(maxsplit=1)[0] in known, name


def test_no_name_is_too_vague_to_be_understood() -> None:
    """Of the product, its tests and its benchmarks. Older names stay where others rely on them."""
    packages = ("ingest", "detectors", "gateway_sim", "dashboards", "tests", "benchmarks")
    found = {f"{file}: {name}" for file, module in modules(*packages) for name in bound(module) if vague(name)}
    found -= {name for name in found if ": test_" in name}
    assert found >= OLDER
    assert [name for name in sorted(found - OLDER) if not re.fullmatch(r"ingest/web/rest/.*_said", name)] == []


@pytest.mark.parametrize("name", ["told", "_what_was_said", "SeldomTold", "one", "TURNS", "_look", "put_aside"])
def test_a_vague_name_is_found(name: str) -> None:
    for code in (f"{name} = 1", f"def {name}(): ...", f"class {name}: ...", f"lambda {name}: 1", f"self.{name} = 1"):
        assert [each for each in bound(ast.parse(code)) if vague(each)] == [name]


def bound(module: ast.Module) -> Iterator[str]:
    """Every name that a module binds."""
    for node in ast.walk(module):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.MatchAs(name=str(name)) | ast.alias(asname=str(name)):
                yield name


def vague(name: str) -> bool:
    """Whether a name says nothing to a stranger."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
    return bool(VAGUE.intersection(words)) or (len(words) == 1 and words[0] in VAGUE_ALONE)
