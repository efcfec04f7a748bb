"""Arranges outstanding alarms for display: grouped by equipment, folded under their common cause.

Display only: each alarm given appears exactly once, and stays in the list, the record and every delivery.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.consequential_suppression import CommonCause, CommonCauseKind, ConsequentialSuppression
from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.alarms.metrics import chattering_rules
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.annunciations import Annunciations
from ingest.domain.model.plant import Point, rule_key

FindPoint = Callable[[str, str], Point | None]
"""Returns the point of a plant by its id, or None if it is not configured any more."""

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """An alarm with what its display depends on.

    Attributes:
        equipment: the group it belongs to in its plant; None = the plant's own: gateways, points without equipment.
        first_out: the first of a burst of alarms of its equipment.
        chattering: its rule was raised too often within a short time.
        stale: it has been active for too long.
        cover: the cause it is folded under, or None.
        covers: how many alarms are folded under it.
    """

    alarm: Alarm
    equipment: str | None
    first_out: bool
    chattering: bool
    stale: bool
    cover: CommonCause | None
    covers: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list: an alarm and those folded under it."""

    shown: Shown
    folded: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The alarms of one equipment (None: of the plant itself). `folded`: those of the process while it is stopped."""

    plant: str
    equipment: str | None
    rows: tuple[Row, ...]
    folded: tuple[Shown, ...]


def display(
    alarms: Sequence[Alarm],
    *,
    find: FindPoint,
    stopped: Mapping[tuple[str, str], str],
    raises: Annunciations,
    config: AlarmsConfig,
    now: int,
) -> list[Shown]:
    """Return how to display each of these alarms, in their order.

    Args:
        alarms: all outstanding alarms of a scope; one that is suppressed is shown, and explains no other.
        find: the lookup of points.
        stopped: equipment known not to be in production, by (plant, equipment), with the point that reports so.
        raises: recent raises, for chattering and for the first of a burst that is no longer in the list.
        config: counts and spans.
        now: ns since the epoch.
    """
    points = {(alarm.plant, alarm.point): find(alarm.plant, alarm.point) for alarm in alarms}
    covers = ConsequentialSuppression(alarms, points, stopped, level_2=config.inhibit_level_2)
    found = [covers.of(alarm) for alarm in alarms]
    count = Counter(cover.alarm for cover in found if cover is not None)
    noisy = chattering_rules(raises, config.chatter_count, config.chatter_window_s * _NS)
    covered = {alarm.rule_key for alarm, cover in zip(alarms, found, strict=True) if cover is not None}
    first = _first_out(alarms, points, covered, find, raises, config.first_out_gap_s * _NS)
    shown = []
    for alarm, cover in zip(alarms, found, strict=True):
        point = points[alarm.plant, alarm.point]
        shown.append(
            Shown(
                alarm,
                point.equipment if point is not None else None,
                alarm.id in first,
                (alarm.plant, alarm.point, alarm.rule) in noisy,
                is_stale(alarm, config, now),
                cover,
                count[alarm.id],
            )
        )
    return shown


def is_stale(alarm: Alarm, config: AlarmsConfig, now: int) -> bool:
    """Whether it has been active for longer than `stale_s`; a suppressed alarm is never stale."""
    return alarm.active and alarm.state in OUTSTANDING and now - alarm.annunciated > config.stale_s * _NS


def fold(shown: Sequence[Shown]) -> list[Group]:
    """Arrange the list: groups in the order of their first alarm, each alarm in exactly one place.

    An alarm whose cause is not among those given (the list is filtered) has a row of its own.
    """
    listed = {entry.alarm.id for entry in shown}
    under: dict[UUID, list[Shown]] = {}
    groups: dict[tuple[str, str | None], tuple[list[Shown], list[Shown]]] = {}
    for entry in shown:
        cover = entry.cover
        if cover is not None and cover.alarm is not None and cover.alarm in listed:
            under.setdefault(cover.alarm, []).append(entry)
            continue
        rows, folded = groups.setdefault((entry.alarm.plant, entry.equipment), ([], []))
        (folded if cover is not None and cover.kind is CommonCauseKind.EQUIPMENT else rows).append(entry)
    return [
        Group(plant, equipment, tuple(Row(row, tuple(under.get(row.alarm.id, ()))) for row in rows), tuple(folded))
        for (plant, equipment), (rows, folded) in groups.items()
    ]


def _first_out(
    alarms: Sequence[Alarm],
    points: Mapping[tuple[str, str], Point | None],
    covered: AbstractSet[str],
    find: FindPoint,
    raises: Annunciations,
    gap: int,
) -> AbstractSet[UUID]:
    """Return the first alarm of each burst of at least two rules on one equipment, without those with a common cause.

    The first may have left the list since: while its raise is remembered, no other alarm takes its place.
    """
    latest = {alarm.rule_key: alarm for alarm in alarms if alarm.rule_key not in covered}
    on: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for key, alarm in latest.items():
        point = points[alarm.plant, alarm.point]
        if point is not None and point.equipment is not None:
            on.setdefault((alarm.plant, point.equipment), set()).add((alarm.annunciated, key))
    plants = {plant for plant, _ in on}
    of: dict[int, tuple[tuple[str, str], str]] = {}  # the equipment and the key of a rule that was raised
    for at, (plant, name, code) in enumerate(raises.rules):
        point, key = find(plant, name) if plant in plants else None, rule_key(plant, name, code)
        if point is not None and point.equipment is not None and key not in covered:
            of[at] = (plant, point.equipment), key
    for at, time in zip(raises.rule.tolist(), raises.raised.tolist(), strict=True):
        if at in of and of[at][0] in on:
            on[of[at][0]].add((time, of[at][1]))
    found = set()
    for raised in on.values():
        for burst in _bursts(sorted(raised), gap):
            first = latest.get(burst[0][1])
            several = len({key for _, key in burst}) > 1
            if several and first is not None and burst[0][0] <= first.annunciated <= burst[-1][0]:
                found.add(first.id)
    return found


def _bursts(raised: Sequence[tuple[int, str]], gap: int) -> Iterator[list[tuple[int, str]]]:
    """Split at every pause longer than `gap`."""
    burst: list[tuple[int, str]] = []
    for entry in raised:
        if burst and entry[0] - burst[-1][0] > gap:
            yield burst
            burst = []
        burst.append(entry)
    if burst:
        yield burst
