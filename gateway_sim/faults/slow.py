"""Faults that creep or hide: most cross no limit before they are found. They fill the cycle after the quick ones."""

from __future__ import annotations

from typing import Final

from gateway_sim.faults.fault import Fault, Shows, Where
from ingest.domain.model.text import Text

SLOW: Final = (
    Fault(
        id="spark-burst",
        plant="demo-dust",
        name=Text("火花探测连续动作", "Sparks, one after another"),
        where=Where.PROCESS,
        points=("SPARK-01",),
        rules=("COUNT",),
        needed_s=18,
        begin_s=62,
        lasts_s=30,
    ),
    Fault(
        id="hopper-heating",
        plant="demo-dust",
        name=Text("灰斗积灰缓慢升温", "Hopper heating slowly"),
        where=Where.PROCESS,
        # Where it smouldered a while ago nothing is foretold that stays below: hence another hopper than the quick one.
        points=("HOPPER_T-02",),
        rules=("FORECAST",),  # H follows about 100 s after the start
        needed_s=95,
        begin_s=63,
        lasts_s=112,
    ),
    Fault(
        id="outlet-heating",
        plant="demo-aluminium",
        name=Text("结晶器结垢，出水温度缓慢上升", "Scale in the mould, outlet water heating slowly"),
        where=Where.PROCESS,
        points=("CW_OUT_T-01",),
        rules=("FORECAST", "FORECAST_DT"),  # DT follows about 90 s after the start, HH 105 s
        needed_s=80,
        begin_s=64,
        lasts_s=112,
    ),
    Fault(
        id="co-pinned",
        plant="demo-steel",
        name=Text("煤气区一氧化碳数据造假", "CO of the gas area faked"),
        where=Where.SHOWS,
        # Both show 24, and a limit of 24 never says so: the value stays just below it.
        shows=Shows(23.85, 0.03),
        points=("CO-03", "CO-04"),
        rules=("PINNED",),
        needed_s=90,
        begin_s=65,
        lasts_s=105,
    ),
    Fault(
        id="jacket-seep",
        plant="demo-steel",
        name=Text("水冷壁渗水", "Water-cooled panel seeping"),
        where=Where.PROCESS,
        points=("CW_DFLOW-02",),  # another circuit than the one that leaks within the first minute
        rules=("FORECAST", "DRIFT", "T2", "SPE"),  # H follows about 90 s after the start
        needed_s=80,
        begin_s=66,
        lasts_s=110,
        also=("CW_FLOW-01", "CW_P-01", "CW_DT-01", "CW_OUT_T-01"),
    ),
    Fault(
        id="level-drift",
        plant="demo-aluminium",
        name=Text("炉口流槽液位计漂移", "Launder level sensor drifting"),
        where=Where.PROCESS,
        points=("LVL_FURN-01",),
        rules=("DRIFT",),  # within the limits all the time
        needed_s=95,
        begin_s=68,
        lasts_s=100,
    ),
    Fault(
        id="transmitter-fault",
        plant="demo-steel",
        name=Text("炉顶温度变送器断线（0 mA）", "Top temperature transmitter without current"),
        where=Where.SHOWS,
        shows=Shows(-150.0),  # 0 of 4-20 mA is a quarter of the span below its low end
        points=("TOP_T-01",),
        rules=("CURRENT",),
        needed_s=12,
        begin_s=70,
        lasts_s=30,
    ),
    Fault(
        id="co-neighbour",
        plant="demo-steel",
        name=Text("炉后一氧化碳探头中毒失灵", "CO sensor behind the furnace poisoned"),
        where=Where.PROCESS,
        points=("CO-02",),
        rules=("NEIGHBOUR",),
        needed_s=80,
        begin_s=72,
        lasts_s=95,
        also=("CO-01", "CO-05"),
    ),
    Fault(
        id="noise-lost",
        plant="demo-steel",
        name=Text("氧含量信号被过度滤波", "Oxygen signal filtered to death"),
        where=Where.SMOOTHED,
        points=("O2-01",),
        rules=("NOISE",),
        needed_s=45,
        begin_s=74,
        lasts_s=60,  # any longer and, coming again every three minutes, the calm would be the ordinary state
    ),
    Fault(
        id="fan-belt",
        plant="demo-dust",
        name=Text("除尘风机皮带打滑", "Fan belt slipping"),
        where=Where.PROCESS,
        points=("DP-01",),
        rules=("PHYS",),
        needed_s=25,
        begin_s=100,
        lasts_s=40,
        also=("DUCT_V-01",),
    ),
)
