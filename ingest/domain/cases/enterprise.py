"""Enterprise record (企业基础信息) and its classification (分级分类): what people know besides the plant file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from ingest.domain.cases.days import day_of

_SECOND: Final = 1_000_000_000


class RiskClass(StrEnum):
    """How much risk the plant carries by itself (红橙黄蓝, A to D)."""

    RED = "red"  # A 重大
    ORANGE = "orange"  # B 较大
    YELLOW = "yellow"  # C 一般
    BLUE = "blue"  # D 低

    @property
    def letter(self) -> str:
        """A to D."""
        return "ABCD"[list(RiskClass).index(self)]


@dataclass(frozen=True, slots=True)
class EnterpriseRecord:
    """What is noted of a plant besides its file. None: not known.

    Attributes:
        risk_class, graded_by, graded_on, grade_reason: its class, by whom, when, why.
        principal, safety_head: 主要负责人, 安全负责人.
        standardisation: grade of safety standardisation (安全生产标准化等级).
        insurance: safety liability insurance (安责险): insurer and number.
        connected_on: since when its data have come.
    """

    plant: str
    version: int = 0  # 0: nothing was noted yet
    risk_class: RiskClass | None = None
    graded_by: str | None = None
    graded_on: dt.date | None = None
    grade_reason: str | None = None
    principal: str | None = None
    principal_phone: str | None = None
    safety_head: str | None = None
    safety_phone: str | None = None
    address: str | None = None
    standardisation: str | None = None
    insurance: str | None = None
    insured_until: dt.date | None = None
    connected_on: dt.date | None = None
    changed: int | None = None
    changed_by: str | None = None


CLASSIFICATION: Final = frozenset({"risk_class", "grade_reason"})
"""What only the authority changes; who graded it and when follow from it."""

ConnectionState = Literal["connected", "late", "due", "not-mandatory"]


@dataclass(frozen=True, slots=True)
class Connection:
    """How a plant stands with its duty to be connected.

    Attributes:
        days: late by so many, or due in so many; None otherwise.
        last_received: when anything last came from it, ns; None: never.
    """

    state: ConnectionState
    days: int | None
    last_received: int | None


def connection(connect_by: dt.date | None, last_received: int | None, now: int, *, recent_s: float) -> Connection:
    """Return whether a plant is connected, late, due, or under no duty.

    One that was connected and no longer sends is late from the day after anything last came from it, at the earliest
    from the day after its deadline.
    """
    if last_received is not None and now - last_received <= recent_s * _SECOND:
        return Connection("connected", None, last_received)
    if connect_by is None:
        return Connection("not-mandatory", None, last_received)
    today = day_of(now)
    if today <= connect_by:
        return Connection("due", (connect_by - today).days, last_received)
    since = connect_by if last_received is None else max(connect_by, day_of(last_received))
    return Connection("late", (today - since).days, last_received)
