"""InfluxDB line protocol straight from arrays: joined strings, never an object a reading.

    readings,plant=P,point=A,signal=S value=0.351,quality=0i 1763884800000000000
    gateways,plant=P,gateway=GW-01 online=1i,quality=0i 1763884800000000000
    alarms,plant=P,point=A,rule=LL,level=2,event=raised id="…",state="…",…,limit=0.28,value=0.27 1763884801000000000

A server that gets the same line twice keeps one: measurement, tags and time are the identity of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Final

import numpy as np

from ingest.history.series import series_of
from ingest.model.alarm import AlarmEvent
from ingest.model.batch import Batch
from ingest.plants.roster import Roster

# Line protocol has no way to write a newline or a closing backslash in a tag. Ids of plants and points hold neither;
# should one ever come, it is altered rather than allowed to break the lines around it.
_UNWRITABLE: Final = str.maketrans("\\\n\r", "___")
_TAG: Final = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
_STRING: Final = str.maketrans({"\\": r"\\", '"': r"\""})


def reading_lines(batch: Batch, roster: Roster) -> list[str]:
    """One line a reading, in order; a reading without a value has its quality alone."""
    heads = _heads_of(roster)
    blank = np.isnan(batch.value)
    lines = [
        f"{heads[point]}quality={flags}i {time}"
        if no_value
        else f"{heads[point]}value={value!r},quality={flags}i {time}"
        for point, time, value, flags, no_value in zip(
            batch.point.tolist(),
            batch.time.tolist(),
            batch.value.tolist(),
            batch.flags.tolist(),
            blank.tolist(),
            strict=True,
        )
    ]
    for at in np.flatnonzero(np.isin(batch.point, list(heads.devices)) & ~blank).tolist():
        online = int(batch.value[at] > 0)
        lines[at] = f"{heads[int(batch.point[at])]}online={online}i,quality={batch.flags[at]}i {batch.time[at]}"
    return lines


def alarm_lines(events: Iterable[AlarmEvent]) -> list[str]:
    """One line an alarm event; the same event always gives the same series and time."""
    return [_alarm_line(event) for event in events]


def _alarm_line(event: AlarmEvent) -> str:
    alarm = event.alarm
    head = _head(
        "alarms",
        {
            "plant": alarm.plant,
            "point": alarm.point,
            "rule": alarm.rule,
            "level": str(alarm.level),
            "event": event.kind,
        },
    )
    texts = {
        "id": str(alarm.id),
        "state": str(alarm.state),
        "title": alarm.title.zh,
        "title_en": alarm.title.en,
        "unit": alarm.unit,
    }
    numbers = {"limit": alarm.limit, "value": alarm.value}
    fields = [f'{name}="{text.translate(_STRING)}"' for name, text in texts.items()]
    fields += [f"{name}={number!r}" for name, number in numbers.items() if number is not None and isfinite(number)]
    return f"{head}{','.join(fields)} {event.time}"


def tag_value(text: str) -> str:
    """The text as a server reads it back from a tag."""
    return text.translate(_UNWRITABLE)


class _Heads(dict[int, str]):
    """Measurement and tags by roster index, escaped once a point. `devices` are those met so far."""

    def __init__(self, roster: Roster) -> None:
        super().__init__()
        self.devices: set[int] = set()
        self._roster = roster

    def __missing__(self, index: int) -> str:
        series = series_of(self._roster, index)
        if series.is_device:
            self.devices.add(index)
            head = _head("gateways", {"plant": series.plant, "gateway": series.point})
        else:
            head = _head("readings", {"plant": series.plant, "point": series.point, "signal": series.signal})
        self[index] = head
        return head


@lru_cache(maxsize=1)
def _heads_of(roster: Roster) -> _Heads:
    return _Heads(roster)


def _head(measurement: str, tags: Mapping[str, str]) -> str:
    return (
        ",".join([measurement, *(f"{name}={tag_value(value).translate(_TAG)}" for name, value in tags.items())]) + " "
    )
