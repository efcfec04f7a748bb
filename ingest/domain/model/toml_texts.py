"""Puts the errors of Python's TOML parser into both languages."""

from __future__ import annotations

import re
from typing import Final

from ingest.domain.model.text import Text
from ingest.domain.model.translations import translated, translations

_PROBLEMS: Final = translations(
    (
        (r"Invalid initial character for a key part", "键的开头不能是这个字符"),
        (r"Invalid value", "值的写法不对；文本须加引号"),
        (r"(?:Found invalid|Illegal) character (.+)", r"不允许的字符 \1"),
        (r"Cannot declare (.+) twice", r"\1 声明了两次"),
        (r"Expected '(\]+)' at the end of an? (?:table|array) declaration", r"表头末尾缺少 '\1'"),
        (r"Cannot (?:mutate immutable|redefine) namespace (.+)", r"\1 已有内容，不能再补充"),
        (r"Cannot overwrite a value", "这个键已经有值"),
        (r"Expected '=' after a key in a key/value pair", "键之后缺少 '='"),
        (r"Invalid hex value", "转义中的十六进制数不对"),
        (r"Escaped character is not a Unicode scalar value", "转义的字符不存在"),
        (r"Expected newline or end of document after a statement", "一项之后应换行"),
        (r"Unclosed array", "列表没有结束，缺少 ']'"),
        (r"Duplicate inline table key (.+)", r"花括号内的键 \1 写了两次"),
        (r"Unclosed inline table", "花括号内的表没有结束，缺少 '}'"),
        (r"Unescaped '\\' in a string", r"文本中单独的 '\\'：须写两个，或改用单引号"),
        (r"Expected (.+)", r"缺少 \1"),
        (r"Unterminated string", "文本没有结束，缺少引号"),
        (r"Invalid date or datetime", "日期或时间不存在"),
        (r"Invalid statement", "既不是 [表头] 也不是 键 = 值"),
        (r"text in UTF-8", "应为 UTF-8 文本"),
        (r"'utf-8' codec can't decode .+", "应为 UTF-8 文本"),
    )
)
_PLACE: Final = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+)(?:, column (?P<column>\d+))?|end of document)\)")


def toml_text(error: str) -> Text:
    """Return that TOML is expected, and what the parser found instead; an unknown message as it is.

    >>> toml_text("Unclosed array (at line 3, column 5)")
    Text(zh="TOML：列表没有结束，缺少 ']'（第 3 行第 5 列）", en='TOML: Unclosed array (at line 3, column 5)')
    """
    placed = _PLACE.fullmatch(error)
    what = placed["what"] if placed is not None else error
    found = translated(what, _PROBLEMS)
    if found is None:
        return Text(f"TOML：{error}", f"TOML: {error}")
    where = ""
    if placed is not None and placed["line"]:
        where = f"（第 {placed['line']} 行" + (f"第 {placed['column']} 列）" if placed["column"] else "）")
    elif placed is not None:
        where = "（文件结尾）"
    return Text(f"TOML：{found}{where}", f"TOML: {error}")
