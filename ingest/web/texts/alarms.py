"""Texts of the pages on alarms."""

from __future__ import annotations

from typing import Final

from ingest.domain.alarms.labels import STATES
from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.text import Text

ALARMS: Final[dict[str, Text]] = {
    "alarms.title": Text("报警", "Alarms"),
    "alarms.standing": Text("当前报警", "Standing alarms"),
    "alarms.past": Text("已结束", "Over"),
    "alarms.found": Text("筛选结果", "Matching alarms"),
    "alarms.none": Text("没有当前报警。", "No standing alarms."),
    "alarms.none_found": Text("没有符合条件的报警。", "No alarm matches."),
    "alarms.none_past": Text("没有已结束的报警。", "No alarm is over."),
    "alarms.tally": Text(
        "二级 {level_2}，一级 {level_1}，未确认 {unacknowledged}",
        "level 2: {level_2}, level 1: {level_1}, unacknowledged: {unacknowledged}",
    ),
    "alarms.more": Text(
        "此处显示最紧急的 {n} 条：未确认的在前，其次按级别（二级在前），再按时间。",
        "The {n} most urgent are shown here: what nobody has acknowledged, then level 2, then the newest.",
    ),
    "alarms.rest": Text("其余 {n} 条当前报警", "The other {n} standing alarms"),
    "alarms.further": Text("下一页", "Next page"),
    "alarms.first": Text("回到第一页", "First page"),
    "alarms.all_hidden": Text("全部 {n} 条已隐藏报警", "All {n} hidden alarms"),
    "alarms.older": Text("更早的报警", "Older alarms"),
    "alarms.plant_itself": Text("网关与其他", "gateways and others"),
    "alarms.folded": Text("另有 {n} 条由此引起", "{n} more that follow from it"),
    "alarms.folded_stopped": Text("设备停机，另有 {n} 条工艺报警", "Not in production: {n} more alarms of the process"),
    "alarms.hidden": Text("已隐藏", "Hidden"),
    "alarms.hidden_hint": Text(
        "这些报警仍在记录和上报，只是不再呼叫操作人员。",
        "These alarms are still recorded and reported; they only call nobody.",
    ),
    "alarms.waiting": Text("待处置", "Waiting for feedback"),
    "alarms.waiting_hint": Text(
        "数值已恢复，尚无处置反馈；反馈后才能销警。",
        "The value is back and nobody has said what it was: they are cleared with the feedback.",
    ),
    "alarms.all_waiting": Text("全部待处置报警", "All that wait for feedback"),
    "alarms.unacknowledged": Text("未确认", "unacknowledged"),
    "alarm.level": Text("级别", "Level"),
    "alarm.what": Text("报警", "Alarm"),
    "alarm.plant": Text("企业", "Plant"),
    "alarm.value": Text("触发值 / 限值", "Value / limit"),
    "alarm.value_at_raise": Text("触发时数值", "Value when raised"),
    "alarm.limit": Text("限值", "limit"),
    "alarm.state": Text("状态", "State"),
    "alarm.since": Text("最近触发", "Raised last"),
    "alarm.action": Text("操作", "Action"),
    "alarm.ack": Text("确认", "Acknowledge"),
    "alarm.comment": Text("备注（可不填）", "Comment (optional)"),
    "alarm.first_out": Text("首发", "first out"),
    "alarm.chattering": Text("抖动", "chattering"),
    "alarm.stale": Text("长期", "stale"),
    "alarm.raises": Text("第 {n} 次触发", "raised {n} times"),
    "alarm.assigned_to": Text("责任人", "for"),
    "alarm.reset": Text("复位", "Reset"),
    "alarm.reset_title": Text("复位锁存报警", "Reset the latched alarm"),
    "alarm.reset_hint": Text(
        "条件已消失且已确认，复位后报警结束。", "The condition is gone and somebody has seen it: a reset lets go of it."
    ),
    "alarm.reset_signed_hint": Text(
        "须有人到现场检查并签认：检查人、时间、结果。签认后才可复位，并记入操作记录。",
        "Somebody has to inspect on the spot and sign: who, when, and what was found. It is kept in the audit trail.",
    ),
    "alarm.inspected_by": Text("检查人", "Inspected by"),
    "alarm.inspected_at": Text("检查时间", "Inspected at"),
    "alarm.inspection_result": Text("检查结果", "Result of the inspection"),
    "alarm.say": Text("添加备注", "Add a comment"),
    "alarm.comment_words": Text("备注", "Comment"),
    "alarm.assign": Text("指派责任人", "Assign"),
    "alarm.assign_to": Text("责任人（留空则取消指派）", "To whom (empty: nobody in particular)"),
    "alarm.shelve": Text("搁置", "Shelve"),
    "alarm.shelve_hint": Text(
        "限时隐藏，到时自动恢复；记录与上报不受影响。",
        "Hides it for a limited time and comes back by itself. It is still recorded and reported.",
    ),
    "alarm.shelve_for": Text("搁置多久", "For how long"),
    "alarm.suppress": Text("设计抑制", "Suppress by design"),
    "alarm.suppress_hint": Text(
        "仅用于当前生产状态下无意义的报警，直到手动解除。",
        "Only for alarms that mean nothing in this state of the plant. Lasts until it is ended.",
    ),
    "alarm.out_of_service": Text("申请停用测点", "Apply to take the point out of service"),
    "alarm.out_of_service_hint": Text(
        "停用整个测点，须由监管人员批准后生效。",
        "For the whole point. An inspector must approve before it holds.",
    ),
    "alarm.apply": Text("提交申请", "Apply"),
    "alarm.to_hazard": Text("转为隐患", "Make it a hazard"),
    "alarm.dispose": Text("处置反馈", "Give feedback"),
    "alarm.disposed": Text("处置反馈", "Feedback given"),
    "alarm.cleared": Text("销警", "Cleared"),
    "alarm.ack_title": Text("确认报警", "Acknowledge alarm"),
    "alarm.cancel": Text("取消", "Cancel"),
    "alarm.level_1": Text("一级", "Level 1"),
    "alarm.level_2": Text("二级", "Level 2"),
    "alarm.level_1_long": Text("一级（低）", "Level 1 (lower)"),
    "alarm.level_2_long": Text("二级（高）", "Level 2 (higher)"),
    "alarm.by": Text("确认人", "Acknowledged by"),
    "alarm.history": Text("经过", "History"),
    "alarm.history_gone": Text(
        "该报警结束已久，逐步经过已超过保存期限；每一步仍在审计记录中。",
        "This alarm was over long ago and its steps are not kept any more. Each of them is in the audit trail.",
    ),
    "alarm.to_do": Text("处置要点", "What to do"),
    "alarm.respond": Text("{within}内开始", "begin within {within}"),
    "alarm.consequence": Text("不处置的后果", "If nothing is done"),
    "alarm.and_cause": Text("与可能原因", ", and what may cause it"),
    "alarm.cause": Text("可能原因", "Possible cause"),
    "alarm.default_instruction": Text(
        "通用默认文本与时间（工程默认值），请按本企业应急预案核定；可在企业文件中改写。",
        "A general text and time (engineering default): check it against the plant's own emergency plan. The plant file"
        " may replace it.",
    ),
    "alarm.own_instruction": Text("本企业文件中的文本。", "Written in the plant's own file."),
    "alarm.no_instruction": Text(
        "没有登记处置要点：按本企业应急预案处置，拿不准时先停产、撤人。",
        "No instruction on file: follow the plant's emergency plan. If in doubt, stop and clear people away first.",
    ),
    "alarm.why": Text("判定依据", "Why"),
    "alarm.phase": Text("触发时所处阶段", "Phase when raised"),
    "alarm.contributions": Text("主要贡献", "Main contributions"),
    "alarm.contributions_hint": Text(
        "占该组各测点贡献之和的百分比，按最近一次触发计；指出先查哪里，不等于原因",
        "Percent of what all points of the group contribute, at the newest raise: where to look first, not the cause",
    ),
    "alarm.aspects_hint": Text(
        "各方面占该测点评分的百分比，按最近一次触发计",
        "Percent that each aspect has in the score of the point, at the newest raise",
    ),
    "alarm.onset": Text("条件开始", "Condition began"),
    "alarm.raised": Text("报警触发", "Raised"),
    "alarm.first_raised": Text("首次触发", "Raised first"),
    "alarm.last_raised": Text("最近触发", "Raised last"),
    "alarm.returned": Text("恢复正常", "Returned"),
    "alarm.time": Text("时间", "Time"),
    "alarm.received": Text("服务收到", "Received"),
    "alarm.rule_gone": Text("该规则已不在配置中。", "The rule is no longer configured."),
    "alarm.read_only": Text(
        "监管账号可查看和备注，不能代企业操作报警。", "This account supervises: it reads and comments."
    ),
}
WORDS: Final[dict[str, Text]] = {
    **{state.value: text for state, text in STATES.items() if state is not AlarmState.NORMAL},
    "awaiting-feedback": Text("待处置", "Awaiting feedback"),
    "normal": Text("已销警", "Cleared"),
    "historical": Text("补传", "Backfilled"),
}
"""What an alarm's state is called in lists; back to normal is two things, with and without feedback."""
