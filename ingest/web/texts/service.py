"""Texts of the pages on gateways and quarantine."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

SERVICE_PAGES: Final[dict[str, Text]] = {
    "gateways.title": Text("网关", "Gateways"),
    "gateways.none": Text("没有登记的网关。", "No gateway is registered."),
    "gateways.gateway": Text("网关", "Gateway"),
    "gateways.state": Text("状态", "State"),
    "gateways.online": Text("在线", "online"),
    "gateways.offline": Text("离线", "offline"),
    "gateways.unknown": Text("投运前：从未连接", "before commissioning: never connected"),
    "gateways.clock": Text("时钟偏差", "Clock ahead by"),
    "gateways.clock_off": Text("超出限值", "beyond its limit"),
    "gateways.committed": Text("已落盘序号", "Committed seq"),
    "gateways.missing": Text("缺失序号", "Missing"),
    "gateways.missing_none": Text("无", "none"),
    "gateways.missing_more": Text("等共 {n} 段", "and more, {n} ranges"),
    "gateways.lost": Text("已丢失", "lost"),
    "gateways.heard": Text("最后通信", "Last heard"),
    "gateways.frames": Text("帧数 / 重复", "Frames / duplicates"),
    "gateways.unregistered": Text("未登记", "not registered"),
    "quarantine.title": Text("隔离消息", "Quarantine"),
    "quarantine.about": Text(
        "未能采用的内容保存在此，不影响其他数据：整条消息按原样保存；只有个别列有误时，只保存这些列。"
        "空间和时间都有上限：过期的消息，以及网关存量已满时其最旧的消息，无论是否有人看过都会删除。",
        "What could not be taken is kept here and holds nothing up: whole messages as they came, or, where single"
        " columns were wrong, these columns. Room and time are bounded: what is too old, and the oldest messages of a"
        " gateway whose room is full, are deleted, seen or not.",
    ),
    "quarantine.deleted": Text(
        "服务本次启动以来，因空间不足已删除 {n} 条消息，其中的数据不在历史库中。",
        "Since the service started, {n} messages were deleted for want of room; what was in them is in no history.",
    ),
    "quarantine.none": Text("没有隔离消息。", "Nothing is in quarantine."),
    "quarantine.reason": Text("原因", "Reason"),
    "quarantine.detail": Text("说明", "Detail"),
    "quarantine.topic": Text("主题", "Topic"),
    "quarantine.size": Text("大小", "Size"),
    "quarantine.payload": Text("内容摘录", "Payload excerpt"),
    "quarantine.older": Text("更早的消息", "Older messages"),
}
