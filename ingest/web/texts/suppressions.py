"""Texts of the pages on suppressions and on the audit trail."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.domain.model.text import Text

SUPPRESSIONS: Final[dict[str, Text]] = {
    "suppressions.title": Text("搁置、抑制、停用与功能检查", "Shelved, suppressed, out of service, function check"),
    "suppressions.hint": Text(
        "隐藏只影响呼叫：报警照常记录、上报和预警。功能检查期间读数不是工艺测量值，不按限值判断；"
        "超过最长时间未结束即恢复判断，并报坏值。",
        "Hiding only spares a call: alarms are recorded, reported and judged all the same. During a function check"
        " readings are no measurement of the process and no limit sees them; one that is not ended in time is alarmed"
        " as a bad signal, and its readings are judged again.",
    ),
    "suppression.overdue": Text("已超时，读数恢复判断", "overdue: its readings are judged again"),
    "suppressions.waiting": Text("待批准", "Waiting for approval"),
    "suppressions.in_force": Text("生效中", "In force"),
    "suppressions.over": Text("历史", "Over"),
    "suppressions.none_waiting": Text("没有待批准的申请。", "No application waits."),
    "suppressions.none_in_force": Text("没有生效中的搁置、抑制或停用。", "Nothing is hidden."),
    "suppressions.none_over": Text("没有历史记录。", "There were none."),
    "suppression.what": Text("测点 · 规则", "Point · rule"),
    "suppression.all_rules": Text("全部规则", "all rules"),
    "suppression.kind": Text("方式", "Kind"),
    "suppression.reason": Text("原因", "Reason"),
    "suppression.begins": Text("开始", "From"),
    "suppression.until": Text("截止", "Until"),
    "suppression.no_end": Text("直到手动解除", "until it is ended"),
    "suppression.by": Text("申请人", "By"),
    "suppression.approver": Text("批准人", "approved by"),
    "suppression.rejector": Text("驳回人", "rejected by"),
    "suppression.ender": Text("结束", "ended by"),
    "suppression.decide": Text("审批", "Decide"),
    "suppression.comment": Text("审批意见", "Comment"),
    "suppression.hides": Text("批准后将隐藏该测点的报警：", "An approval hides alarms of this point:"),
    "suppression.approve": Text("批准", "Approve"),
    "suppression.reject": Text("驳回", "Reject"),
    "suppression.withdraw": Text("撤回申请", "Withdraw"),
    "suppression.own": Text("不能审批本人的申请。", "Nobody decides on their own application."),
    "audit.title": Text("操作记录", "Audit trail"),
    "audit.hint": Text(
        "只增不改，逐条以哈希相连，任何改动都能查出。",
        "Rows are only ever added, and each is chained to the one before by its hash.",
    ),
    "audit.none": Text("没有符合条件的记录。", "Nothing matches."),
    "audit.kind": Text("对象", "About"),
    "audit.subject": Text("编号", "Id"),
    "audit.action": Text("操作", "Action"),
    "audit.actor": Text("操作人", "By"),
    "audit.since": Text("自", "From"),
    "audit.until": Text("至(不含)", "Until"),
    "audit.said": Text("内容", "What was said"),
    "audit.proof": Text("序号 / 哈希", "No. / hash"),
    "audit.of_this": Text("查看全部操作记录", "Everything done with it"),
}
SUPPRESSION_KINDS: Final[dict[SuppressionKind, Text]] = {
    SuppressionKind.FUNCTION_CHECK: Text("功能检查", "Function check"),
    SuppressionKind.SHELVED: Text("搁置", "Shelved"),
    SuppressionKind.SUPPRESSED: Text("设计抑制", "Suppressed by design"),
    SuppressionKind.OUT_OF_SERVICE: Text("停用", "Out of service"),
}
SUPPRESSION_STATES: Final[dict[SuppressionState, Text]] = {
    SuppressionState.APPLIED: Text("待批准", "waiting for approval"),
    SuppressionState.IN_FORCE: Text("生效中", "in force"),
    SuppressionState.REJECTED: Text("已驳回", "rejected"),
    SuppressionState.ENDED: Text("已结束", "ended"),
}
SUPPRESSION_ENDS: Final[dict[SuppressionKind, Text]] = {
    SuppressionKind.FUNCTION_CHECK: Text("结束功能检查", "End function check"),
    SuppressionKind.SHELVED: Text("取消搁置", "Unshelve"),
    SuppressionKind.SUPPRESSED: Text("解除抑制", "End suppression"),
    SuppressionKind.OUT_OF_SERVICE: Text("恢复使用", "Back into service"),
}
"""What ending one that is in force is called."""

ROLES: Final[dict[ActRole, Text]] = {
    "service": Text("系统", "service"),
    "operator": Text("企业", "plant"),
    "inspector": Text("监管", "supervision"),
    "admin": Text("管理员", "admin"),
    "display": Text("大屏", "display"),
    "channel": Text("通知渠道", "channel"),
    "shell": Text("命令行", "command line"),
    "nobody": Text("未登录", "not signed in"),
}
ACT_KINDS: Final[dict[ActKind, Text]] = {
    "alarm": Text("报警", "alarm"),
    "suppression": Text("搁置与停用", "suppression"),
    "warning": Text("预警", "warning"),
    "call": Text("叫应", "call"),
    "roster": Text("值班", "roster"),
    "disposition": Text("处置", "disposition"),
    "evidence": Text("证据", "evidence"),
    "hazard": Text("隐患", "hazard"),
    "lead": Text("线索", "lead"),
    "bypass": Text("联锁旁路", "bypass"),
    "inspection": Text("检查", "inspection"),
    "self-inspection": Text("自查", "self-inspection"),
    "enterprise": Text("企业档案", "enterprise record"),
    "work": Text("作业报备", "declared work"),
    "cleaning": Text("清扫记录", "record of cleaning"),
    "pledge": Text("安全承诺", "safety pledge"),
    "instrument": Text("仪表台账", "instrument"),
    "point": Text("测点", "point"),
    "access": Text("访问", "access"),
    "export": Text("导出", "export"),
    "plant-file": Text("企业文件", "plant file"),
    "message": Text("推送消息", "outgoing message"),
    "quarantine": Text("隔离消息", "quarantine"),
    "events": Text("历史经过", "old events"),
    "data": Text("数据", "data"),
}
