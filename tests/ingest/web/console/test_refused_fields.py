"""A form that is refused says in the reader's language which field it was, what stood there and what belongs there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

import ingest
from ingest.domain.cases.step_tables import TABLES, fields_of
from ingest.domain.cases.verbs import FREE_TEXT
from ingest.web.app import wrong_parameters
from ingest.web.console import fields
from ingest.web.console.event_texts import PROSE, refused_field, sentences
from ingest.web.console.rendering import HOME
from ingest.web.inputs import Number
from ingest.web.rest.case_schemas import Yuan
from ingest.web.texts.field_errors import expected_text

ROOT = Path(ingest.__file__).parent
WHERE = ("domain/cases", "services", "services/cases", "web", "web/console", "web/rest", "storage/state")
REFUSALS = {"Incomplete", "BadParameter"}
KEPT = {"JPEG", "PNG", "PDF", "MiB"}


def expectations() -> Iterator[str]:
    """What every rule and form of the product expects, with a number for what it fills in."""
    for folder in WHERE:
        for file in sorted((ROOT / folder).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                name = getattr(getattr(node, "func", None), "id", None)
                if name in REFUSALS and isinstance(node, ast.Call) and len(node.args) == 3:
                    yield from texts(node.args[2])


def texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)  # type: ignore[misc]


def faults() -> Iterator[str]:
    """What Pydantic and our own readers say of what can be written into a form."""
    given: list[tuple[Any, str]] = [
        (fields.Words, ""), (fields.Words, "x" * 600), (fields.Words, "a\0"), (Number, "x"), (Number, "-1"),
        (Number, str(2**60)), (UUID, "x"), (Literal["a", "b"], "c"), (fields.Day, "2026-13-01"), (fields.Day, ""),
        (fields.Day, "x"), (fields.Day, "2026-02-30"), (fields.Moment, "2026-13-01T11:00"), (fields.Moment, "x"),
        (fields.Moment, "2026-11-01T31:00"), (fields.Moment, "2026-11-01T11:00Z"), (fields.Yuan, "x"),
        (fields.Yuan, "1.234"), (Yuan, "1.234"), (Yuan, "1e20"), (Yuan, "x"), (Yuan, "NaN"), (Yuan, "1" * 20),
        (bool, "x"), (float, "x"), (int, "1.5"),
    ]  # fmt: skip
    for kind, value in given:
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(value)
        problem = wrong_parameters(
            RequestValidationError([error | {"loc": ("body", "x")} for error in caught.value.errors()])
        )
        yield str(problem.errors[0]["expected"])


def test_every_field_for_sentences_is_shown_again_when_its_form_is_refused() -> None:
    """With its label, whatever the page: else what was written there is lost without a word."""
    pages = (HOME / "templates").glob("*.html")
    found = {name for page in pages for name in re.findall(r'fields\.words\("(\w+)"', page.read_text(encoding="utf-8"))}
    found |= {field.parameter for table in TABLES for field in fields_of(table) if field.kind in FREE_TEXT}
    assert found == set(PROSE)
    assert len(sentences(dict.fromkeys(found, "x"), "zh")) == len(found)


def test_every_rule_of_a_form_has_a_chinese_text() -> None:
    found = {*expectations()}
    assert len(found) > 40
    for expected in found:
        text = expected_text(expected)
        assert re.search("[\u4e00-\u9fff]", text.zh), expected
        words = re.sub("`[^`]+`", "", text.zh)  # names of fields stay
        assert not set(re.findall("[A-Za-z]{3,}", words)) - KEPT, text.zh
        assert not re.search("[\u4e00-\u9fff]", text.en.replace("(文书号)", "")), text.en


def test_every_expectation_is_in_plain_words_in_both_languages() -> None:
    for expected in faults():
        text = expected_text(expected)
        assert re.search("[\u4e00-\u9fff]", text.zh), expected
        assert not re.search("isoformat|String|parse|UUID|range", text.en), text.en


@pytest.mark.parametrize(
    ("error", "zh", "en"),
    [
        (
            {"parameter": "file", "value": "12613542 bytes", "expected": "1 to 10485760 bytes"},
            ("文件", "12.0 MiB", "不为空、且不超过 10.0 MiB 的文件"),
            ("file", "12.0 MiB", "a file that is not empty, of at most 10.0 MiB"),
        ),
        (
            {"parameter": "words", "value": None, "expected": "words that say why the alarm was false"},
            ("说明", "未填写", "必填：为何是误报"),
            ("words", "nothing was written", "words that say why the alarm was false"),
        ),
        (
            {"parameter": "handled", "value": 1_795_414_320_000_000_000, "expected": "a time that is past"},
            ("处置时间", "11-23 14:12:00", "已经过去的时间"),
            ("when it was done", "11-23 14:12:00", "a time that is past"),
        ),
        (
            {"parameter": "comment", "value": "长" * 600, "expected": "String should have at most 500 characters"},
            ("备注", "长" * 60 + "…", "最多 500 个字"),
            ("comment", "长" * 60 + "…", "at most 500 characters"),
        ),
    ],
)
def test_a_refused_field_is_described_in_plain_words(
    error: dict[str, Any], zh: tuple[str, str, str], en: tuple[str, str, str]
) -> None:
    assert refused_field(error, "zh") == zh
    assert refused_field(error, "en") == en
