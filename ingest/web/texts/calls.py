"""Texts of the pages of calls and of the roster."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.call import Call, CallState, Cause, Receipt
from ingest.domain.model.text import Text

CAUSES: Final[dict[Cause, Text]] = {
    Cause.WARNING: Text("预警", "warning"),
    Cause.ALARM: Text("二级报警", "alarm of level 2"),
    Cause.SYSTEM: Text("监测服务报警", "alarm of the service"),
    Cause.ROLL_CALL: Text("在线抽查", "roll call"),
}

STATES_OF_CALLS: Final[dict[CallState, Text]] = {
    CallState.RINGING: Text("正在叫应", "ringing"),
    CallState.ANSWERED: Text("已应答", "answered"),
    CallState.UNANSWERED: Text("无人应答", "nobody answered"),
    CallState.WITHDRAWN: Text("已撤销", "withdrawn"),
}

RECEIPTS: Final[dict[Receipt, Text]] = {
    Receipt.CALLED: Text("已发出", "called"),
    Receipt.DELIVERED: Text("已送达", "delivered"),
    Receipt.ANSWERED: Text("已接听", "picked up"),
    Receipt.NOT_ANSWERED: Text("未接听", "not answered"),
    Receipt.FAILED: Text("失败", "failed"),
    Receipt.REFUSED: Text("不能来", "refused"),
    Receipt.ACKNOWLEDGED: Text("已按1确认", "acknowledged"),
}

WAYS: Final[dict[str, Text]] = {
    "console": Text("控制台", "console"),
    "api": Text("接口", "API"),
    "warning": Text("确认预警", "the warning was acknowledged"),
    "alarm": Text("确认报警", "the alarm was acknowledged"),
}
"""By what a call was answered, beside channels, which have names."""


def title_of_call(call: Call) -> Text:
    """Return what a call is for."""
    cause = CAUSES[call.cause]
    if call.colour is None:
        return cause
    return Text(f"{call.colour.text.zh}{cause.zh}", f"{call.colour.text.en} {cause.en}")


CALLS: Final[dict[str, Text]] = {
    "nav.calls": Text("叫应", "Calls"),
    "nav.duty": Text("值班", "Roster"),
    "calls.title": Text("叫应", "Calls"),
    "calls.hint": Text(
        "按值班表逐人呼叫，直到有人应答；任何一种应答都会停止全部呼叫。按1或在此应答不等于确认报警。",
        "People on duty are rung one after another until somebody answers; any answer stops all of it. "
        "Answering does not acknowledge the alarm.",
    ),
    "calls.open": Text("进行中", "under way"),
    "calls.none": Text("没有符合条件的叫应。", "No such call."),
    "calls.nobody": Text("红色预警时不会有人被叫到：", "A red warning would call nobody at:"),
    "call.for": Text("事由", "For"),
    "call.state": Text("状态", "State"),
    "call.began": Text("开始", "Began"),
    "call.ringing": Text("正在呼叫", "Ringing"),
    "call.answered": Text("应答", "Answered"),
    "call.nobody_yet": Text("尚无", "nobody yet"),
    "call.deadline": Text("时限", "Deadline"),
    "call.overdue": Text("已超时限", "overdue"),
    "call.errand": Text("须派人到场", "somebody has to go there"),
    "call.under_way": Text("已出发", "On the way"),
    "call.arrived": Text("已到场", "Arrived"),
    "call.answer": Text("应答", "Answer"),
    "call.go": Text("我去现场", "I go there"),
    "call.arrive": Text("我已到场", "I am there"),
    "call.refuse": Text("不能来", "Cannot come"),
    "call.people": Text("呼叫与回执", "Calls and receipts"),
    "call.person": Text("人员", "Person"),
    "call.channel": Text("渠道", "Channel"),
    "call.try": Text("第几次", "Try"),
    "call.sent": Text("发出", "Sent"),
    "call.receipt": Text("回执", "Receipt"),
    "call.accepted": Text("渠道已受理 {time}", "taken by its channel {time}"),
    "call.withdrawn": Text("已撤回 {time}", "withdrawn {time}"),
    "call.rejected": Text("接收方拒收 {time}", "rejected by its receiver {time}"),
    "call.nobody_rung": Text("没有人被叫到。", "Nobody was rung."),
    "call.history": Text("经过", "What happened"),
    "duty.title": Text("值班", "Roster"),
    "duty.hint": Text(
        "签到的人会被叫到；无人签到时按排班叫，并在叫应中记下缺口。",
        "Who signed in is called; where nobody did, those planned are, and the call notes the gap.",
    ),
    "duty.nobody": Text("红色预警时不会有人被叫到", "A red warning would call nobody"),
    "duty.called": Text("现在当值", "On duty now"),
    "duty.present": Text("已签到", "Signed in"),
    "duty.planned": Text("排班", "Planned"),
    "duty.gap": Text("无人签到，按排班叫", "nobody signed in: those planned"),
    "duty.none": Text("无人", "nobody"),
    "duty.until": Text("至 {time}", "until {time}"),
    "duty.sign_in": Text("签到", "Sign in"),
    "duty.sign_out": Text("签退", "Sign out"),
    "duty.hand_over": Text("交接给", "Hand over to"),
    "duty.swap": Text("换班", "Swap"),
    "duty.substitute": Text("替班人", "Substitute"),
    "duty.person": Text("人员", "Person"),
    "duty.roll": Text("在线抽查", "Call the roll"),
    "duty.no_positions": Text("没有排班。", "No shift is planned."),
    "duty.no_people": Text(
        "配置中没有可叫应的人员（calls.people）。", "The settings name nobody to be called (calls.people)."
    ),
}
"""By key."""
