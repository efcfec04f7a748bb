"""The glossary names what is there."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
CODE = [row.split("|")[3] for row in GLOSSARY.partition("## Older names")[0].splitlines() if row.startswith("| ")]
NAMES = sorted({name for cell in CODE for name in re.findall(r"`([^`]+)`", cell)})


@pytest.fixture(scope="module")
def identifiers() -> set[str]:
    """Every name that the code binds."""
    listed = subprocess.run(
        ["git", "ls-files", "ingest/**.py", "detectors/**.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = set[str]()
    for file in listed.stdout.split():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                    found.add(name)
                case ast.alias(name=name):
                    found.add(name.rpartition(".")[2])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_code_name_of_the_glossary_is_in_the_code(name: str, identifiers: set[str]) -> None:
    assert (ROOT / name).exists() if "/" in name else name.split(maxsplit=1)[0] in identifiers
