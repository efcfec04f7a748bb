"""Rollups by minute and hour in an InfluxDB: the statements that create, repeat and query them. Pure.

They are in retention policies of the same database, under the same measurements and tags, with the fields `low`,
`high`, `sum` and `count` of the values and `blank`, readings without one; so the mean of any span is right, which a
mean of means is not. On 2.x the policies are buckets of their own that are mapped to the database.

The server computes minutes every ten minutes, for the last 30, and hours from minutes every half hour, for the last
three. Hours of readings written later than that are recomputed by the writer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.flags import Flag
from ingest.storage.history.influxql import NO_VALUE, READINGS_ONLY, ROLLED, measurement, quoted
from ingest.storage.history.rollups import Kept, Resolution

POLICIES: Final = {Resolution.MINUTE: "minutes", Resolution.HOUR: "hours"}
"""The retention policy of rollups."""

MINUTES_DAYS: Final = 5 * 365 + 2
"""Rollups by minute are kept for five years, some 6 GB for 300 points; those by hour for ever."""

LATE_NS: Final = 15 * 60 * 10**9
"""Readings written later than this after their time may be missed by the server's own queries."""

SETTLED_NS: Final = 65 * 60 * 10**9
"""The age at which the server's rollups are complete: the minutes of an hour, and then the hour."""

_FLUX_MINUTES: Final = (
    ("value", "", "min", "low"),
    ("value", "", "max", "high"),
    ("value", "", "sum", "sum"),
    ("value", "", "count", "count"),
    (
        "quality",
        f"\n  |> filter(fn: (r) => bitwise.sand(a: r._value, b: {int(Flag.NO_VALUE)}) == {int(Flag.NO_VALUE)})",
        "count",
        "blank",
    ),
)
"""Field, condition, aggregate and the field it becomes."""

_FLUX_HOURS: Final = (
    ("low", "", "min", "low"),
    ("high", "", "max", "high"),
    ("sum", "", "sum", "sum"),
    ("count", "", "sum", "count"),
    ("blank", "", "sum", "blank"),
)
_FROM: Final = f"/^({'|'.join(ROLLED)})$/"
_VALUES: Final = "min(value) AS low, max(value) AS high, sum(value) AS sum, count(value) AS count"
_BLANK: Final = "count(quality) AS blank"
_ROLLED: Final = "min(low) AS low, max(high) AS high, sum(sum) AS sum, sum(count) AS count, sum(blank) AS blank"


def continuous_queries(database: str, policy: str) -> dict[str, str]:
    """The statements that make an InfluxDB 1.x compute rollups of that policy, by the names of the queries."""
    when = {
        Resolution.MINUTE: "RESAMPLE EVERY 10m FOR 30m",
        Resolution.HOUR: "RESAMPLE EVERY 30m FOR 3h",
    }
    named = zip(
        ("yujing_minutes", "yujing_minutes_blank", "yujing_hours"), _rollup_queries(database, policy, ""), strict=True
    )
    return {
        name: f"CREATE CONTINUOUS QUERY {quoted(name)} ON {quoted(database)} {when[resolution]} BEGIN {query} END"
        for name, (resolution, query) in named
    }


def tasks(bucket: str, resolution: Resolution) -> dict[str, str]:
    """The tasks, in Flux, that make an InfluxDB 2.x compute rollups of a bucket, by name.

    One computes them continuously, the other recomputes two days once a day to include late readings. Each aggregate is
    a field of its own; a rollup's time is its start, as in InfluxQL. They need 2.4 or newer (`bitwise`).
    """
    name = f"{bucket}_{POLICIES[resolution]}"
    if resolution is Resolution.MINUTE:
        soon, late = ("every: 10m", "-30m"), ("every: 1d, offset: 1h", "-48h")
    else:
        soon, late = ("every: 30m", "-3h"), ("every: 1d, offset: 3h", "-48h")  # late minutes are complete by then
    return {
        name: _task(bucket, resolution, name, *soon),
        f"{name}_late": _task(bucket, resolution, f"{name}_late", *late),
    }


def _task(bucket: str, resolution: Resolution, task: str, when: str, since: str) -> str:
    """The Flux script of one task."""
    minute = resolution is Resolution.MINUTE
    name = f"{bucket}_{POLICIES[resolution]}"
    source = bucket if minute else f"{bucket}_{POLICIES[Resolution.MINUTE]}"
    width = "1m" if minute else "1h"
    measurements = " or ".join(f'r._measurement == "{measured}"' for measured in ROLLED)
    rolled = "".join(
        f"\nof(field: {_flux(field)}){where}\n"
        f'  |> aggregateWindow(every: {width}, fn: {fn}, timeSrc: "_start", createEmpty: false)\n'
        f'  |> set(key: "_field", value: {_flux(becomes)})\n'
        f"  |> to(bucket: {_flux(name)})\n"
        f"  |> yield(name: {_flux(becomes)})\n"
        for field, where, fn, becomes in (_FLUX_MINUTES if minute else _FLUX_HOURS)
    )
    imports = 'import "date"\nimport "bitwise"\n' if minute else 'import "date"\n'
    return (
        f"{imports}\noption task = {{name: {_flux(task)}, {when}}}\n\n"
        f"since = date.truncate(t: {since}, unit: {width})\n"
        f"of = (field) => from(bucket: {_flux(source)})\n"
        "  |> range(start: since, stop: date.truncate(t: now(), unit: 1m))\n"
        f"  |> filter(fn: (r) => ({measurements}) and r._field == field)\n{rolled}"
    )


def hour_statements(database: str, policy: str, hour: int) -> list[str]:
    """The statements that recompute the rollups of one hour, in order; `hour`: its start, ns since the epoch."""
    span = f"time >= {hour} AND time < {hour + Resolution.HOUR}"
    return [query for _, query in _rollup_queries(database, policy, span)]


def oldest(resolution: Resolution) -> str:
    """The statement that finds the oldest rollup."""
    return f"SELECT count FROM {measurement('readings', POLICIES[resolution])} ORDER BY time ASC LIMIT 1"  # noqa: S608  quoted


def newest(since: int) -> str:
    """The statement that finds the newest rollup by minute of that time or later."""
    place = measurement("readings", POLICIES[Resolution.MINUTE])
    return f"SELECT count FROM {place} WHERE time >= {since} ORDER BY time DESC LIMIT 1"  # noqa: S608  quoted


def coverage_of(first: Callable[[Resolution], int | None], last: int | None, readings: int, now: int) -> Kept:
    """The coverage of an InfluxDB that has rollups.

    Args:
        first: the time of the oldest rollup; None if there is none.
        last: the time of the newest one by minute.
        readings: the time of the oldest reading.
        now: ns since the epoch.
    """
    minutes, hours = first(Resolution.MINUTE), first(Resolution.HOUR)
    if minutes is None or hours is None or last is None:
        return READINGS_ONLY
    # The first may be incomplete: the server began within it.
    return Kept(
        readings=readings,
        minutes=minutes + Resolution.MINUTE,
        hours=hours + Resolution.HOUR,
        rolled_to=min(now - SETTLED_NS, last + Resolution.MINUTE),
    )


def late_hours(times: NDArray[np.int64], now: int) -> set[int]:
    """The hours, by their starts, whose rollups the server may have computed before these readings arrived."""
    hour = int(Resolution.HOUR)
    return {int(at) * hour for at in np.unique(times[times < now - LATE_NS] // hour)}


def _rollup_queries(database: str, policy: str, span: str) -> Sequence[tuple[Resolution, str]]:
    """The queries that compute rollups of readings within that span, in order."""
    source = f"{quoted(database)}.{quoted(policy)}.{_FROM}"
    minutes, hours = (f"{quoted(database)}.{quoted(name)}" for name in POLICIES.values())
    return (
        (
            Resolution.MINUTE,
            f"SELECT {_VALUES} INTO {minutes}.:MEASUREMENT FROM {source}{_where(span)} GROUP BY time(1m), *",  # noqa: S608  quoted
        ),
        (
            Resolution.MINUTE,
            f"SELECT {_BLANK} INTO {minutes}.:MEASUREMENT FROM {source}{_where(NO_VALUE, span)} GROUP BY time(1m), *",  # noqa: S608
        ),
        (
            Resolution.HOUR,
            f"SELECT {_ROLLED} INTO {hours}.:MEASUREMENT FROM {minutes}.{_FROM}{_where(span)} GROUP BY time(1h), *",  # noqa: S608
        ),
    )


def _flux(text: str) -> str:
    """Quote a text as a Flux string."""
    return json.dumps(text, ensure_ascii=False)


def _where(*conditions: str) -> str:
    given = [condition for condition in conditions if condition]
    return f" WHERE {' AND '.join(given)}" if given else ""


def time_of(rows: Iterable[Sequence[Any]]) -> int | None:
    """The time of the first row of an answer, if there is one."""
    return next((int(row[0]) for row in rows), None)
