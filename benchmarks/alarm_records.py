"""Alarms of a year as a state database has them: made up, of many plants, levels and states, each with its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, alarm_id, event_id
from ingest.domain.model.text import Text
from ingest.storage.state.database import Database
from ingest.storage.state.rows import alarm_row, event_row
from ingest.storage.state.tables import alarm, alarm_event, annunciation

PLANTS: Final = 50
POINTS: Final = 20  # of each plant
SPAN_NS: Final = 365 * 86400 * 10**9
OPEN: Final = (
    AlarmState.UNACKNOWLEDGED,
    AlarmState.ACKNOWLEDGED,
    AlarmState.RETURNED,
    AlarmState.LATCHED_UNACKNOWLEDGED,
    AlarmState.LATCHED_ACKNOWLEDGED,
)

_SECOND: Final = 10**9
_NAMES: Final = ("张三", "李四", "王五")
_RULES: Final = (("H", 1, 24.0), ("HH", 2, 160.0))
_OPEN_SHARE: Final = 0.002  # about 200 of 100,000 still ask for something
_AT_A_TIME: Final = 2_000


class Records:
    """So many alarms of the `span` (ns) before `now`, the same for the same number; few plants have most of them.

    Attributes:
        alarms: in the order in which they were raised.
    """

    def __init__(self, count: int, now: int, *, span: int = SPAN_NS, open_share: float = _OPEN_SHARE) -> None:
        """`open_share` of them still ask for something."""
        rng = np.random.default_rng(11)
        weight = 1 / np.arange(1, PLANTS + 1)
        plant = rng.choice(PLANTS, count, p=weight / weight.sum())
        raised = now - span + np.sort(rng.integers(0, span - 3600 * _SECOND, count))
        point, rule = rng.integers(0, POINTS, count), (rng.random(count) < 0.2).astype(int)
        stands, state = rng.random(count) < open_share, rng.integers(0, len(OPEN), count)
        draws = rng.random((count, 3))
        self.alarms: Sequence[Alarm] = [
            self._alarm(int(plant[n]), int(point[n]), int(rule[n]), int(raised[n]), draws[n].tolist(),
                        OPEN[state[n]] if stands[n] else AlarmState.NORMAL)
            for n in range(count)
        ]  # fmt: skip

    def write(self, database: Database) -> None:
        """Into a database that holds nothing, or earlier ones of these."""
        last = int(database.scalar(sa.select(sa.func.max(alarm_event.c.seq))) or 0)
        for start in range(0, len(self.alarms), _AT_A_TIME):
            some = self.alarms[start : start + _AT_A_TIME]
            numbered = list(enumerate((event for record in some for event in events(record)), last + 1))
            last += len(numbered)
            with database.write() as connection:
                connection.execute(sa.insert(alarm), [alarm_row(record) for record in some])
                connection.execute(sa.insert(alarm_event), [event_row(event) | {"seq": seq} for seq, event in numbered])
                called = [_called(event, seq) for seq, event in numbered if event.kind is AlarmEventKind.RAISED]
                connection.execute(sa.insert(annunciation), called)
        with database.write() as connection:
            database.backend.continue_after(connection, alarm_event.c.seq, last)
            database.backend.settle(connection, [alarm.name, alarm_event.name, annunciation.name])

    @staticmethod
    def _alarm(plant: int, point: int, rule: int, raised: int, draws: list[float], state: AlarmState) -> Alarm:
        code, level, limit = _RULES[rule]
        place, name = f"plant-{plant:02d}", f"CO-{point:02d}"
        seen, over = raised + int(600 * draws[0] * _SECOND), raised + int(3600 * draws[1] * _SECOND)
        back = state in {AlarmState.NORMAL, AlarmState.RETURNED, *OPEN[3:]}
        acked = state in {AlarmState.NORMAL, AlarmState.ACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED}
        normal, historical = state is AlarmState.NORMAL, state is AlarmState.NORMAL and draws[2] < 0.02
        return Alarm(
            id=alarm_id(place, name, code, raised),
            plant=place,
            point=name,
            rule=code,
            level=1 if level == 1 else 2,
            state=state,
            title=Text(f"{point}号一氧化碳 高报", f"CO {point} high"),
            value=limit + 10 * draws[0],
            limit=limit,
            unit="ppm",
            onset=raised,
            raised=raised,
            annunciated=raised,
            raises=1,
            returned=over if back else None,
            acked=seen if acked and not historical else None,
            acked_by=_NAMES[int(3 * draws[1])] if acked and not historical else None,
            comment="现场已检查" if acked and draws[2] > 0.5 else None,
            assigned=_NAMES[int(3 * draws[0])] if draws[2] > 0.9 else None,
            disposed=over if normal and draws[2] > 0.1 else None,
            cleared=over if normal and draws[2] > 0.1 else None,
            historical=historical,
        )


def _called(event: AlarmEvent, seq: int) -> dict[str, Any]:
    """The annunciation of a raise, with all that came of it since."""
    record = event.alarm
    return {
        "seq": seq,
        "alarm": record.id,
        **{name: getattr(record, name) for name in ("raises", "plant", "point", "rule", "level", "acked", "returned")},
        "raised": event.time,
        "called": event.received,
        "hidden": False,
    }


def events(record: Alarm) -> Iterator[AlarmEvent]:
    """What led to the alarm as it stands, in short."""

    def event(kind: AlarmEventKind, time: int, state: AlarmState) -> AlarmEvent:
        return AlarmEvent(0, event_id(record.id, kind, time), kind, time, time, replace(record, state=state))

    if record.historical:
        yield event(AlarmEventKind.RECORDED, record.raised, record.state)
        return
    yield event(AlarmEventKind.RAISED, record.raised, AlarmState.UNACKNOWLEDGED)
    if record.acked is not None:
        yield event(AlarmEventKind.ACKNOWLEDGED, record.acked, AlarmState.ACKNOWLEDGED)
    if record.returned is not None:
        yield event(AlarmEventKind.RETURNED, record.returned, record.state)
    if record.cleared is not None:
        yield event(AlarmEventKind.CLEARED, record.cleared, record.state)


def write_plants(folder: Path) -> None:
    """The files of these plants: one gateway and its CO points each."""
    for plant in range(PLANTS):
        lines = [
            f'[enterprise]\nid = "plant-{plant:02d}"\nname = "{plant}号钢厂"\nname_en = "Steel {plant}"',
            'uscc = "91350583MA000L0390"\nregion = "350583"\nkind = "steel"\nworkers = 100\ndust_workers = 0',
            '[[gateways]]\nid = "GW-01"\nname = "网关"\nname_en = "Gateway"\nsilence_s = 86400',
        ]
        lines += [
            f'[[points]]\nid = "CO-{point:02d}"\nsignal = "STL_CO"\ngateway = "GW-01"\nsilence_s = 86400'
            for point in range(POINTS)
        ]
        (folder / f"plant-{plant:02d}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
