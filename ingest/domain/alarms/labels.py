"""The names of alarm states and events, Chinese first."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.domain.model.text import Text

STATES: Final[dict[AlarmState, Text]] = {
    AlarmState.NORMAL: Text("正常", "Normal"),
    AlarmState.UNACKNOWLEDGED: Text("未确认", "Unacknowledged"),
    AlarmState.ACKNOWLEDGED: Text("已确认", "Acknowledged"),
    AlarmState.RETURNED: Text("已恢复，未确认", "Returned, unacknowledged"),
    AlarmState.LATCHED_UNACKNOWLEDGED: Text("已锁存，未确认", "Latched, unacknowledged"),
    AlarmState.LATCHED_ACKNOWLEDGED: Text("已锁存，待复位", "Latched, to be reset"),
    AlarmState.SHELVED: Text("已搁置", "Shelved"),
    AlarmState.SUPPRESSED: Text("设计抑制", "Suppressed by design"),
    AlarmState.OUT_OF_SERVICE: Text("已停用", "Out of service"),
    AlarmState.NOT_EVALUATED: Text("未评估", "Not evaluated"),
    AlarmState.REMOVED: Text("测点已移出配置", "Removed from configuration"),
}

EVENTS: Final[dict[AlarmEventKind, Text]] = {
    AlarmEventKind.RAISED: Text("触发", "Raised"),
    AlarmEventKind.RETURNED: Text("恢复", "Returned"),
    AlarmEventKind.LATCHED: Text("恢复，锁存", "Returned, latched"),
    AlarmEventKind.ACKNOWLEDGED: Text("确认", "Acknowledged"),
    AlarmEventKind.RESET: Text("复位", "Reset"),
    AlarmEventKind.SHELVED: Text("搁置", "Shelved"),
    AlarmEventKind.UNSHELVED: Text("取消搁置", "Unshelved"),
    AlarmEventKind.SUPPRESSED: Text("设计抑制", "Suppressed by design"),
    AlarmEventKind.UNSUPPRESSED: Text("解除抑制", "No longer suppressed"),
    AlarmEventKind.REMOVED_FROM_SERVICE: Text("停用", "Taken out of service"),
    AlarmEventKind.RETURNED_TO_SERVICE: Text("恢复使用", "Back in service"),
    AlarmEventKind.UNEVALUATED: Text("无法评估", "Not evaluated"),
    AlarmEventKind.EVALUATED: Text("恢复评估", "Evaluated again"),
    AlarmEventKind.REMOVED: Text("移出配置（未见恢复）", "Removed from configuration, not seen to return"),
    AlarmEventKind.COMMENTED: Text("备注", "Comment"),
    AlarmEventKind.ASSIGNED: Text("指派", "Assigned"),
    AlarmEventKind.DISPOSED: Text("处置反馈", "Feedback given"),
    AlarmEventKind.CLEARED: Text("销警", "Cleared (销警)"),
    AlarmEventKind.BYPASS_REGISTERED: Text("旁路已登记", "Bypass registered"),
    AlarmEventKind.BYPASS_UNREGISTERED: Text("旁路登记不再有效", "Bypass no longer registered"),
    AlarmEventKind.RECORDED: Text("补传记录", "Recorded from backfilled readings"),
}


def cannot(kind: AlarmEventKind, state: AlarmState) -> Text:
    """Return the refusal of an action that an alarm in this state does not allow."""
    now, action = STATES[state], EVENTS[kind]
    return Text(
        f"该报警现在的状态是“{now.zh}”，不能{action.zh}。",
        f"Not possible now ({action.en.lower()}): the state of this alarm is {now.en.lower()}.",
    )
