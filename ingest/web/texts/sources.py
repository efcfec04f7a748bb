"""Translates the sources of the catalogue's, the warnings' and the benchmarks' numbers to Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.web.texts.catalogue_sources import CATALOGUE_PARTS

_BEGINNINGS: Final[Mapping[str, str]] = {
    "engineering default: ": "工程默认值：",
    "recalled, verify: ": "凭记忆，待核实：",
    "found: ": "查得：",
}
_PARTS: Final[Mapping[str, str]] = {
    **CATALOGUE_PARTS,
    "3 × 30 s": "3 × 30 秒",
    "GB 39496-2020 §5.5.4 (tailings ponds": "GB 39496-2020 §5.5.4（尾矿库",
    "m.777doc.com/doc-6721479": "m.777doc.com/doc-6721479",
    "m.777doc.com/doc-6721479 (24 ppm = 30 mg/m³, 160 ppm = 200 mg/m³)": (
        "m.777doc.com/doc-6721479（24 ppm = 30 mg/m³，160 ppm = 200 mg/m³）"
    ),
    "a boot that is not new at each start, or two devices of one identity": (
        "重启后启动编号未更新，或两台设备共用一个标识"
    ),
    "a gateway that catches up after an outage looks behind for a while": "网关中断后补传时会短暂显得滞后",
    "a gateway that floods is broken or hostile": "大量涌入数据的网关有故障或被恶意利用",
    "a monitoring device that does not work is a hazard (recalled, verify: 令第10号 Art.14)": (
        "监测设备失效即为隐患（凭记忆，待核实：令第10号第十四条）"
    ),
    "a reading stamped a minute wrong cannot be laid beside another plant's": "时间差一分钟的读数无法与其他企业对照",
    "a year": "一年",
    "alarm times before and after cannot be compared": "前后的报警时间无法比较",
    "an alarm that nobody outside has been told of": "尚未通知外部任何人的报警",
    "any": "任何一次",
    "its receiver does not know of it": "其接收方不知道",
    "any level 1 alarm is a warning": "任何一级报警即为预警",
    "as long as the broker may be away": "与消息代理可断开的时间相同",
    "at most 1 or at least 23 mA of a 4-20 mA loop, its range taken for 4-20 mA": (
        "4-20 mA 回路电流不高于 1 mA 或不低于 23 mA（量程对应 4-20 mA）"
    ),
    "days of readings of a large park still fit": "仍可容纳大型园区数天的读数",
    "every deadline and every time of arrival is off by as much": "所有时限和到达时间都有同样的偏差",
    "frames may be lost between a gateway and the service": "网关与服务之间可能丢帧",
    "gateways keep what they have": "网关保留未送达的数据",
    "hours of readings of a large park still fit": "仍可容纳大型园区数小时的读数",
    "no frame": "没有数据帧",
    "no gateway keeps readings for so long, so it is the clock, which is told at once": (
        "没有网关会保存这么久，应为时钟问题，立即告知"
    ),
    "none of such a device's frames can be told from a repeat by its number": "无法凭编号区分此类设备的新帧与重复帧",
    "nothing is judged meanwhile": "其间不作判定",
    "often a field that has another type there": "常为字段类型与历史库中不同",
    "once it has ended no reading comes in after the next loss of the connection": ("到期后连接一旦中断就不再有读数"),
    "plant file": "企业文件",
    "readings in them are lost": "其中的读数已丢失",
    "taken over by us for plants": "由我们借用于企业",
    "the gateway's own status says offline": "网关自报离线",
    "the journal keeps what the history lacks": "历史库缺少的数据保存在日志中",
    "the quarantine names point, value and what was expected": "隔离区列出测点、数值和应有内容",
    "the rule's own source says why it is marked": "标记理由见该规则自身的出处",
    "time to have one issued and to bring it to the broker, the console or the gateways": (
        "留出签发证书并送到代理、控制台或网关的时间"
    ),
    "the day after its last day": "最后有效日的次日",
    "what the period is from is told on the page of the instrument": "周期的依据见该仪表的页面",
    "title of the copy not shown, verify)": "所见副本未显示标题，待核实）",
    "what is not read is not judged until the gateway sends it again": "未读取的数据在网关重发之前不作判定",
    "what is refused is kept in quarantine, and not judged": "被拒收的数据保存在隔离区，不作判定",
    "wider than NAMUR NE 43, so that a value only just out of range is RANGE alone": (
        "宽于 NAMUR NE 43，因此刚超量程的数值只报超量程"
    ),
    "EEMUA 191 / ISA-18.2 as told by inductiveautomation.com (self-audit): 150 manageable, 300 to be reduced": (
        "EEMUA 191 / ISA-18.2，转引自 inductiveautomation.com（自查）：150 可应付，300 应减少"
    ),
    "IEC 62682 / ISA-18.2 table as an open-source alarm dashboard shows it": (
        "IEC 62682 / ISA-18.2 表格，转引自某开源报警看板"
    ),
    "the standards were not at hand": "未见标准原文",
    "ISA-18.2 as told by prosys.com (alarm floods)": "ISA-18.2，转引自 prosys.com（报警泛滥）",
    "of three priorities 5 % high and 15 % medium (ISA-18.2, recalled, verify)": (
        "三级中高级 5 %、中级 15 %（ISA-18.2，凭记忆，待核实）"
    ),
    "here are two": "此处只有两级",
}


def source_in_chinese(source: str) -> str:
    """Translate one of the product's sources to Chinese, part by part; a plant file's own source stays as it is.

    >>> source_in_chinese("recalled, verify: 0.8 %; hysteresis engineering default")
    '凭记忆，待核实：0.8 %；回差为工程默认值'
    """
    return "；".join(map(_part, source.split("; ")))


def known(source: str) -> bool:
    """Whether every part of a source has a translation."""
    return all(_part(part) != part or part in _PARTS for part in source.split("; "))


def _part(part: str) -> str:
    for beginning, chinese in _BEGINNINGS.items():
        rest = part.removeprefix(beginning)
        if rest != part and rest in _PARTS:
            return chinese + _PARTS[rest]
    return _PARTS.get(part, part)
