"""Texts of what a default rule needs from its plant; the configuration has them in English, with codes."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ingest.domain.model.text import Text
from ingest.plants.catalogue import load_catalogue

_NEEDS: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = tuple(
    (re.compile(pattern), zh, en)
    for pattern, zh, en in (
        (r"(?P<what>.+) for its rule (\S+)", r"规则 {2} 的{what}", r"{what} for its rule {2}"),
        (r"setpoint", "设定值", "a set-point"),
        (r"setpoint of (\S+)", "测点 {1} 的设定值", "the set-point of {1}"),
        (r"a setpoint below (.+)", "低于 {1} 的设定值", "a set-point below {1}"),
        (r"a setpoint above (.+)", "高于 {1} 的设定值", "a set-point above {1}"),
        (r"on", "限值（on）", "its limit (on)"),
        (r"a point of (?P<signal>\S+)", "测点：{signal}", "a point of {signal}"),
        (r"a point of (?P<signals>\S+(?: or \S+)+)", "以下任一测点：{signals}", "a point of any of {signals}"),
        (
            r"at most (\d+) points that trip or sign, of (\d+)",
            "动作与签认的测点不超过 {1} 个（现有 {2} 个，请在规则中写明测点编号）",
            "at most {1} points that trip or sign (it has {2}: name them in the rule)",
        ),
        (
            r"one point of (?P<signal>\S+) on its equipment, to know which of (.+)",
            "同一设备上唯一的测点：{signal}（现有 {2}，无法确定用哪一个）",
            "one point of {signal} on its equipment, to know which of {2}",
        ),
        (r"phases of its equipment: (.+)", "设备的阶段：{1}", "phases of its equipment: {1}"),
        (r"signals that tell (.+) from (\S+)", "能区分阶段“{1}”与“{2}”的测点", "signals that tell {1} from {2}"),
        (r"a condition, which (.+) is not", "条件（{1} 不是条件）", "a condition, which {1} is not"),
        (r"rule (\S+), which is disabled", "规则 {1}（已停用）", "rule {1}, which is disabled"),
        (r"rule (\S+), which is for other dusts", "规则 {1}（适用于其他粉尘）", "rule {1}, which is for other dusts"),
        (r"rule (\S+)", "规则 {1}", "rule {1}"),
        (
            r"another (?P<signal>.+?) (?P<where>in the plant|on .+)",
            "{where}的另一个测点：{signal}",
            "another point of {signal} {where}",
        ),
        (
            r"(\d+) other (?P<signal>.+?) (?P<where>in the plant|on .+)",
            "{where}的另外 {1} 个测点：{signal}",
            "{1} other points of {signal} {where}",
        ),
    )
)
_WHERE: Final = {
    "in the plant": Text("本企业内", "in the plant"),
    "on its equipment, of which it names none": Text(
        "同一设备（未填写所属设备）上", "on its equipment (it names none)"
    ),
}


def need_text(what: str) -> Text:
    """Return what is missing in both languages; an unknown text as it is.

    >>> need_text("setpoint of FLOW-1").zh, need_text("rule H, which is disabled").zh
    ('测点 FLOW-1 的设定值', '规则 H（已停用）')
    """
    for pattern, zh, en in _NEEDS:
        found = pattern.fullmatch(what)
        if found is not None:
            parts = {name: _part(name, text) for name, text in found.groupdict().items()}
            numbered = ("", *found.groups())
            return Text(
                zh.format(*numbered, **{name: part.zh for name, part in parts.items()}),
                en.format(*numbered, **{name: part.en for name, part in parts.items()}),
            )
    return Text(what, what)


def needs_in_both_languages(needs: str) -> str:
    """Return what the configuration says is missing ("needs setpoint") with its Chinese in front, for a terminal.

    >>> needs_in_both_languages("needs setpoint"), needs_in_both_languages("something else")
    ('缺少设定值 needs setpoint', 'something else')
    """
    what = need_text(needs.removeprefix("needs "))
    return needs if what.zh == what.en else f"缺少{what.zh} {needs}"


def _part(name: str, text: str) -> Text:
    if name == "what":
        return need_text(text)
    if name == "where":
        machine = text.removeprefix("on ")
        return _WHERE.get(text, Text(f"设备 {machine} 上", text))
    if name == "signals":
        parts = [_part("signal", signal) for signal in text.split(" or ")]
        return Text("、".join(part.zh for part in parts), ", ".join(part.en for part in parts))
    if text == "measured value":
        return Text("测量值", "a measured value")
    title = _signals().get(text)
    return Text(f"{title.zh}（{text}）", f"{title.en} ({text})") if title else Text(text, text)


@cache
def _signals() -> dict[str, Text]:
    """Return the names of the catalogue's signals by code."""
    return {code: signal.name for kind in load_catalogue().signals.values() for code, signal in kind.items()}
