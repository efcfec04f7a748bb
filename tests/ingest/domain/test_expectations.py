"""What is expected of a refused value is in Chinese, too, whoever refuses it: Pydantic, TOML or our own code."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from pydantic import AfterValidator, BeforeValidator, ValidationError, create_model
from pydantic_core.core_schema import ErrorType

import detectors.expression
import ingest
from ingest.base.config import Config, Secret, SecretUnreadable
from ingest.domain.model.expectations import readable_secret, with_reason
from ingest.domain.model.fault import STAND_INS, Fault, problems_of
from ingest.domain.model.pydantic_texts import KNOWN, text_of
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text
from ingest.plants.formula import expression_text

BY_TYPE = ("missing", "_type", "_parsing", "_not_found", "_from_float")
"""Errors that `words_for` describes by the type that is expected there."""

LISTED = {"extra_forbidden", "union_tag_invalid", "literal_error", "enum"}
"""Errors that list what there is."""

OF_CODE = {
    *("no_such_attribute", "needs_python_object", "recursion_loop", "recursion_depth_exceeded", "frozen_field"),
    *("frozen_instance", "get_attribute_error", "default_factory_not_called", "iteration_error", "is_instance_of"),
    *("is_subclass_of", "missing_sentinel_error", "ellipsis_error", "value_error", "assertion_error"),
    *("missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"),
    *("unexpected_keyword_argument", "unexpected_positional_argument", "multiple_argument_values"),
}
"""Errors that no file can cause, and those of validators, which raise `InvalidValue`."""

SENTENCE = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}")


def raised(module: ModuleType, *names: str) -> Iterator[str]:
    """Every text that a module raises by one of these calls, last argument first, with X for what it fills in."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
            match node.args[-1]:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)


def test_every_error_of_pydantic_has_a_chinese_text() -> None:
    """So that an upgrade that brings a new one is noticed here."""
    kinds = {kind for kind in get_args(ErrorType) if not kind.endswith(BY_TYPE) and not kind.startswith("ip_")}
    assert kinds - LISTED - OF_CODE - KNOWN.keys() == set()


def test_every_message_of_the_toml_parser_has_a_chinese_text() -> None:
    parser = importlib.import_module("tomllib._parser")
    messages = {text for text in raised(parser, "suffixed_err") if "(at " not in text}
    assert messages
    for message in messages:
        zh = toml_text(f"{message} (at line 3, column 5)").zh
        assert zh.endswith("（第 3 行第 5 列）"), message
        assert not SENTENCE.search(zh), message


@pytest.mark.parametrize("text", ["a = [", 'a = "', "a = 1\na = 2", "[a", "a", "a = 1 b", "a = nul", 'a = "\\x"'])
def test_an_invalid_toml_line_is_reported_in_chinese(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    translated = toml_text(str(caught.value))
    assert translated.en == f"TOML: {caught.value}"
    assert "（" in translated.zh
    assert not SENTENCE.search(translated.zh)


def test_whatever_the_detection_core_expects_of_an_expression_has_a_chinese_text() -> None:
    texts = {*raised(detectors.expression, "ExpressionError")}
    texts |= {vars(detectors.expression)["_FORMS"]}
    assert texts
    for text in texts:
        assert re.search("[\u4e00-\u9fff]", expression_text(text).zh), text


def test_whatever_stands_for_a_key_or_a_value_has_its_chinese() -> None:
    """In each call that makes a fault, and where Pydantic's input is shown."""
    found = set()
    for file in Path(ingest.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in {"Fault", "fault", "_fault"}:
                texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
                found |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"\(.+\)", text)}
    assert {"(missing)", "(hidden)", "(unreadable)"} <= found
    assert found - STAND_INS.keys() == set()
    shown = Fault("f", "(file)", "(line 3)", Text("文件", "a file"))
    assert (shown.key_text.zh, shown.value_text.zh) == ("（文件）", "（第 3 行）")
    assert Fault("f", "a.b", "'(x)'", shown.expected).value_text == Text("'(x)'", "'(x)'")


def models() -> list[type[Config]]:
    """Every table that people write."""
    for found in pkgutil.walk_packages(ingest.__path__, "ingest."):
        if not found.name.endswith("__main__") and ".migrations." not in found.name:
            importlib.import_module(found.name)

    def below(model: type[Config]) -> Iterator[type[Config]]:
        for each in model.__subclasses__():
            yield each
            yield from below(each)

    return [model for model in {*below(Config)} if model.__module__.startswith("ingest.")]


def test_validators_of_files_refuse_with_a_text_in_both_languages() -> None:
    """`ValueError` in one of their modules would be shown in English alone: it is `InvalidValue`."""
    modules = set()
    for model in models():
        modules.add(model.__module__)
        for field in model.model_fields.values():
            for found in field.metadata:
                if isinstance(found, (AfterValidator, BeforeValidator)):
                    modules.add(inspect.unwrap(found.func).__module__)
    assert {"ingest.plants.plant_tables", "ingest.delivery.https", "ingest.runtime.settings.settings"} <= modules
    sources = {module: Path(str(importlib.import_module(module).__file__)) for module in modules}
    assert [module for module, file in sources.items() if "raise ValueError(" in file.read_text(encoding="utf-8")] == []


def test_no_text_has_english_in_place_of_its_chinese() -> None:
    """Names and numbers may stand alone; a sentence may not."""
    for file in Path(ingest.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and node.args:
                zh = ast.unparse(node.args[0]) if isinstance(node.args[0], (ast.Constant, ast.JoinedStr)) else ""
                assert re.search("[\u4e00-\u9fff]", zh) or not SENTENCE.search(zh), f"{file.name}:{node.lineno}"


@pytest.mark.parametrize(
    ("kind", "value", "zh", "en"),
    [
        (int, "x", "整数", "a whole number"),
        (tuple[int, ...], 1, "列表，每项为：整数", "a list, of each: a whole number"),
        (Secret, {}, '{ file = "PATH" } 或 { env = "NAME" }，二者取一', 'either { file = "PATH" } or { env = "NAME" }'),
        (Secret, {"fil": "x"}, "不写此键：此处没有它；相近的有：file", "no such key here; near: file"),
    ],
)
def test_expectations_of_pydantic_are_given_in_both_languages(kind: type, value: object, zh: str, en: str) -> None:
    table = create_model("Table", __base__=Config, key=(kind, ...))
    with pytest.raises(ValidationError) as caught:
        table.model_validate({"key": value})
    assert {problem.expected for problem in problems_of(caught.value, table)} == {Text(zh, en)}


def test_an_unknown_refusal_keeps_its_english() -> None:
    translated = text_of({"type": "of a later version", "msg": "Input should be odd"})
    assert translated == Text("能用的值（odd）", "odd")


def test_an_unreadable_secret_is_reported_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    reasons = {"none": "不存在", "empty": "为空或没有设置", "bytes": "不是 UTF-8 文本", ".": "是目录"}
    for name, reason in reasons.items():
        with pytest.raises(SecretUnreadable) as caught:
            Secret(file=tmp_path / name).read()
        translated = readable_secret(caught.value)
        assert reason in translated.zh
        assert str(tmp_path / name) in translated.zh
        assert translated.en.startswith("a secret that can be read: secret ")
    with pytest.raises(SecretUnreadable) as caught:
        Secret(env="NOT_SET_ANYWHERE").read()
    assert readable_secret(caught.value).zh == "可读取的密钥：NOT_SET_ANYWHERE 为空或没有设置"


def test_an_error_without_a_reason_says_so() -> None:
    assert with_reason(Text("文件", "a file"), OSError()) == Text("文件：原因不明", "a file: for an unknown reason")
