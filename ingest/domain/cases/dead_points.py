"""Finds mandatory points that are dead for too long while their machine is in production: each is a hazard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from ingest.domain.cases.hazard import Hazard, HazardSource, hazard_of_rule
from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.audit import YUJING
from ingest.domain.model.plant import Point

RULE: Final = "dead-in-production"
"""The rule's name, in ids and as the hazard's origin."""

DEAD_RULES: Final = frozenset({"SILENT", "BAD", "STUCK", "CURRENT"})
"""Rules of a point while whose alarm holds nothing measures there; its gateway's OFFLINE counts, too."""

_OFFLINE: Final = "OFFLINE"

Key = tuple[str, str]
"""Plant and point."""


@dataclass(frozen=True, slots=True)
class DeadPoint:
    """A mandatory point that is dead, as it is kept over restarts. Times are ns since the epoch, UTC.

    Attributes:
        begun: onset of the alarm by which it was first found dead; with the point it names the hazard.
        since: since when its machine has been in production without a break; None while it is out of production.
        hazard: the hazard opened for it, or that was open already; None before.
    """

    plant: str
    point: str
    begun: int
    since: int | None
    hazard: UUID | None = None


@dataclass(frozen=True, slots=True)
class DeadPointChanges:
    """What one check changes: rows to keep, rows that are over, and points that have been dead for too long."""

    kept: list[DeadPoint]
    over: list[Key]
    ripe: list[DeadPoint]


def dead_now(points: Iterable[Point], alarms: Iterable[Alarm]) -> dict[Key, int]:
    """The mandatory points that are dead, with the onset of the earliest alarm that says so.

    One taken out of service (停用: applied for and approved by somebody else) is not.
    """
    active: dict[Key, list[Alarm]] = {}
    for alarm in alarms:
        if alarm.active and not alarm.historical:
            active.setdefault((alarm.plant, alarm.point), []).append(alarm)
    found = {}
    for point in points:
        if not point.mandatory:
            continue
        own = active.get((point.plant, point.id), [])
        if any(alarm.state is AlarmState.OUT_OF_SERVICE for alarm in own):
            continue
        onsets = [alarm.onset for alarm in own if alarm.rule in DEAD_RULES]
        offline = active.get((point.plant, point.gateway), [])
        onsets += [alarm.onset for alarm in offline if alarm.rule == _OFFLINE]
        if onsets:
            found[point.plant, point.id] = min(onsets)
    return found


def compare(
    known: Mapping[Key, DeadPoint], dead: Mapping[Key, int], running: Callable[[Key], bool], now: int, limit_ns: int
) -> DeadPointChanges:
    """Compare what was known with what is dead now. A machine that stops begins the time anew."""
    kept, ripe = [], []
    for key, onset in dead.items():
        before = known.get(key)
        works = running(key)
        if before is None:
            after = DeadPoint(*key, onset, onset if works else None)
        elif not works:
            after = replace(before, since=None)
        else:
            after = replace(before, since=now if before.since is None else before.since)
        if after != before:
            kept.append(after)
        if after.hazard is None and after.since is not None and now - after.since >= limit_ns:
            ripe.append(after)
    return DeadPointChanges(kept, [key for key in known if key not in dead], ripe)


def hazard_of(dead: DeadPoint, point: Point, now: int, limit_h: float) -> Hazard:
    """The hazard that a dead point is: found by the service, for people to register and grade."""
    basis = f"依据：{point.basis}。" if point.basis else ""
    return Hazard(
        id=hazard_of_rule(dead.plant, dead.point, RULE, dead.begun),
        plant=dead.plant,
        title=f"必选监测点失效：{point.name.zh}（{point.id}）",
        description=(
            f"生产期间监测点 {point.id} 连续 {limit_h:g} 小时以上无有效数据，现场无人监测。{basis}"
            "可能构成重大事故隐患（令第10号第十四条，须人工判定）。"
        ),
        place=point.equipment or point.gateway,
        source=HazardSource.RULE,
        found=now,
        found_by=YUJING,
        equipment=point.equipment,
        point=point.id,
        origin=RULE,
    )
