"""The load of an operator position now: its outstanding alarms, and whether they come as a flood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.display import is_stale
from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.alarms.metrics import SLOT_S, chattering_rules, flooded
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.annunciations import Annunciations

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class OperatorLoad:
    """The load of one position at one moment.

    Attributes:
        levels: outstanding alarms by level.
        unacknowledged: how many of them nobody has acknowledged.
        stale: how many of them have been active for too long.
        hidden: alarms that are shelved, suppressed or out of service, so not among the outstanding.
        chattering: rules that were raised too often within a short time, in the last 10 min.
        raised: annunciations in the last 10 min.
        flood: whether that is more than a person can follow.
    """

    levels: Mapping[int, int]
    unacknowledged: int
    stale: int
    hidden: int
    chattering: int
    raised: int
    flood: bool


def load_at(alarms: Sequence[Alarm], recent: Annunciations, config: AlarmsConfig, now: int) -> OperatorLoad:
    """Return a position's load from its alarms that are not normal and its annunciations since `lead` ago."""
    outstanding = [alarm for alarm in alarms if alarm.state in OUTSTANDING]
    visible = recent.visible()
    lately = visible.between(now - SLOT_S * _NS, now + 1)
    return OperatorLoad(
        levels={level: sum(alarm.level == level for alarm in outstanding) for level in (1, 2)},
        unacknowledged=sum(alarm.state in UNSEEN for alarm in outstanding),
        stale=sum(is_stale(alarm, config, now) for alarm in outstanding),
        hidden=len(alarms) - len(outstanding),
        chattering=len(chattering_rules(lately, config.chatter_count, config.chatter_window_s * _NS)),
        raised=len(lately),
        flood=flooded(visible.called, now, config),
    )
