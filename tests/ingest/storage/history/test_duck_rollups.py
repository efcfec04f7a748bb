"""Rollups in the DuckDB file: every trend equals that of the readings, whatever was rolled up when."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.batch import Batch, concat
from ingest.storage.history.bucket_edges import DAY, HOUR, MINUTE, floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.duck_offline import reading, wrong_rollups
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.made_up import NOON, PLANT, SECOND, batch, configuration

NAMES = ("CW-01", "CW-02", "T-01")


@dataclass
class Model:
    """What was written, as the promise of `write_readings` has it: writes by their first entry, and what came again."""

    writes: list[tuple[int, Batch]] = field(default_factory=list)
    again: dict[tuple[int, int], float] = field(default_factory=dict)

    def write(self, first_entry: int, readings: Batch) -> None:
        self.writes = [write_ for write_ in self.writes if write_[0] < first_entry]
        self.writes.append((first_entry, readings))

    def write_again(self, readings: Batch) -> None:
        of = set(zip(readings.point.tolist(), readings.time.tolist(), strict=True))
        self.writes = [
            (
                entry,
                write_.take(
                    np.flatnonzero(
                        [pair not in of for pair in zip(write_.point.tolist(), write_.time.tolist(), strict=True)]
                    )
                ),
            )
            for entry, write_ in self.writes
        ]
        self.again |= {
            (point, time): value
            for point, time, value in zip(
                readings.point.tolist(), readings.time.tolist(), readings.value.tolist(), strict=True
            )
        }

    def trend(self, query: TrendQuery) -> dict[int, tuple[float, float, float, int]]:
        """Plain loops over the readings."""
        index = NAMES.index(query.point)
        kept = [
            (p, t, v)
            for _, write_ in self.writes
            for p, t, v in zip(write_.point.tolist(), write_.time.tolist(), write_.value.tolist(), strict=True)
        ]
        kept += [(*key, value) for key, value in self.again.items()]
        found: dict[int, list[float]] = {}
        for point, time, value in kept:
            if point == index and query.start <= time < query.end:
                found.setdefault((time - query.first) // query.width, []).append(value)
        rows = {}
        for bucket, values in sorted(found.items()):
            real = [value for value in values if not math.isnan(value)]
            figures = (min(real), sum(real) / len(real), max(real)) if real else (np.nan,) * 3
            rows[query.first + bucket * query.width] = (*figures, len(values))
        return rows


def check(store: DuckDBStore, model: Model, queries: Sequence[TrendQuery]) -> None:
    """Compare the store's trends with the model's."""
    for query, found in zip(queries, store.trends(queries), strict=True):
        expected = model.trend(query)
        assert found.time.tolist() == list(expected)
        for at, name in enumerate(("low", "mean", "high", "count")):
            np.testing.assert_allclose(getattr(found, name), [row[at] for row in expected.values()], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_trend_is_the_same_whatever_came_late_or_again_and_was_rolled_up_when(seed: int, tmp_path: Path) -> None:
    """Late readings, repeated writes with other bounds, what was refused once, restarts and steps, in any order."""
    chance = random.Random(seed)  # noqa: S311
    config = DuckDBConfig(path=tmp_path / "h.duckdb")
    store, model = DuckDBStore(config), Model()
    entry, now = 1, NOON + 6 * HOUR  # two hours before a midnight of the plant
    for _ in range(45):
        match chance.choice(["write", "write", "late", "repeat", "again", "step", "step", "step", "restart"]):
            case "write":
                now += chance.choice([7 * SECOND, 20 * MINUTE, 3 * HOUR, 13 * HOUR])
                readings = some(chance, now, 5 * MINUTE)
            case "late":
                readings = some(chance, now, chance.choice([9 * HOUR, 40 * HOUR]))
            case "repeat" if model.writes:
                at = max(0, len(model.writes) - chance.randint(1, 3))
                entry, readings = model.writes[at]
                if at + 1 < len(model.writes) and chance.random() < 0.5:
                    readings = concat([readings, model.writes[at + 1][1]])
                if not len(readings):
                    continue
            case "again":
                readings = some(chance, now, 6 * HOUR)
                model.write_again(readings)
                store.write_readings(readings, configuration(), None)
                continue
            case "restart":
                store.close()
                store = DuckDBStore(config)
                continue
            case _:
                store._upkeep.step(now)
                continue
        model.write(entry, readings)
        store.write_readings(readings, configuration(), entry)
        entry += 1
        check(store, model, some_queries(chance, now))
    while store._upkeep.step(now):
        check(store, model, some_queries(chance, now))
    assert store._upkeep.at.days_to == floor_to(store._upkeep.at.rolled_to, DAY) > NOON
    store.close()
    with reading(config) as db:
        assert list(wrong_rollups(db, lambda _: None)) == []


def some(chance: random.Random, now: int, late: int) -> Batch:
    """A few readings of up to so long ago, some without a value; each write has a receive time of its own."""
    n = chance.randint(1, 30)
    times = [now - chance.randrange(late) // SECOND * SECOND for _ in range(n)]
    pairs = sorted({(time, chance.randrange(3)) for time in times})
    values = [np.nan if chance.random() < 0.1 else chance.randrange(1000) / 8 for _ in pairs]
    points, times = [point for _, point in pairs], [time for time, _ in pairs]
    return batch(points, times, values, received=now + chance.randrange(SECOND))


def some_queries(chance: random.Random, now: int) -> list[TrendQuery]:
    """Of an hour to forty days, in few and in many buckets, most with ends at no whole minute."""
    spans = [(now // HOUR * HOUR + HOUR - DAY, DAY, 24), (now - HOUR + 1, HOUR, 60)]
    for longest in (12 * HOUR, 3 * DAY, 40 * DAY):
        span = chance.randrange(HOUR, longest)
        spans.append((now + chance.randrange(HOUR) - span, span, chance.choice([1, 7, 120, 240])))
    return [TrendQuery(PLANT, chance.choice(NAMES), start, start + span, buckets) for start, span, buckets in spans]
