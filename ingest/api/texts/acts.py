"""What is said of things done: each action, and each thing that was told with it."""

from __future__ import annotations

from typing import Final

from ingest.cases.hazard_steps import HazardStep
from ingest.cases.labels import LABELS
from ingest.model.plant import Text

SAID: Final[dict[str, Text]] = {
    "address": Text("地址", "address"),
    "alarms": Text("报警", "alarms"),
    "authority": Text("督办单位", "authority"),
    "awaited": Text("等待", "awaited"),
    "basis": Text("依据", "basis"),
    "before": Text("此前", "before"),
    "budget_fen": Text("整改资金（元）", "budget (yuan)"),
    "cause": Text("原因", "cause"),
    "clause": Text("判定条款", "clause"),
    "colour": Text("颜色", "colour"),
    "comment": Text("备注", "comment"),
    "connected_on": Text("接入日期", "connected on"),
    "contingency": Text("应急预案", "contingency"),
    "day": Text("日期", "day"),
    "deadline": Text("整改时限", "deadline"),
    "document": Text("文书号", "document"),
    "done": Text("整改情况", "done"),
    "evidence": Text("证据", "evidence"),
    "false_alarm": Text("误报", "false alarm"),
    "found": Text("发现隐患", "found"),
    "from": Text("由", "from"),
    "grade_reason": Text("定级依据", "why this class"),
    "graded_by": Text("定级人", "graded by"),
    "graded_on": Text("定级日期", "graded on"),
    "hazard": Text("隐患", "hazard"),
    "inspection": Text("检查", "inspection"),
    "inspectors": Text("检查人员", "inspectors"),
    "insurance": Text("安责险", "insurance"),
    "insured_until": Text("保险至", "insured until"),
    "kind": Text("方式", "kind"),
    "level": Text("等级", "level"),
    "measure": Text("措施", "measure"),
    "media": Text("文件类型", "kind of file"),
    "missed": Text("超时未办", "missed"),
    "name": Text("名称", "name"),
    "number": Text("编号", "number"),
    "peak": Text("最高", "highest"),
    "period": Text("周期", "period"),
    "person": Text("处置人", "person"),
    "point": Text("测点", "point"),
    "principal": Text("主要负责人", "principal"),
    "principal_phone": Text("主要负责人电话", "principal's phone"),
    "reason": Text("原因", "reason"),
    "remark": Text("说明", "remark"),
    "responsible": Text("责任人", "responsible"),
    "result": Text("结果", "result"),
    "risk_class": Text("风险等级", "risk class"),
    "rule": Text("规则", "rule"),
    "safety_head": Text("安全负责人", "safety head"),
    "safety_phone": Text("安全负责人电话", "safety head's phone"),
    "since": Text("自", "since"),
    "size": Text("字节", "bytes"),
    "source": Text("来源", "source"),
    "standardisation": Text("标准化等级", "standardisation"),
    "state": Text("状态", "state"),
    "step": Text("层级", "step"),
    "text": Text("内容", "text"),
    "title": Text("名称", "title"),
    "to": Text("对象", "to"),
    "warning": Text("预警", "warning"),
    "who": Text("责任人", "asked"),
    "words": Text("说明", "words"),
}
"""Key in the detail of an event or act -> what it is called."""

ACTIONS: Final[dict[str, dict[str, Text]]] = {
    "suppression": {
        "shelved": Text("搁置", "shelved"),
        "suppressed": Text("设计抑制", "suppressed by design"),
        "applied": Text("申请停用", "applied for"),
        "approved": Text("批准停用", "approved"),
        "rejected": Text("驳回申请", "rejected"),
        "ended": Text("结束", "ended"),
    },
    "disposition": {"disposed": Text("提交处置反馈", "feedback given")},
    "evidence": {"handed-in": Text("上传证据", "handed in")},
    "hazard": {
        "find": Text("发现隐患", "found"),
        **{str(step): text for step, text in LABELS[HazardStep].items()},
    },
    "lead": {
        "open": Text("新增线索", "opened"),
        "take": Text("受理核查", "taken"),
        "close": Text("办结", "closed"),
    },
    "inspection": {
        "plan": Text("安排检查", "planned"),
        "begin": Text("开始检查", "begun"),
        "find": Text("记录问题", "something found"),
        "conclude": Text("结束检查", "concluded"),
        "cancel": Text("取消检查", "cancelled"),
    },
    "self-inspection": {"done": Text("完成自查", "done")},
    "enterprise": {
        "noted": Text("更新档案", "noted"),
        "classified": Text("评定等级", "classified"),
    },
}
"""Kind of record -> action -> what it is called; alarms' and warnings' actions are their events."""
