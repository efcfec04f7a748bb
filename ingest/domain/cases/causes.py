"""Causes of an alarm that people may name: one form for instruments and gateways, one for the process.

The codes are ours; no published list was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ingest.domain.model.plant import DEVICE_SIGNALS
from ingest.domain.model.text import Text


class Form(StrEnum):
    """Which form an alarm is disposed of with."""

    DEVICE = "device"  # 断线、仪表: nothing watches the point
    PROCESS = "process"  # 非断线: the process did it


DEVICE_RULES: Final = frozenset(
    {"OFFLINE", "SILENT", "BAD", "STUCK", "PINNED", "NOISE", "CURRENT", "RANGE", "AHEAD", "BEHIND"}
)
"""Rules that doubt the instrument or its link, not the process."""

CAUSES: Final[Mapping[Form, Mapping[str, Text]]] = {
    Form.DEVICE: {
        "device.power": Text("停电或供电故障", "power failure"),
        "device.network": Text("通讯中断", "network failure"),
        "device.gateway": Text("网关或采集主机故障", "gateway failure"),
        "device.sensor": Text("传感器损坏", "sensor broken"),
        "device.wiring": Text("接线松动、断线或短路", "wiring loose, open or shorted"),
        "device.fouling": Text("堵塞、结露或积灰", "blocked, wet or fouled"),
        "device.calibration": Text("标定漂移或超期", "out of calibration"),
        "device.setting": Text("量程或参数设置错误", "wrong range or setting"),
        "device.work": Text("检修、更换或校验", "repair, replacement or calibration"),
        "device.standby": Text("停产停用", "plant not in production"),
        "device.tampering": Text("人为关闭、破坏或屏蔽", "switched off, damaged or masked by somebody"),
        "device.other": Text("其他（须说明）", "other (say what)"),
    },
    Form.PROCESS: {
        "process.operation": Text("操作不当", "operating error"),
        "process.equipment": Text("设备故障", "equipment failure"),
        "process.water": Text("冷却水异常", "cooling water"),
        "process.gas": Text("煤气泄漏或压力异常", "gas leak or pressure"),
        "process.dust": Text("积尘或清灰不及时", "dust not cleaned away"),
        "process.blockage": Text("堵塞或滤袋破损", "blockage or broken filter bag"),
        "process.heat": Text("过热、火花或阴燃", "overheating, spark or smouldering"),
        "process.metal": Text("铝液、钢水液位或泄漏", "molten metal level or leak"),
        "process.people": Text("人员聚集或违规进入", "people gathered or entered"),
        "process.interlock": Text("联锁旁路或失效", "interlock bypassed or failed"),
        "process.utility": Text("外部停水停电停气", "loss of water, power or gas from outside"),
        "process.other": Text("其他（须说明）", "other (say what)"),
    },
}
"""By form: code -> what it says."""

FALSE_ALARMS: Final[Mapping[str, Text]] = {
    "interference": Text("电磁或环境干扰", "interference"),
    "instrument": Text("仪表误报", "the instrument was wrong"),
    "limit": Text("限值设置不当", "a wrong limit"),
    "test": Text("测试或演练", "a test or drill"),
    "work": Text("检修未办理停用", "work on it without taking it out of service"),
    "other": Text("其他（须说明）", "other (say what)"),
}
"""Why an alarm was false: code -> what it says."""


def form_of(signal: str, rule: str) -> Form:
    """The form for an alarm of that signal and rule.

    >>> form_of("GATEWAY_ONLINE", "OFFLINE"), form_of("STL_CO", "STUCK"), form_of("STL_CO", "HH")
    (<Form.DEVICE: 'device'>, <Form.DEVICE: 'device'>, <Form.PROCESS: 'process'>)
    """
    return Form.DEVICE if signal in DEVICE_SIGNALS or rule in DEVICE_RULES else Form.PROCESS
