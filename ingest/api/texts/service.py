"""What the pages on the service itself say: gateways, quarantine."""

from __future__ import annotations

from typing import Final

from ingest.model.plant import Text

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
        "无法解析的消息原样保存在此，不会丢弃，也不阻塞其他数据。",
        "Messages that could not be read are kept whole here. They are not lost and hold nothing up.",
    ),
    "quarantine.none": Text("没有隔离消息。", "Nothing is in quarantine."),
    "quarantine.reason": Text("原因", "Reason"),
    "quarantine.detail": Text("说明", "Detail"),
    "quarantine.topic": Text("主题", "Topic"),
    "quarantine.size": Text("大小", "Size"),
    "quarantine.payload": Text("内容摘录", "Payload excerpt"),
    "quarantine.older": Text("更早的消息", "Older messages"),
}
