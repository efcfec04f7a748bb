"""Texts of the page of notices."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

NOTICES: Final[dict[str, Text]] = {
    "notices.title": Text("提醒", "Notices"),
    "notices.hint": Text(
        "到期之前提醒一次，办理后自动撤回；按设置（connectors.webhooks 的 notices）推送给各接收方。",
        "Given once ahead of time, and withdrawn by themselves once the matter is settled; sent to the receivers that"
        " ask for them (notices of connectors.webhooks).",
    ),
    "notices.standing": Text("未办理", "standing"),
    "notices.ended": Text("已撤回", "withdrawn"),
    "notices.none": Text("没有符合条件的提醒。", "No such notice."),
    "notice.what": Text("事项", "What"),
    "notice.matter": Text("类别", "Matter"),
    "notice.due": Text("期限", "Due"),
    "notice.late": Text("已过期限", "late"),
    "notice.no_time": Text("尽快", "soon"),
    "notice.given": Text("发出", "Given"),
    "notice.withdrawn": Text("撤回 {time}", "withdrawn {time}"),
    "notice.sent": Text("推送", "Sent to"),
    "notice.delivered": Text("已送达 {time}", "delivered {time}"),
    "notice.waits": Text("等待送达", "not delivered yet"),
    "notice.forgotten": Text("送达记录已清除", "its delivery is not on record any more"),
    "notice.nobody": Text("没有接收方订阅此类提醒", "no receiver asks for such notices"),
}
"""The page of notices."""
