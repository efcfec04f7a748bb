"""Translates usage errors of command lines: shown in Chinese first, then in English.

Known are the messages of the command line library and of our own commands. An unknown message keeps its English, below
a general Chinese one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

_NO_SUCH_COMMAND: Final = r"No such command '?(.+?)'?\."
_NO_SUCH_OPTION: Final = r"No such option: (\S+)"

_PROBLEMS: Final = (
    (rf"{_NO_SUCH_COMMAND} Did you mean (.+)\?", "没有命令 {1}，是否指 {2}？"),
    (_NO_SUCH_COMMAND, "没有命令 {1}。"),
    (rf"{_NO_SUCH_OPTION} \(Possible options: (.+)\)", "没有选项 {1}，是否指 {2}？"),
    (_NO_SUCH_OPTION, "没有选项 {1}。"),
    (r"Missing command\.", "缺少命令。"),
    (r"Missing option '(.+?)'\..*", "缺少选项 {1}。"),
    (r"Missing \w+ '(.+?)'\..*", "缺少参数 {1}。"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)", "多出参数：{1}。"),
    (r"Option '(.+)' requires .+", "选项 {1} 后须有值。"),
    (r"Option '(.+)' does not take a value\.", "选项 {1} 后不能有值。"),
    (r"Invalid value for '?(.+?)'?: (.+)", "{1} 的值不能用：{2}"),
    (r"Invalid value: (.+)", "命令的写法不能用：{1}"),
)
_EXPECTED: Final = (
    (r"Input should be a valid integer.*", "应为整数。"),
    (r"Input should be a valid number.*", "应为数字。"),
    (r"Input should be a valid UUID.*", "应为标识（UUID）。"),
    (r"Input should be greater than or equal to (\S+)", "应不小于 {1}。"),
    (r"Input should be less than or equal to (\S+)", "应不大于 {1}。"),
    (r"Input should be greater than (\S+)", "应大于 {1}。"),
    (r"Input should be less than (\S+)", "应小于 {1}。"),
    (r"(.+) is not one of (.+)\.", "{1} 不是 {2} 之一。"),
    (r"\w+ '(.+)' does not exist\.", "{1} 不存在。"),
    (r"\w+ '(.+)' is a file\.", "{1} 是文件，应为目录。"),
    (r"\w+ '(.+)' is a directory\.", "{1} 是目录，应为文件。"),
    (r"\w+ '(.+)' is not readable\.", "{1} 无权读取。"),
    (r"\w+ '(.+)' is not writable\.", "{1} 无权写入。"),
    (r"(.+): expected a time such as (.+)", "{1} 应为时间，如 {2}。"),
    (r"(.+): expected a name that ends in (.+)", "{1} 应以 {2} 结尾。"),
    (r"expected one of (.+) and (.+)", "须用 {1} 和 {2} 之一。"),
    (r"(.+): expected one of (.+)", "{1} 应为 {2} 之一。"),
    (r"expected ids, (.+) or (.+)", "须给出编号，或用 {1}、{2}。"),
    (r"(.+) goes with nothing else", "{1} 不能与其他选项同用。"),
    (r"a column or a point is named twice", "同一列或同一测点写了两次。"),
    (r"(.+): expected one character or (.+)", "{1} 应为一个字符或 {2}。"),
    (r"(.+): expected column=point", "{1} 应为 列=测点。"),
    (r"(.+): expected column=point, each once", "{1} 应为 列=测点，各只一次。"),
)
_UNKNOWN: Final = "命令的写法有误。"
_SEE_BELOW: Final = "见下。"
_USAGE_ERROR: Final = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])  # the library exports no name


class BilingualGroup(TyperGroup):
    """A command group that shows usage errors in both languages: `typer.Typer(cls=BilingualGroup)`."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """See `TyperGroup`."""
        with _in_both():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """See `TyperGroup`."""
        with _in_both():
            return super().invoke(ctx)


def in_chinese(problem: str) -> str:
    """Return a usage error in Chinese.

    >>> in_chinese("Invalid value for '--limit': Input should be a valid integer, unable to parse string")
    '--limit 的值不能用：应为整数。'
    """
    problem = " ".join(problem.split()).replace("Value error, ", "")
    for pattern, chinese in _PROBLEMS:
        if found := re.fullmatch(pattern, problem):
            *others, last = found.groups() or ("",)
            if pattern.startswith("Invalid"):
                last = _translated(last, _EXPECTED) or _SEE_BELOW
            return chinese.format("", *others, last)
    return _UNKNOWN


def _translated(text: str, table: tuple[tuple[str, str], ...]) -> str | None:
    for pattern, chinese in table:
        if found := re.fullmatch(pattern, text):
            return chinese.format("", *found.groups())
    return None


@contextmanager
def _in_both() -> Iterator[None]:
    """Put a usage error's Chinese above its English."""
    try:
        yield
    except _USAGE_ERROR as error:
        if isinstance(error, _InBoth) or type(error).__name__ == "NoArgsIsHelpError":  # which is the help, no error
            raise
        english, ctx = error.format_message(), error.ctx
        usage = f"用法见 {ctx.command_path} {ctx.help_option_names[0]}。" if ctx and ctx.help_option_names else ""
        raise _InBoth(f"{in_chinese(english)}{usage}\n{english}", ctx=ctx) from error


class _InBoth(typer.BadParameter):
    """A usage error whose message is in both languages."""

    def format_message(self) -> str:
        """Return it as it is."""
        return self.message
