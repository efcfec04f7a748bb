"""Texts of the pages on bypassed interlocks."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

BYPASSES: Final[dict[str, Text]] = {
    "bypasses.title": Text("联锁旁路登记", "Bypassed interlocks"),
    "bypasses.hint": Text(
        "未登记或已到期的旁路为二级报警；批准并在有效期内的为一级。登记不隐藏报警，也不降低预警颜色。",
        "A bypass that is not registered, or has expired, is an alarm of level 2; one that is approved, of level 1 for"
        " its time. Registering hides no alarm and lowers no colour.",
    ),
    "bypasses.new": Text("申请旁路", "Ask for a bypass"),
    "bypasses.waiting": Text("待批准", "Waiting for approval"),
    "bypasses.now": Text("生效与到期未恢复", "In force, or expired and not put back"),
    "bypasses.over": Text("历史", "Over"),
    "bypasses.no_interlock": Text(
        "可登记的联锁是企业文件中信号为联锁状态（旁路、投用）的测点；此处的企业没有这样的测点。",
        "What can be registered is a point whose signal shows the state of an interlock; these plants have none.",
    ),
    "bypasses.none_waiting": Text("没有待批准的申请。", "Nothing waits."),
    "bypasses.none_now": Text("没有登记的旁路。", "No bypass is registered."),
    "bypasses.none_over": Text("没有历史记录。", "There were none."),
    "bypass.interlock": Text("联锁", "Interlock"),
    "bypass.shows": Text("联锁现状", "Shows now"),
    "bypass.in_service": Text("投用", "in service"),
    "bypass.bypassed": Text("旁路", "bypassed"),
    "bypass.unknown": Text("不明", "unknown"),
    "bypass.to_close": Text("联锁已投用，登记未关闭", "in service again: close the registration"),
    "bypass.measure": Text("代替措施", "What stands in for it"),
    "bypass.reason": Text("旁路原因", "Why"),
    "bypass.hours": Text("最长时间（小时）", "Longest time (h)"),
    "bypass.hours_hint": Text(
        "默认且至多 {n} 小时（默认值，非法规；alarms.bypass_max_h）；更长须申请延期，重新批准。",
        "By default, and at most, {n} h (a default, no regulation; alarms.bypass_max_h); longer takes an extension,"
        " approved anew.",
    ),
    "bypass.begins": Text("开始", "From"),
    "bypass.begins_wish": Text("开始（留空为批准时）", "From (empty: once approved)"),
    "bypass.until": Text("至", "Until"),
    "bypass.requested": Text("申请", "asked for by"),
    "bypass.approved": Text("批准", "approved by"),
    "bypass.refused": Text("未批准", "refused by"),
    "bypass.restored": Text("恢复", "put back by"),
    "bypass.extension": Text("申请延期 {n} 小时：{why}", "An extension of {n} h is asked for: {why}"),
    "bypass.own": Text("须由他人批准。", "Somebody else approves it."),
}
