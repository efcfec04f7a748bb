"""Three made-up plants: deep-well aluminium casting, steel, wood dust; and what their points read at any time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from ingest.domain.model.plant import (
    GATEWAY_SIGNAL,
    Confidence,
    Equipment,
    Gate,
    Gateway,
    GatewayPoint,
    NotEvaluated,
    Plant,
    PlantKind,
    Point,
    Rationalization,
    Rule,
)
from ingest.domain.model.text import Text
from ingest.plants.configuration import GatewayConfiguration, PlantConfiguration
from ingest.plants.kinds.rule import SETPOINT
from tests.ingest.web.made_up_instruments import gauge, head

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NOON = int(dt.datetime(2026, 11, 23, 6, 12, 30, tzinfo=dt.UTC).timestamp()) * SECOND
"""14:12:30 in the control room."""
ALUMINIUM, STEEL, WOOD = "nanan-aluminium", "hongyuan-steel", "chenguang-wood"

_LABELS = {
    "LL": Text("低低报", "low-low"),
    "L": Text("低报", "low"),
    "H": Text("高报", "high"),
    "HH": Text("高高报", "high-high"),
    "STUCK": Text("数值卡死", "stuck"),
    "SILENT": Text("数据中断", "silent"),
    "OFFLINE": Text("网关离线", "gateway offline"),
    "AHEAD": Text("超前", "ahead"),
    "BEHIND": Text("滞后", "behind"),
}
_DEFAULT = "工程默认值，须按设计文件核定"


def configuration() -> PlantConfiguration:
    """Three plants: deep-well aluminium casting, steel, wood dust."""
    points: list[Point] = []
    water = Gate("CAST_LEN-01", ">=", 500.0)
    aluminium = _plant(
        points,
        ALUMINIUM,
        Text("南安市示范铝业有限公司", "Nan'an Demo Aluminium Co."),
        "aluminium",
        Equipment("CAST-01", Text("1号深井铸造机", "Casting machine 1")),
        [
            ("CW_IN_P-01", "ALC_CW_IN_P", Text("结晶器冷却水进水压力", "Mould cooling water inlet pressure"), "MPa",
             0.0, 0.6, (("L", 1, 0.315, water), ("LL", 2, 0.28, water)), ()),
            ("CW_IN_F-01", "ALC_CW_IN_F", Text("结晶器冷却水进水流量", "Mould cooling water inlet flow"), "m³/h",
             0.0, 500.0, (("L", 1, 288.0, water), ("LL", 2, 256.0, water)), ()),
            ("CW_IN_T-01", "ALC_CW_IN_T", Text("进水温度", "Inlet water temperature"), "℃",
             0.0, 60.0, (("H", 1, 35.0, None), ("HH", 2, 40.0, None)), ()),
            ("CW_OUT_T-01", "ALC_CW_OUT_T", Text("出水温度", "Outlet water temperature"), "℃",
             0.0, 100.0, (("HH", 2, 60.0, None),), ()),
            ("LVL_MOLD-01", "ALC_LAUNDER_LVL_MOLD", Text("模盘入口流槽液位", "Launder level at mould inlet"), "mm",
             0.0, 300.0, (("LL", 2, 135.0, water), ("L", 1, 142.0, water), ("H", 1, 158.0, water),
                          ("HH", 2, 165.0, water)), ()),
            ("CAST_LEN-01", "ALC_CAST_LEN", Text("铸造长度", "Cast length"), "mm", 0.0, 8000.0, (), ()),
            ("PIT_LVL-01", "ALC_PIT_LVL", Text("铸井水位", "Pit water level"), "m",
             0.0, 12.0, (), (NotEvaluated("L", SETPOINT), NotEvaluated("H", SETPOINT))),
        ],
        dt.date(2025, 12, 31), Text("深井铸造：2025 年底前全部接入", "see the enrolment rule"),
    )  # fmt: skip
    steel = _plant(
        points,
        STEEL,
        Text("泉州宏远钢铁有限公司", "Quanzhou Hongyuan Steel Co."),
        "steel",
        Equipment("BF-02", Text("2号高炉", "Blast furnace 2")),
        [
            ("CO-01", "STL_CO", Text("炉前平台一氧化碳", "CO on the casting floor"), "ppm",
             0.0, 1000.0, (("H", 1, 24.0, None), ("HH", 2, 160.0, None)), ()),
            ("CO-02", "STL_CO", Text("热风炉区一氧化碳", "CO at the hot stoves"), "ppm",
             0.0, 1000.0, (("H", 1, 24.0, None), ("HH", 2, 160.0, None)), ()),
            ("GH_LVL-01", "STL_GH_LEVEL", Text("煤气柜柜位", "Gas holder level"), "%",
             0.0, 100.0, (("LL", 2, 10.0, None), ("L", 1, 15.0, None), ("H", 1, 85.0, None),
                          ("HH", 2, 90.0, None)), ()),
            ("CW_DT-01", "STL_CW_DT", Text("炉体冷却水进出水温差", "Cooling water temperature rise"), "K",
             0.0, 40.0, (("H", 1, 15.0, None), ("HH", 2, 20.0, None)), ()),
        ],
        dt.date(2025, 12, 31), Text("钢铁：2025 年底前全部接入", "see the enrolment rule"),
    )  # fmt: skip
    wood = _plant(
        points,
        WOOD,
        Text("晨光木业有限公司", "Chenguang Wood Co."),
        "dust",
        Equipment("DC-01", Text("1号除尘器", "Dust collector 1")),
        [
            ("HOPPER_T-01", "DUST_HOPPER_TEMP", Text("灰斗内部温度", "Hopper temperature"), "℃",
             -20.0, 150.0, (("H", 1, 60.0, None), ("HH", 2, 70.0, None)), ()),
            ("DP-01", "DUST_DP", Text("除尘器进出风口压差", "Differential pressure"), "Pa",
             0.0, 3000.0, (("LL", 1, 200.0, Gate("FAN-01", "==", 1.0)), ("HH", 1, 1500.0, None)), ()),
            ("FAN-01", "DUST_FAN_RUN", Text("风机运行", "Fan running"), "", 0.0, 1.0, (), ()),
        ],
        dt.date(2024, 12, 31), Text("木质粉尘，涉粉 30 人以上：2024 年底前接入", "see the enrolment rule"),
    )  # fmt: skip
    plants = (aluminium, steel, wood)
    low, high = (np.array([getattr(point, edge) for point in points]) for edge in ("low", "high"))
    gateways = {}
    carrier = np.zeros(len(points), np.int32)
    for plant in plants:
        device, clock = (point.index for point in plant.points if point.is_device)
        measured = dict.fromkeys(GatewayPoint, clock)
        columns = {point.id: point.index for point in plant.points if not point.is_device}
        gateways[plant.id, "GW-01"] = GatewayConfiguration(columns, device, measured)
        carrier[[point.index for point in plant.points]] = device
    rules = tuple(rule for point in points for rule in point.rules)
    instruments = {
        ALUMINIUM: (gauge(ALUMINIUM),),
        STEEL: (head(STEEL, "CO-01", "K-101"), head(STEEL, "CO-02", "K-102")),
    }
    return PlantConfiguration(
        1,
        {plant.id: plant for plant in plants},
        tuple(points),
        rules,
        gateways,
        low,
        high,
        carrier,
        {},
        instruments=instruments,
    )


_Limits = tuple[tuple[str, Literal[1, 2], float, Gate | None], ...]


def _plant(
    points: list[Point],
    key: str,
    name: Text,
    kind: PlantKind,
    machine: Equipment,
    made: Sequence[tuple[str, str, Text, str, float, float, _Limits, tuple[NotEvaluated, ...]]],
    connect_by: dt.date,
    tier: Text,
) -> Plant:
    own: list[Point] = []
    for ident, signal, title, unit, low, high, limits, unjudged in made:
        rules = [
            _rule(key, ident, title, code, level, "limit", limit, unit, gate) for code, level, limit, gate in limits
        ]
        rules.append(_rule(key, ident, title, "SILENT", 1, "silence", 15.0, "s", None))
        own.append(
            Point(len(points) + len(own), key, ident, signal, title, unit, machine.id, "GW-01", low, high, 15.0, None,
                  tuple(rules), unjudged, states=_STATES.get(signal))
        )  # fmt: skip
    gateway = Text("车间网关", "Hall gateway")
    offline = _rule(key, "GW-01", gateway, "OFFLINE", 2, "limit", 0.5, "", None)
    own.append(
        Point(len(points) + len(own), key, "GW-01", GATEWAY_SIGNAL, gateway, "", None, "GW-01", 0.0, 1.0, 90.0, None,
              (offline,), ())
    )  # fmt: skip
    clock = Text(f"{gateway.zh} 时钟", f"{gateway.en} clock")
    ahead = _rule(key, "GW-01.clock", clock, "AHEAD", 1, "limit", 60.0, "s", None)
    behind = _rule(key, "GW-01.clock", clock, "BEHIND", 1, "limit", -60.0, "s", None)
    own.append(
        Point(len(points) + len(own), key, "GW-01.clock", GatewayPoint.CLOCK.signal, clock, "s", None, "GW-01",
              -1e9, 1e9, 90.0, None, (ahead, behind), ())
    )  # fmt: skip
    points.extend(own)
    return Plant(
        key, name, "91350100M000100Y43", "350583", kind, 260, 42 if kind == "dust" else 0,
        "wood" if kind == "dust" else None, (machine,), (Gateway(key, "GW-01", gateway),), tuple(own), connect_by, tier,
    )  # fmt: skip


_ASKED = Rationalization(
    Text("水泵跳停。", "The pump tripped."),
    Text("铸锭拉漏，铝液入井爆炸。", "Ingots bleed out and metal explodes in the pit."),
    Text("停止浇铸，切断铝液，撤到铸造间外。", "Stop casting, cut off the metal, leave the hall."),
    60.0,
    _DEFAULT,
    Confidence.ENGINEERING_DEFAULT,
)


def _rule(
    plant: str,
    point: str,
    name: Text,
    code: str,
    level: Literal[1, 2],
    kind: str,
    limit: float,
    unit: str,
    gate: Gate | None,
) -> Rule:
    label = _LABELS[code]
    title = Text(f"{name.zh} {label.zh}", f"{name.en} {label.en}")
    reason = Text(f"数值越过 {limit:g} {unit}：{label.zh}", f"The value is beyond {limit:g} {unit}: {label.en}")
    when = f"{gate.point} {gate.op} {gate.value:g}" if gate else ""
    confidence = Confidence.ENGINEERING_DEFAULT
    asked = _ASKED if code in {"L", "LL"} else None
    return Rule(
        plant, point, code, kind, level, limit, unit, title, gate, _DEFAULT, confidence, reason, when,
        rationalization=asked,
    )  # fmt: skip


_STATES = {"DUST_FAN_RUN": (Text("停止", "stopped"), Text("运行", "running"))}
_STEADY = {
    "CW_IN_P-01": (0.345, 0.012),
    "CW_IN_F-01": (322, 6),
    "CW_IN_T-01": (29.5, 0.8),
    "CW_OUT_T-01": (41, 1.5),
    "LVL_MOLD-01": (150, 3),
    "CAST_LEN-01": (3650, 40),
    "PIT_LVL-01": (6.2, 0.1),
    "CO-01": (22, 3),
    "CO-02": (6, 2),
    "GH_LVL-01": (62, 9),
    "CW_DT-01": (9.4, 0.9),
    "HOPPER_T-01": (56, 5),
    "DP-01": (980, 70),
    "FAN-01": (1, 0),
    "GW-01": (1, 0),
    "GW-01.clock": (-0.2, 0),
}


def sample_of(point: Point, time: int) -> float:
    """What the point reads: slow swings and a little noise, the same at every call; the pressure sags at the end."""
    level, swing = _STEADY.get(point.id, (0.0, 0.0))
    minutes = time / MINUTE
    value = level + swing * (0.6 * math.sin(minutes / 7 + point.index) + 0.25 * math.sin(minutes * 1.7))
    value += swing * 0.15 * math.sin(time / SECOND * 12.9898 + point.index)
    if point.id == "CW_IN_P-01":
        value -= 0.03 * math.exp(-(((NOON - time) / (3 * MINUTE)) ** 2))
    return value
