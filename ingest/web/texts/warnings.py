"""Texts of the pages on warnings."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text
from ingest.domain.model.warning import Asked, WarningEventKind, WarningState

WARNINGS: Final[dict[str, Text]] = {
    "warnings.title": Text("预警", "Warnings"),
    "warnings.standing": Text("当前预警", "Warnings now"),
    "warnings.more": Text("其余预警", "The other warnings"),
    "warnings.none": Text("没有预警。", "No plant is warned of."),
    "warnings.waiting": Text("待响应", "waiting for somebody"),
    "warnings.quiet": Text("无预警企业", "Plants without a warning"),
    "warnings.past": Text("已办结", "Closed"),
    "warnings.none_past": Text("没有已办结的预警。", "None is closed."),
    "warnings.defaults": Text(
        "预警规则、响应时限和风险指数为工程默认值，不是法规规定；可在设置中修改。",
        "Rules, times to respond and the risk index are engineering defaults, not regulation; settings change them.",
    ),
    "warning.no_colour": Text("无预警", "no warning"),
    "warning.colour": Text("预警", "Warning"),
    "warning.peak": Text("最高", "Highest"),
    "warning.more_reasons": Text("等 {n} 项", "and {n} more"),
    "warning.more_facts": Text("另有 {n} 项", "{n} more"),
    "warning.ladder": Text("响应层级", "Who is asked"),
    "warning.late": Text("超时", "timed out"),
    "warning.since": Text("自", "since"),
    "warning.raised": Text("发布", "Raised"),
    "warning.ended": Text("解除", "Over"),
    "warning.step": Text("升级至", "Went up to"),
    "warning.cause": Text("原因", "Cause"),
    "warning.waits_for": Text("等待", "Waits for"),
    "warning.answered": Text("已反馈", "Answered"),
    "warning.everyone": Text("未指定责任人，面向全部人员", "nobody is assigned: everyone is asked"),
    "warning.to_plant": Text("企业测点", "The plant's points"),
    "warning.acknowledge": Text("确认预警", "Acknowledge"),
    "warning.dispose_hint": Text(
        "说明原因和措施；颜色解除且已反馈后办结。",
        "Say what it was and what was done. It is closed with the feedback once the colour is gone.",
    ),
    "warning.why": Text("预警依据", "What led to it"),
    "warning.at": Text("时间", "At"),
    "warning.nothing_now": Text("此时没有规则成立。", "No rule held at that time."),
    "warning.held": Text(
        "{colour}保持中：依据自 {since} 起不再成立，若不再出现，{falls} 降级",
        "{colour}, held: not called for since {since}; falls at {falls} unless it is called for again",
    ),
    "warning.changes": Text("{n} 次，自", "{n} times since"),
    "warning.each": Text("逐次查看", "each of them"),
    "warning.come": Text("新增", "new"),
    "warning.gone": Text("消失", "gone"),
    "warning.led": Text("此前的依据", "What had called for it"),
    "warning.holds": Text("现在成立的依据", "What holds now"),
    "warning.fading": Text("已不成立，自", "not called for since"),
    "warning.rules": Text("规则版本", "Version of the rules"),
    "warning.at_earlier": Text("查看某一时刻", "At another time"),
    "warning.explain": Text("查看依据", "Explain"),
    "warning.now": Text("当前", "Now"),
    "risk.index": Text("风险指数", "Risk index"),
}
WARNING_STATES: Final[dict[WarningState, Text]] = {
    WarningState.OPEN: Text("预警中", "open"),
    WarningState.OVER: Text("已解除，待反馈", "over, feedback is missing"),
    WarningState.CLOSED: Text("已办结", "closed"),
}
WARNING_ASKED: Final[dict[Asked, Text]] = {
    Asked.ACKNOWLEDGEMENT: Text("确认", "acknowledgement"),
    Asked.FEEDBACK: Text("处置反馈", "feedback"),
}
WARNING_EVENTS: Final[dict[WarningEventKind, Text]] = {
    WarningEventKind.RAISED: Text("发布预警", "Raised"),
    WarningEventKind.COLOUR_CHANGED: Text("颜色变化", "Colour changed"),
    WarningEventKind.INPUTS_CHANGED: Text("依据变化", "Reasons changed"),
    WarningEventKind.REMINDED: Text("催办", "Reminded"),
    WarningEventKind.ESCALATED: Text("升级", "Escalated"),
    WarningEventKind.ACKNOWLEDGED: Text("确认", "Acknowledged"),
    WarningEventKind.FEEDBACK: Text("处置反馈", "Feedback"),
    WarningEventKind.ENDED: Text("预警解除", "Over"),
    WarningEventKind.REOPENED: Text("再次发生", "Reopened"),
    WarningEventKind.RESUMED: Text("服务恢复，时限顺延", "Service back, deadlines moved"),
    WarningEventKind.CLOSED: Text("办结", "Closed"),
}
