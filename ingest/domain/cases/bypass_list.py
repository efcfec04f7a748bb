"""The list of registered bypasses, as it is exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.labels import label
from ingest.domain.cases.sheet import Column
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class BypassLine:
    """A registration with the name of its enterprise."""

    bypass: Bypass
    plant: Text


BYPASSES: Final[tuple[Column[BypassLine], ...]] = (
    Column("id", Text("编号", "Id"), "text", lambda of: str(of.bypass.id)),
    Column("plant", Text("企业名称", "Enterprise"), "text", lambda of: of.plant, wide=True),
    Column("point", Text("联锁测点", "Interlock"), "text", lambda of: of.bypass.point),
    Column("state", Text("状态", "State"), "text", lambda of: label(of.bypass.state)),
    Column("reason", Text("旁路原因", "Why"), "text", lambda of: of.bypass.reason, wide=True),
    Column("measure", Text("代替措施", "Instead"), "text", lambda of: of.bypass.measure, wide=True),
    Column("requested", Text("申请时间", "Asked for"), "time", lambda of: of.bypass.requested),
    Column("requested_by", Text("申请人", "By"), "text", lambda of: of.bypass.requested_by),
    Column("decided", Text("审批时间", "Decided"), "time", lambda of: of.bypass.decided),
    Column("decided_by", Text("审批人", "By"), "text", lambda of: of.bypass.decided_by),
    Column("hours", Text("最长时间（小时）", "Longest time (h)"), "count", lambda of: of.bypass.hours),
    Column("begins", Text("开始", "From"), "time", lambda of: of.bypass.begins),
    Column("until", Text("至", "Until"), "time", lambda of: of.bypass.until),
    Column("restored", Text("恢复投用时间", "Put back"), "time", lambda of: of.bypass.restored),
    Column("restored_by", Text("恢复人", "By"), "text", lambda of: of.bypass.restored_by),
    Column("remark", Text("说明", "Remark"), "text", lambda of: of.bypass.remark, wide=True),
)
