"""How alarms are to be shown to a caller, by what else stands and which machines run."""

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
"""Standing alarms that are looked at for what explains others."""


def show(ports: Ports, standing: Sequence[Alarm]) -> list[Shown]:
    """How to show each of these: all standing alarms of a scope, and others beside them."""
    plants = {alarm.plant for alarm in standing}
    now = ports.now()
    return display(
        standing,
        find=ports.live.configuration().find,
        stopped=ports.live.view().stopped(plants),
        raises=ports.load.recent(plants, now),
        config=ports.load.config,
        now=now,
    )


def show_among(ports: Ports, caller: Principal, alarms: Sequence[Alarm]) -> dict[UUID, Shown]:
    """How to show those of a page that stand, by their ids, among all that stand in the caller's scope."""
    asked = {alarm.id: alarm for alarm in alarms if alarm.state in OUTSTANDING}
    if not asked:
        return {}
    scope = frozenset(alarm.plant for alarm in asked.values()) | {SERVICE}
    which = AlarmFilter(plants=frozenset(filter(caller.sees, scope)), states=OUTSTANDING)
    beside = [alarm for alarm in ports.alarms.alarms(which, limit=MOST) if alarm.id not in asked]
    return {shown.alarm.id: shown for shown in show(ports, [*asked.values(), *beside]) if shown.alarm.id in asked}
