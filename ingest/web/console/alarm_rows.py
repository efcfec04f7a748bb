"""Rows of alarms in the console's lists, computed before the template, which only lays them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.display import Shown
from ingest.domain.alarms.lifecycle import UNSEEN
from ingest.domain.cases.work import Work
from ingest.domain.cases.work_report import work_text
from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.plant import GATEWAY_SIGNAL, ServicePoint
from ingest.domain.model.text import Text
from ingest.services.access import Principal
from ingest.services.ports import Ports
from ingest.web.console.wording import NOTHING, decimals, limit, number

_TITLE_ONLY: Final = frozenset({GATEWAY_SIGNAL, ServicePoint.BROKER.signal})
"""Signals whose 0 or 1 would say less than the alarm's title."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm in a list; `limit` comes with its unit, `reason` is None once the rule is gone."""

    alarm: Alarm
    plant: Text
    value: Text
    limit: str
    reason: Text | None
    can_acknowledge: bool
    shown: Shown | None = None
    work: tuple[Text, ...] = ()  # declared work it was raised during

    @property
    def word(self) -> str:
        """Key of its state's name: the alarm's state, or what is still missing once it is back to normal."""
        alarm = self.alarm
        if alarm.historical:
            return "historical"
        if alarm.state is AlarmState.NORMAL and alarm.cleared is None:
            return "awaiting-feedback"
        return alarm.state.value


def alarm_row(
    ports: Ports, alarm: Alarm, caller: Principal, shown: Shown | None = None, work: Iterable[Work] = ()
) -> AlarmRow:
    """Return the row of an alarm, its numbers with the digits of its instrument; `work`: it was raised during."""
    configuration = ports.live.configuration()
    plant = configuration.plants.get(alarm.plant)
    point = configuration.find(alarm.plant, alarm.point)
    digits = decimals(point) if point and point.unit == alarm.unit else None
    device = point is not None and point.signal in _TITLE_ONLY
    word = point.word(alarm.value) if point is not None and point.unit == alarm.unit else None
    value = NOTHING if device else number(alarm.value, digits, [alarm.limit])
    rule = configuration.rule(alarm.plant, alarm.point, alarm.rule)
    return AlarmRow(
        alarm,
        plant.name if plant else Text(alarm.plant, alarm.plant),
        Text(value, value) if device or not word else word,
        "" if device or word else f"{limit(alarm.limit, digits)} {alarm.unit}".rstrip(),
        rule.reason if rule else None,
        caller.may_act and alarm.state in UNSEEN,
        shown,
        tuple(work_text(each, alarm) for each in work),
    )
