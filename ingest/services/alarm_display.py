"""Decides how alarms are shown to a caller, from the other outstanding alarms and the equipment in production."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ingest.domain.alarms.display import Shown, display
from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.model.alarm import Alarm, AlarmFilter
from ingest.domain.model.plant import SERVICE
from ingest.services.access import Principal
from ingest.services.ports import Ports

MOST: Final = 5_000
"""Outstanding alarms read at most to find common causes."""


def show(ports: Ports, outstanding: Sequence[Alarm]) -> list[Shown]:
    """Return how each of these alarms is shown; they include all outstanding alarms of a scope."""
    plants = {alarm.plant for alarm in outstanding}
    now = ports.now()
    return display(
        outstanding,
        find=ports.live.configuration().find,
        stopped=ports.live.view().stopped(plants),
        raises=ports.load.recent(plants, now),
        config=ports.load.config,
        now=now,
    )


def show_among(ports: Ports, caller: Principal, alarms: Sequence[Alarm]) -> dict[UUID, Shown]:
    """Return by id how the outstanding alarms of a page are shown, among all outstanding ones in scope."""
    wanted = {alarm.id: alarm for alarm in alarms if alarm.state in OUTSTANDING}
    if not wanted:
        return {}
    scope = frozenset(alarm.plant for alarm in wanted.values()) | {SERVICE}
    which = AlarmFilter(plants=frozenset(filter(caller.sees, scope)), states=OUTSTANDING)
    beside = [alarm for alarm in ports.alarms.alarms(which, limit=MOST) if alarm.id not in wanted]
    return {shown.alarm.id: shown for shown in show(ports, [*wanted.values(), *beside]) if shown.alarm.id in wanted}
