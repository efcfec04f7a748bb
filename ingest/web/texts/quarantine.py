"""Texts of quarantined messages: their reasons, and the details of the wire formats in Chinese.

The wire says once, in English, what stands there and what was expected. Quotations stay as they were sent.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.domain.model.text import Text

REASONS: Final[dict[str, Text]] = {
    "topic": Text("主题不符", "not one of the topics"),
    "too-large": Text("超出大小上限", "larger than may be"),
    "not-readable": Text("无法读取", "cannot be read"),
    "schema": Text("内容不符合格式", "does not fit the format"),
    "duplicate-key": Text("键重复", "a key twice"),
    "column-length": Text("列长与时间数不符", "a column of another length than time"),
    "time-not-increasing": Text("时间未递增", "time stands still or goes back"),
    "not-finite": Text("不是有限数值", "no finite number"),
    "unknown-gateway": Text("网关未登记", "gateway in no plant file"),
    "unknown-point": Text("测点不属于该网关", "points that are not this gateway's"),
    "boot-reused": Text("启动标识重复使用", "boot used again"),
    "damaged": Text("补传数据在本机磁盘上损坏", "back-fill damaged on our own disk"),
    "history-rejected": Text("历史库拒收", "refused by the history"),
}

_QUOTED: Final = re.compile(r'("(?:[^"\\]|\\.)*"?|`[^`]*`)')
_WORDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"expected an array of whole milliseconds since 1970, UTC", "应为由 1970 年以来的整毫秒数（UTC）组成的数组"),
        (r"expected whole milliseconds since 1970, UTC", "应为 1970 年以来的整毫秒数（UTC）"),
        (r": (-?\d+), it is in seconds", r"：\1（所给为秒）"),
        (r": (\[[^\]]*\]) for one time", r"：只有一个时间时写作 \1"),
        (r": (\S+) without quotes", r"：写作 \1，不加引号"),
        (r": 1 for true, 0 for false", "：真写作 1，假写作 0"),
        (r"expected a text of 1 to (\d+) characters, new at each start", r"应为 1 至 \1 个字符的文本，每次启动更换"),
        (r"expected a whole number, 1 for the first frame of a boot", "应为整数，每次启动从 1 开始"),
        (r"expected an object, point -> an array with an entry for each time", "应为对象：测点 -> 数组，每个时间一项"),
        (r"expected true or false", "应为 true 或 false"),
        (r"no field is called ", "没有此字段："),
        (r"(\w+) is missing", r"缺少 \1"),
        (r"expected a finite number or null", "应为有限数值或 null"),
        (r"expected an array of finite numbers and null", "应为由有限数值和 null 组成的数组"),
        (r"expected a JSON object or a MessagePack map", "应为 JSON 对象或 MessagePack 映射"),
        (r"expected 0 to 7 for each time", "每个时间应为 0 至 7"),
        (r"expected 0 to 7", "应为 0 至 7"),
        (r"expected a boot that is new at each start", "每次启动应使用新的 boot"),
        (r"expected points of this gateway", "应为该网关的测点"),
        (r"expected (?:it )?once", "应只出现一次"),
        (r"expected strictly increasing", "应严格递增"),
        (r"expected a map of columns", "应为由列组成的映射"),
        (r"expected an object", "应为对象"),
        (r"expected one\b", "应有对应的列"),
        (r"expected at most", "最多"),
        (r"expected (\d+) to (\d+)", r"应为 \1 至 \2"),
        (r"expected ", "应为 "),
        (r" has no column in values", "在 values 中没有对应的列"),
        (r" has ([\d.e+]+) entries", r" 有 \1 项"),
        (r" has (\d+) bytes", r" 有 \1 字节"),
        (r" for (\d+) times", r"（\1 个时间）"),
        (r"a point id of (\d+) characters, ", r"测点标识长 \1 个字符："),
        (r"a key stands twice in (\w+)", r"\1 中有键出现两次"),
        (r"a key stands twice", "有键出现两次"),
        (r" stands (?:twice|more than once)", " 出现不止一次"),
        (r"the name of a field is no Unicode", "字段名不是有效的 Unicode"),
        (r" is no Unicode", " 不是有效的 Unicode"),
        (r" is in no plant file", " 不在任何企业文件中"),
        (r" is another frame's", " 已属于另一帧"),
        (r" and (\d+) more", r" 等，另有 \1 项"),
        (r" or a number too large", " 或过大的数"),
        (r"starts with ", "开头为 "),
        (r"(\d+) bytes, of which the first (\d+) are kept", r"\1 字节，只保留了开头的 \2 字节"),
        (r"(\d+) bytes", r"\1 字节"),
        (r"(\d+) columns", r"\1 列"),
        (r"(\d+) readings", r"\1 个读数"),
        (r"(time\[\d+\] = \S+) after (\S+);", r"\1 在 \2 之后;"),
        # What the libraries say that read JSON and MessagePack.
        (r"Object missing required field ", "缺少字段 "),
        (r"Object contains unknown field ", "有未知字段 "),
        (r"Expected ", "应为 "),
        (r", got ", "，实为 "),
        (r" - at ", "，位于 "),
        (r" of length (<=|>=) ", r" 长度 \1 "),
        (r"Integer value out of range", "整数超出范围"),
        (r"Unterminated string starting at", "字符串没有结尾"),
        (r"Expecting value", "缺少值"),
        (r"Expecting property name enclosed in double quotes", "应为带双引号的键"),
        (r"Expecting ('.') delimiter", r"应有分隔符 \1"),
        (r"Extra data", "末尾有多余内容"),
        (r"Invalid control character at", "有非法控制字符"),
        (r"Invalid \\+escape", "转义无效"),
        (r"line (\d+) column (\d+) \(char \d+\)", r"第 \1 行第 \2 列"),
        (r"Input data was truncated", "数据不完整"),
        (r"(JSON|MessagePack data) is malformed", r"\1 有误"),
        (r"nested deeper than (\d+)", r"嵌套超过 \1 层"),
        (r"maximum recursion depth exceeded.*", "嵌套过深"),
        (r"'utf-8' codec can't decode bytes? .*", "不是有效的 UTF-8"),
        (r"Invalid UTF-8 encoded string", "不是有效的 UTF-8"),
    )
)


def in_chinese(detail: str) -> str:
    """Translate the details of a wire format's error to Chinese; quoted values stay, and so do unknown texts.

    >>> in_chinese('values.A[0] = "expected"; expected a finite number or null')
    'values.A[0] = "expected"；应为有限数值或 null'
    """
    parts = _QUOTED.split(detail)
    for place in range(0, len(parts), 2):
        for pattern, chinese in _WORDS:
            parts[place] = pattern.sub(chinese, parts[place])
        parts[place] = parts[place].replace("; ", "；")
    return "".join(parts)
