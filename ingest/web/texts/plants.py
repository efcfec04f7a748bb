"""Texts of the pages on plants and their points."""

from __future__ import annotations

from typing import Final, Literal

from detectors.detector import Reason
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import SERVICE, Confidence, PlantKind
from ingest.domain.model.text import Text

PLANTS: Final[dict[str, Text]] = {
    "plants.title": Text("企业", "Plants"),
    "files.title": Text("未生效的企业文件", "Plant files that are not in force"),
    "files.file": Text("文件", "File"),
    "files.key": Text("键", "Key"),
    "files.value": Text("值", "Value"),
    "files.expected": Text("应为", "Expected"),
    "files.in_force": Text("现行配置", "In force"),
    "files.last_good": Text("沿用上一份正确的文件，继续监测", "the last good file: the plant is watched by it"),
    "files.nothing": Text("无：该企业未受监测！", "nothing: this plant is NOT watched"),
    "files.vanished": Text("已从文件中消失", "vanished from the file"),
    "files.if_it_stays": Text("文件保持不变一段时间后生效", "taken over once the file has stayed so for a while"),
    "plants.none": Text("没有可查看的企业。", "There is no plant you may see."),
    "plants.kind": Text("类别", "Kind"),
    "plants.region": Text("行政区划", "Region"),
    "plants.connect_by": Text("应接入期限", "Connect by"),
    "plants.not_mandatory": Text("非强制接入", "not mandatory"),
    "plants.standing": Text("当前报警", "Standing alarms"),
    "plants.hidden": Text("{n} 个测点的报警被隐藏", "alarms of {n} points are hidden"),
    "plants.checked": Text("{n} 个测点正在功能检查", "{n} points are under function check"),
    "plants.gateways": Text("网关在线", "Gateways online"),
    "plants.quiet": Text("无", "none"),
    "plant.points": Text("测点", "Points"),
    "plant.uscc": Text("统一社会信用代码", "Credit code (USCC)"),
    "plant.workers": Text("从业人数", "Workers"),
    "plant.dust_workers": Text("涉粉人数", "Workers in dust"),
    "plant.all_alarms": Text("本企业报警", "Alarms of this plant"),
    "plant.record": Text("企业档案", "Enterprise record"),
    "plant.statuses": Text("仪表状态：", "Instruments:"),
    "check.title": Text("功能检查", "Function check"),
    "check.begin": Text("开始功能检查", "Begin a function check"),
    "check.end": Text("结束功能检查", "End function check"),
    "check.lasts": Text("最长时间", "At most for"),
    "check.hint": Text(
        "标定、通标气前开始：期间读数不按限值判断，表决按坏通道处理。到时未结束即恢复判断，并报坏值。",
        "Begin it before calibration gas: meanwhile no limit sees the readings, and votes count the channel as bad. If"
        " it is not ended in time, readings are judged again and the signal is alarmed as bad.",
    ),
    "plant.other": Text("其他测点", "Other points"),
    "point.name": Text("测点", "Point"),
    "point.value": Text("最新值", "Latest"),
    "point.quality": Text("质量", "Quality"),
    "point.trend": Text("近 30 分钟", "Last 30 min"),
    "point.limits": Text("限值", "Limits"),
    "point.when": Text("时间", "Time"),
    "point.not_evaluated": Text("未评估", "not evaluated"),
    "point.not_evaluated_title": Text("未评估的规则", "Rules not evaluated"),
    "unjudged.needs": Text("缺少{what}", "needs {what}"),
    "point.rules": Text("规则", "Rules"),
    "point.rule": Text("规则", "Rule"),
    "point.evaluation": Text("评估", "Evaluation"),
    "point.evaluated": Text("正在评估", "evaluated"),
    "point.reason": Text("说明", "What it says"),
    "point.budget": Text(
        "误报预算：允许 {expected} 次，已报 {spent} 次，当前限值 {limit}",
        "Budget: {expected} findings allowed so far, {spent} spent, limit now {limit}",
    ),
    "point.budget_needs": Text(
        "误报预算：还需约 {days} 天的正常读数", "Budget: needs some {days} more days of readings in good health"
    ),
    "point.gate": Text("生效条件", "Only while"),
    "point.source": Text("数值出处", "Source"),
    "point.confidence": Text("可信程度", "Confidence"),
    "point.range": Text("量程", "Range"),
    "point.gateway": Text("网关", "Gateway"),
    "point.equipment": Text("设备", "Equipment"),
    "point.and": Text("、", ", "),
    "point.phase": Text("阶段", "Phase"),
    "point.setpoint": Text("设定值", "Set-point"),
    "point.signal": Text("信号", "Signal"),
    "contact.title": Text("状态触点", "Status contacts"),
    "contact.active": Text("是", "yes"),
    "contact.inactive": Text("否", "no"),
    "contact.unknown": Text("未知", "unknown"),
    "point.was": Text("原测点编号", "Former id"),
    "point.history": Text("历史曲线", "Trend"),
    "point.span": Text("时间跨度", "Span"),
    "point.no_data": Text("此时段没有数据", "No data in this span"),
    "plant.no_history": Text(
        "历史库没有应答，或拒绝了查询：部分近 30 分钟曲线暂缺。最新值、质量和报警不经过历史库，仍是实时的。",
        "The history does not answer, or refuses: trends of the last 30 minutes are missing."
        " Newest values, quality and alarms do not depend on it and are live.",
    ),
    "history.refuses": Text(
        "历史库有应答，但拒绝写入：最近的数据未进入历史库，暂存于隔离区，曲线不完整。"
        "最新值、质量和报警不经过历史库，仍是实时的。",
        "The history answers, but refuses what is written: recent readings are kept in quarantine, and trends are"
        " incomplete. Newest values, quality and alarms do not depend on it and are live.",
    ),
    "point.no_trend": Text("曲线暂缺", "trend missing"),
    "point.no_history": Text("历史库暂不可用", "History is not available at the moment"),
    "point.more_alarms": Text("另有 {n} 条", "{n} more"),
    "point.always": Text("始终", "always"),
    "point.legend": Text(
        "线为平均值，色带为最小至最大值；阴影处没有数据。",
        "Line: mean. Band: lowest to highest. Shaded: no data.",
    ),
    "point.phase_legend": Text(
        "下方为设备阶段；虚线框为阶段未知，空白处没有记录。补传和迟到的读数补全曲线，不补全阶段。",
        "Below: phases of its equipment. Dashed: unknown. Empty: not recorded. Readings that came late or were recorded"
        " earlier complete the line, not the phases.",
    ),
    "span.600": Text("10 分钟", "10 min"),
    "span.3600": Text("1 小时", "1 h"),
    "span.28800": Text("8 小时", "8 h"),
    "span.86400": Text("24 小时", "24 h"),
    "quality.good": Text("正常", "good"),
    "quality.stale": Text("数据过期", "stale"),
    "quality.never": Text("从未收到", "never seen"),
}
KINDS: Final[dict[PlantKind | Literal["service"], Text]] = {
    "dust": Text("粉尘涉爆", "Dust explosion"),
    "steel": Text("钢铁", "Steel"),
    "aluminium": Text("铝加工（深井铸造）", "Aluminium (deep-well casting)"),
    SERVICE: Text("监测服务自身", "The service itself"),
}
DEVICE_STATUSES: Final[dict[DeviceStatus, Text]] = {
    DeviceStatus.GOOD: Text("正常", "good"),
    DeviceStatus.UNKNOWN: Text("状态未知", "status unknown"),
    DeviceStatus.MAINTENANCE_REQUIRED: Text("需要维护", "maintenance required"),
    DeviceStatus.OUT_OF_SPECIFICATION: Text("超出规格", "out of specification"),
    DeviceStatus.FUNCTION_CHECK: Text("功能检查", "function check"),
    DeviceStatus.FAILURE: Text("故障", "failure"),
}
CONFIDENCE: Final[dict[Confidence, Text]] = {
    Confidence.REGULATION: Text("法规标准", "regulation"),
    Confidence.PUBLISHED: Text("公开资料", "published"),
    Confidence.ENGINEERING_DEFAULT: Text("工程默认值", "engineering default"),
}
NOT_EVALUATED: Final[dict[Reason, Text]] = {
    Reason.NEVER_HEARD: Text("从未收到数据", "never heard"),
    Reason.NO_VALUE: Text("无有效值", "no usable value"),
    Reason.GATE_UNKNOWN: Text("门控测点未知", "gate unknown"),
    Reason.GATE_CLOSED: Text("闸门关闭", "gate closed"),
    Reason.WARMING_UP: Text("预热中", "warming up"),
    Reason.LESSON_REFUSED: Text("学习数据无变化，重新学习", "nothing moved while it learnt; learns anew"),
    Reason.MEMBER_UNKNOWN: Text(
        "组内有测点学习时缺数或持续漂移，未纳入判断", "a point missing or drifting while it learnt is not judged"
    ),
    Reason.BUDGET_LEARNING: Text("误报预算学习中，尚不判断", "learns the limit that keeps its budget"),
    Reason.BUDGET_OUT_OF_REACH: Text("正常波动已超出预算所及，不判断", "what is ordinary here exceeds its budget"),
    Reason.OVER_BUDGET: Text("超出误报预算，限值已到上限", "over its budget, its limit may not rise further"),
    Reason.OPERATING_POINT_UNKNOWN: Text("处于未学习过的工况", "at an operating point it has not learnt"),
    Reason.OPERATING_POINT_LEARNING: Text(
        "在未学习过的工况下重新学习，尚不判断", "learns an operating point it did not know"
    ),
}
FLAGS: Final[dict[Flag, Text]] = {
    Flag.UNCERTAIN: Text("存疑", "uncertain"),
    Flag.BAD: Text("坏值", "bad"),
    Flag.NO_VALUE: Text("无值", "no value"),
    Flag.FAILURE: Text("仪表故障", "instrument failure"),
    Flag.NOT_CONNECTED: Text("未接仪表", "not connected"),
    Flag.FUNCTION_CHECK: Text("功能检查", "function check"),
    Flag.CHECK_OVERDUE: Text("功能检查超时", "function check overdue"),
    Flag.OUT_OF_SPECIFICATION: Text("超出规格", "out of specification"),
    Flag.MAINTENANCE: Text("需要维护", "maintenance required"),
    Flag.STATUS_UNKNOWN: Text("仪表状态未知", "instrument status unknown"),
    Flag.OUT_OF_RANGE: Text("超量程", "out of range"),
    Flag.CLOCK: Text("时钟已校正", "clock corrected"),
    Flag.LATE: Text("迟到", "late"),
    Flag.HISTORICAL: Text("历史补传", "recorded earlier"),
    Flag.CLIPPED: Text("超出历史库上限，已截断", "beyond what the history keeps, cut"),
}
