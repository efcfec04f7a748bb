"""What an operator position has before it now: standing alarms, and whether they come faster than a person follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.display import is_stale
from ingest.domain.alarms.lifecycle import STANDING, UNSEEN
from ingest.domain.alarms.metrics import SLOT_S, chattering_rules, flooded
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.annunciations import Annunciations

_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class OperatorLoad:
    """One position at one moment.

    Attributes:
        levels: standing alarms by level.
        unacknowledged: of them, those nobody has seen.
        stale: of them, those that stand for too long.
        hidden: alarms that are shelved, suppressed or out of service, and not among the standing.
        chattering: rules that were raised too often within a short time, in the last 10 min.
        raised: times an alarm called in the last 10 min.
        flood: whether that is more than a person can follow.
    """

    levels: Mapping[int, int]
    unacknowledged: int
    stale: int
    hidden: int
    chattering: int
    raised: int
    flood: bool


def at_present(alarms: Sequence[Alarm], recent: Annunciations, config: AlarmsConfig, now: int) -> OperatorLoad:
    """What a position has before it, by its alarms that are not normal and its annunciations from `lead` ago on."""
    standing = [alarm for alarm in alarms if alarm.state in STANDING]
    heard = recent.heard()
    late = heard.between(now - SLOT_S * _NS, now + 1)
    return OperatorLoad(
        levels={level: sum(alarm.level == level for alarm in standing) for level in (1, 2)},
        unacknowledged=sum(alarm.state in UNSEEN for alarm in standing),
        stale=sum(is_stale(alarm, config, now) for alarm in standing),
        hidden=len(alarms) - len(standing),
        chattering=len(chattering_rules(late, config.chatter_count, config.chatter_window_s * _NS)),
        raised=len(late),
        flood=flooded(heard.called, now, config),
    )
