"""What the pages of the closed loop say: feedback, hazards, inspections, leads, enterprises, lists."""

from __future__ import annotations

from typing import Final

from ingest.model.plant import Text

CASES: Final[dict[str, Text]] = {
    "dispose.title": Text("处置反馈", "Feedback"),
    "dispose.hint": Text(
        "数值恢复且已反馈后自动销警。", "The alarm is cleared once its value is back and feedback is given."
    ),
    "dispose.form": Text("类型", "Kind"),
    "dispose.submit": Text("提交反馈", "Give feedback"),
    "dispose.cause": Text("原因", "Cause"),
    "dispose.measure": Text("处置措施", "What was done"),
    "dispose.person": Text("处置人", "Who did it"),
    "dispose.by": Text("填报", "reported by"),
    "dispose.handled": Text("处置时间（默认现在）", "When (now, if left out)"),
    "dispose.false_alarm": Text("是否误报", "Was it false?"),
    "dispose.false": Text("误报", "false alarm"),
    "dispose.true_alarm": Text("不是误报", "no, it was true"),
    "dispose.words": Text("说明（误报或其他原因时必填）", "In words (needed for a false alarm or another cause)"),
    "dispose.files": Text("证据：照片或 PDF，最多 3 个", "Evidence: pictures or PDF, 3 at most"),
    "dispose.not_told": Text("正在通知引擎", "the engine is being told"),
}
