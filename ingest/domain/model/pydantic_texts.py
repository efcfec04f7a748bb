"""Puts what Pydantic itself expects of a value into both languages; our own validators bring theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ingest.domain.model.text import Text

KNOWN: Final[Mapping[str, str]] = {
    "greater_than": "大于 {gt}", "greater_than_equal": "不小于 {ge}",
    "less_than": "小于 {lt}", "less_than_equal": "不大于 {le}",
    "multiple_of": "{multiple_of} 的倍数", "finite_number": "有限的数", "int_parsing_size": "位数少一些的整数",
    "too_short": "至少 {min_length} 项，现有 {actual_length} 项",
    "too_long": "至多 {max_length} 项，现有 {actual_length} 项",
    "string_too_short": "至少 {min_length} 个字符", "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "符合 {pattern} 的文本",
    "string_unicode": "Unicode 文本", "string_not_ascii": "ASCII 文本",
    "bytes_too_short": "至少 {min_length} 字节", "bytes_too_long": "至多 {max_length} 字节",
    "bytes_invalid_encoding": "以 {encoding} 编码的字节", "invalid_key": "以文本为名的键", "none_required": "不写此项",
    "set_item_not_hashable": "不含表和列表的各项", "json_invalid": "JSON：{error}",
    "date_past": "已过去的日期", "date_future": "尚未到来的日期", "date_from_datetime_inexact": "不含时刻的日期",
    "datetime_past": "已过去的时间", "datetime_future": "尚未到来的时间",
    "datetime_object_invalid": "存在的时间：{error}",
    "timezone_naive": "不带时区的时间", "timezone_aware": "带时区的时间",
    "timezone_offset": "时区相差 {tz_expected} 秒的时间，现为 {tz_actual} 秒",
    "url_syntax_violation": "写法正确的网址：{error}", "url_too_long": "至多 {max_length} 个字符的网址",
    "url_scheme": "以 {expected_schemes} 开头的网址", "uuid_version": "第 {expected_version} 版 UUID",
    "decimal_max_digits": "至多 {max_digits} 位数字", "decimal_max_places": "至多 {decimal_places} 位小数",
    "decimal_whole_digits": "至多 {whole_digits} 位整数",
    "secret_place": '{{ file = "PATH" }} 或 {{ env = "NAME" }}，二者取一',
}  # fmt: skip
"""Chinese by type of error; its context fills the names in."""

_LEAD: Final = re.compile(r"^(Value error, |(Input|Value|String|Tuple|List) should (be |have )?)")


def text_of(error: Mapping[str, Any]) -> Text:
    """Return what an error of Pydantic's says is expected; the Chinese of an unknown one quotes its English.

    >>> text_of({"type": "greater_than", "msg": "Input should be greater than 0", "ctx": {"gt": 0.0}})
    Text(zh='大于 0', en='greater than 0')
    >>> text_of({"type": "value_error", "msg": "Value error, such and such"})
    Text(zh='能用的值（such and such）', en='such and such')
    """
    context = error.get("ctx", {})
    pattern = error["type"] == "string_pattern_mismatch"
    english = f"a text that matches {context['pattern']}" if pattern else _LEAD.sub("", str(error["msg"]))
    known = KNOWN.get(error["type"])
    if known is None:
        return Text(f"能用的值（{english}）", english)
    return Text(known.format_map({name: str(value).removesuffix(".0") for name, value in context.items()}), english)


def choices(expected: str) -> Text:
    """Return a list of choices, as Pydantic writes it.

    >>> choices("'a', 'b' or 'c'").zh
    "'a'、'b' 或 'c'"
    """
    return Text(expected.replace(", ", "、").replace(" or ", " 或 "), expected)
