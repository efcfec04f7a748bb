"""Texts of what was expected of a refused field.

Rules and forms give it in English; here it is translated to Chinese, and messages of libraries are reworded for
people.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.domain.cases.ledger_steps import REFUSALS
from ingest.domain.cases.step_tables import EXPECTED
from ingest.domain.model.text import Text

NOTHING: Final = Text("未填写", "nothing was written")

_EXPECTED: Final[tuple[tuple[re.Pattern[str], str, str | None], ...]] = tuple(
    (re.compile(pattern), chinese, english)
    for pattern, chinese, english in (
        (r"a value|a valid string|String should have at least 1 character", "必填", "something must be written here"),
        (r"a text: (?:what is looked at)", "必填：检查什么", None),
        (r"a text, for a hazard that is new", "新隐患须填写", None),
        (r"words that say why the alarm was false", "必填：为何是误报", None),
        (r"words that say what the cause was", "必填：原因是什么", None),
        (r"the clause of the criteria that a major hazard falls under", "重大隐患须选择所依据的判定条款", None),
        (r"none for a general hazard", "一般隐患不填", None),
        (r"a clause for plants of kind (\w+)", "适用于该类企业的条款", "a clause for plants of this kind"),
        (r"a sum of 0 or more|a sum in yuan.*|a valid decimal|Decimal input should .*",
         "以元为单位的金额，不小于 0，最多两位小数",
         "a sum in yuan, 0 or more, with at most two decimals, such as 5000 or 12.50"),
        (r"1 to (\d+) h: .*", r"1 至 \1 小时；更长须到期前申请延期，重新批准", None),
        (r"a number of hours, 1 or more", "小时数，不小于 1", None),
        (r"0 or more|greater than or equal to 0", "不小于 0 的整数", "a whole number, 0 or more"),
        (r"today, (\S+)", r"今日，\1", None),
        (r"a number from 0 to (\d+)", r"0 至 \1 的整数", r"a whole number from 0 to \1"),
        (r"a time after (\S+)", r"晚于 \1 的时间", None),
        (r"a time not after (\S+)", r"不晚于 \1 的时间", None),
        (r"at most (\d+) days after its beginning", r"开始后不超过 \1 天", None),
        (r"a position of the roster of this plant", "该企业值班表中的岗位", None),
        (r"somebody whom the settings name in calls.people", "配置 calls.people 中的人员", None),
        (r"somebody planned for the shift that begins then", "排在该班次的人员", None),
        (r"an area of plant \S+", "该企业清扫计划中的区域", "an area of this plant"),
        (r"an equipment of plant \S+", "该企业的设备", "one of this plant"),
        (r"a day after (\S+)", r"晚于 \1 的日期", None),
        (r"a day not after (\S+)", r"不晚于 \1 的日期", None),
        (r"a day not before (\S+)", r"不早于 \1 的日期", None),
        (r"no days: they are for the lists .*", "不填日期；只有作业报备、安全承诺、粉尘清扫记录按日期导出", None),
        (r"a time not (?:before|earlier than) (\S+)", r"不早于 \1 的时间", None),
        (r"a time that is past", "已经过去的时间", None),
        (r"a file", "文件", None),
        (r"a period that had begun, such as (\S+)", r"已经开始的周期，如 \1", None),
        (r"the name of each inspector", "每名检查人员的姓名", None),
        (r"the id of a check in this ledger", "本台账中的一条检定或检验记录", "a check in this ledger"),
        (r"the lead it goes after", "所核查的线索", None),
        (r"the plan's name or number", "检查计划的名称或编号", None),
        (r"a result that fits (\d+) findings", r"与已记录的 \1 个问题相符的结果", None),
        (r"a finding that has to be rectified", "须先记录一项待整改的问题", None),
        (r"at least one alarm, or a warning", "至少选择一条报警或一条预警", None),
        (r"alarms or a warning, not both", "报警与预警只能选其一", None),
        (r"each alarm once", "每条报警只选一次", None),
        (r"alarms of one plant", "同一企业的报警", None),
        (r"alarms of devices or of the process, each has its own form", "设备报警与工艺报警请分开反馈", None),
        (r"an? (?:lead|hazard|point|alarm) of plant \S+", "该企业自己的记录", "one of this plant"),
        (r"the id of the alarm it comes from", "其来源报警", "the alarm it comes from"),
        (r"evidence handed in for plant \S+", "为该企业上传的证据", "evidence handed in for this plant"),
        (r"a file that begins like .*", "内容为 JPEG、PNG 或 PDF 的文件", "a JPEG, PNG or PDF file, by its content"),
        (r"1 to (\d+) bytes", "不为空、且不超过 {size} 的文件", "a file that is not empty, of at most {size}"),
        (r"at most (\d+) files", r"最多 \1 个文件", None),
        (r"String should have at most (\d+) characters", r"最多 \1 个字", r"at most \1 characters"),
        (r"Unicode text without control characters, not (U\+[0-9A-F]+)", r"不含控制字符的文本（含有 \1）",
         r"text without control characters; it has \1"),
        (r"String should match pattern .*", "所需格式的内容", "another form of text"),
        (r"a day such as (\S+)|a valid date.*|month must be .*|day is out of range .*|Invalid isoformat .*",
         "日期或时间，如 2026-11-23", "a day or time that exists, such as 2026-11-23"),
        (r"a time (?:such as .*|of the plant, .*)|hour must be .*|minute must be .*",
         "企业当地时间，如 2026-11-23T14:12", "a time of the plant, such as 2026-11-23T14:12"),
        (r"(?:greater than or equal to|less than) \d{4}-\d\d-\d\d",
         "2000 年至 2199 年的日期", "a day from 2000 to 2199"),
        (r"a time at most (\d+) days before `to` = (\S+)", r"不早于 `to`（\2）前 \1 天的时间", None),
        (r"a time before `to` = (\S+)", r"早于 `to`（\1）的时间", None),
        (r"a time before (\S+)", r"早于 \1 的时间", None),
        (r"at most (\d+) days before (\S+)", r"\2 之前 \1 天以内的时间", None),
        (r"`next` of a page with order=(\S+)", r"`order=\1` 的某一页给出的 `next`", None),
        (r"`next` of an earlier page, unchanged", "前面某一页给出的 `next`，原样填写", None),
        (r"the id of an event of this stream", "本事件流中某一事件的标识", None),
        (r"one number for each of alarms", "与 alarms 一一对应的数字", None),
        (r"either `hazard`, .*", "`hazard`（已有隐患的标识）或 `new`，二者取一", None),
        (r"an RFC 3339 time with its zone, .*",
         "带时区的时间（RFC 3339），如 2026-11-23T06:00:00Z（网址中 + 写作 %2B）", None),
        (r"Extra inputs are not permitted", "不写此项：没有这个字段", "no such field"),
        (r"a valid (?:dictionary|list|tuple|set)\b.*", "所需的 JSON 结构", "JSON of another structure"),
        (r"JSON decode error", "有效的 JSON", "valid JSON"),
        (r"(?:List|Tuple|Set|Value) should have at least (\d+) items? after .*", r"至少 \1 项", r"at least \1 items"),
        (r"(?:List|Tuple|Set|Value) should have at most (\d+) items? after .*", r"至多 \1 项", r"at most \1 items"),
        (r"String should have at least (\d+) characters", r"至少 \1 个字", r"at least \1 characters"),
        (r"greater than (\S+)", r"大于 \1 的数字", r"a number greater than \1"),
        (r"greater than or equal to (\S+)", r"不小于 \1 的数字", r"a number, \1 or more"),
        (r"less than (\S+)", r"小于 \1 的数字", r"a number less than \1"),
        (r"a finite number", "有限的数字", None),
        (r"less than or equal to (\S+)", r"不大于 \1 的数字", r"a number, \1 at most"),
        (r"a valid (?:integer|number)(?:, .*)?", "数字", "a number"),
        (r"UUID input should be .*", "标识（UUID）", "an id (UUID)"),
        (r"one of .*|by-hand, alarm or self-inspection|'.*'|a valid (?:UUID|boolean)(?:, .*)?", "从所列各项中选择一项",
         "one of those that are offered"),
    )
)  # fmt: skip


def expected_text(expected: str) -> Text:
    """Return what is expected of a field in both languages; an unknown text as it is.

    >>> expected_text("a day not after 2026-11-23").zh
    '不晚于 2026-11-23 的日期'
    """
    known = EXPECTED.get(expected) or REFUSALS.get(expected)
    if known is not None:
        return known
    for pattern, chinese, english in _EXPECTED:
        found = pattern.fullmatch(expected)
        if found is not None:
            return Text(_filled(chinese, found), expected if english is None else _filled(english, found))
    return Text(expected, expected)


def size(count: int) -> str:
    """Format a number of bytes.

    >>> size(12_613_542), size(512)
    ('12.0 MiB', '512 B')
    """
    return (
        f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB" if count >= 2**10 else f"{count} B"
    )


def _filled(words: str, found: re.Match[str]) -> str:
    if "{size}" in words:
        return words.format(size=size(int(found[1])))
    return found.expand(words)
