"""Texts of the page of deliveries."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.text import Text
from ingest.storage.state.outbox_rows import Which

OUTBOX: Final[dict[str, Text]] = {
    "outbox.title": Text("投递", "Deliveries"),
    "outbox.hint": Text(
        "发给各接收方的消息。没有送达的一直重试；接收方拒收的不再发送，须逐条重发或写明原因放弃，都记入操作记录。",
        "Messages to receivers. What is not delivered is tried for ever; what a receiver rejects is not sent any more"
        " until somebody resends it, or drops it with a reason. Both are in the audit trail.",
    ),
    "outbox.receivers": Text("接收方", "Receivers"),
    "outbox.receiver": Text("接收方", "Receiver"),
    "outbox.state": Text("状态", "State"),
    "outbox.up": Text("正常", "takes messages"),
    "outbox.down": Text("连续 {n} 次失败，逐条试探", "{n} failures in a row, probed one by one"),
    "outbox.off": Text("未启用", "not in use"),
    "outbox.waiting": Text("待发", "Waiting"),
    "outbox.oldest": Text("最早一条", "Oldest"),
    "outbox.attempts": Text("尝试次数", "Tries"),
    "outbox.rejected": Text("拒收", "Rejected"),
    "outbox.retry": Text("立即重试", "Try now"),
    "outbox.nobody": Text("配置中没有接收方。", "The settings name no receiver."),
    "outbox.messages": Text("消息", "Messages"),
    "outbox.which": Text("范围", "Which"),
    "outbox.message": Text("消息", "Message"),
    "outbox.created": Text("产生", "Made"),
    "outbox.became": Text("结果", "What became of it"),
    "outbox.delivered": Text("已送达 {time}", "delivered {time}"),
    "outbox.withdrawn": Text("已撤回 {time}", "withdrawn {time}"),
    "outbox.rejected_at": Text("拒收 {time}", "rejected {time}"),
    "outbox.waits": Text("待发", "waits"),
    "outbox.resend": Text("重发", "Resend"),
    "outbox.drop": Text("放弃", "Drop"),
    "outbox.reason": Text("原因", "Reason"),
    "outbox.more": Text("下一页", "Next page"),
    "outbox.none": Text("没有符合条件的消息。", "No such message."),
}
"""The page of deliveries."""

MESSAGE_KINDS: Final[dict[MessageKind, Text]] = {
    "alarm": Text("报警", "alarm"),
    "warning": Text("预警", "warning"),
    "notice": Text("提醒", "notice"),
    "readings": Text("实时数据", "readings"),
    "call": Text("呼叫", "call"),
}
"""What a message is about."""

CHOICES: Final[dict[Which, Text]] = {
    "dead": Text("拒收", "rejected"),
    "waiting": Text("待发", "waiting"),
    "all": Text("全部", "all"),
}
"""Which messages the page lists."""
