"""A mistyped command is answered in Chinese and in English with what is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import gateway_sim
import gateway_sim.cli
import ingest
import ingest.cli.main
from ingest.base.usage_errors import in_chinese

PROGRAMS = {"yujing": ingest.cli.main.app, "gateway_sim": gateway_sim.cli.app}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def run(program: str, *arguments: str) -> Result:
    return CliRunner().invoke(PROGRAMS[program], [*arguments], env={"COLUMNS": "200"})


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that reads its own options, by the words that lead to it."""
    if not command.context_settings.get("ignore_unknown_options"):  # which another program reads
        yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = [(name, path) for name, app in PROGRAMS.items() for path in commands(typer.main.get_command(app))]


@pytest.mark.parametrize(
    ("program", "path"), ALL, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_every_command_says_in_both_languages_that_an_option_is_not_there(program: str, path: tuple[str, ...]) -> None:
    result = run(program, *path, "--no-such-option")
    assert result.exit_code == 2
    zh, en = result.output.index("没有选项 --no-such-option"), result.output.index("No such option: --no-such-option")
    assert zh < en


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        ("histo", "没有命令 histo，是否指 'history'？用法见 yujing -h。", "No such command 'histo'. Did you mean"),
        ("zz", "没有命令 zz。", "No such command 'zz'."),
        ("check --strct", "没有选项 --strct，是否指 --strict？用法见 yujing check -h。", "No such option: --strct"),
        ("check a b", "多出参数：a b。", "Got unexpected extra argument"),
        ("check --config", "选项 --config 后须有值。", "requires an argument"),
        ("check --strict=1", "选项 --strict 后不能有值。", "does not take a value"),
        ("history export", "缺少参数 folder。", "Missing argument 'folder'."),
        ("quarantine list --limit x", "--limit 的值不能用：应为整数。", "valid integer"),
        ("quarantine list --limit 0", "--limit 的值不能用：应不小于 1。", "greater than or equal to 1"),
        ("--secrets /nowhere check", "--secrets 的值不能用：/nowhere 不存在。", "does not exist"),
        ("demo --broker x", "--broker 的值不能用：'x' 不是 ", "is not one of"),
        ("demo --for x", "--for 的值不能用：'x' 应为时间，如 60s, 5m or 1h。", "expected a time such as 60s, 5m or 1h"),
    ],
)
def test_usage_errors_are_in_both_languages(arguments: str, zh: str, en: str) -> None:
    result = run("yujing", *arguments.split())
    assert result.exit_code == 2
    assert result.output.index(zh) < result.output.index(en)


def test_a_program_alone_shows_its_help_and_no_error() -> None:
    for program in PROGRAMS:
        result = run(program)
        assert "Usage" in result.output
        assert "有误" not in result.output


def refusals() -> Iterator[str]:
    """What our own commands refuse a command line with, as it may read."""
    for package in (ingest, gateway_sim):
        texts = [file.read_text(encoding="utf-8") for file in sorted(Path(str(package.__file__)).parent.rglob("*.py"))]
        for code in (text for text in texts if "BadParameter" in text):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "BadParameter" and node.args:
                    match node.args[0]:
                        case ast.Constant(value=str(text)):
                            yield text
                        case ast.JoinedStr(values=parts):
                            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)


@pytest.mark.parametrize("english", sorted({*refusals()}))
def test_refusals_of_our_own_commands_are_in_chinese(english: str) -> None:
    text = in_chinese(f"Invalid value for --x: {english}")
    assert CHINESE.search(english) or not text.endswith("见下。"), text
