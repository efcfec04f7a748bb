"""Records without a fault, public and simulated: what is found in them is false.

A folder of public sets is taken as it is: sets that are missing are left out, and further files of the same shape are
read like those that are known. Of a record with a fault only what is before it counts.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tep import SAMPLE_MIN, run
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import sample_sites

DAY_S: Final = 86_400.0
_NOT_SENSORS: Final = frozenset({"datetime", "timestamp", "time", "t_s", "anomaly", "changepoint", "fault", "att_flag"})
_STAMPS: Final = ("%Y-%m-%d %H:%M:%S", "%d/%m/%y %H")
_BLOCK: Final = 1440
"""Steps a plant is simulated at a time."""


SEEDS: Final[Mapping[float, tuple[int, ...]]] = {60.0: (0, 1, 2, 3), 10.0: (4, 5), 1.0: (6,)}
"""By seconds between readings, under which seeds a sample plant is simulated."""
USUAL_PACES: Final = (60.0, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class HealthyRecord:
    """A file or plant: float64[n] rising seconds, float64[n, d] readings; NaN = none, in no column throughout.

    `plants`: how many plants of d / plants points each are side by side in it.
    """

    name: str
    time_s: NDArray[np.float64]
    rows: NDArray[np.float64]
    plants: int = 1

    @property
    def points(self) -> int:
        """How many points it has."""
        return int(self.rows.shape[1])

    @property
    def step_s(self) -> float:
        """The usual time between two readings of a point."""
        return float(np.median(np.diff(self.time_s)))

    @property
    def days(self) -> float:
        """How long it is."""
        return float(self.time_s[-1] - self.time_s[0]) / DAY_S


def healthy_records(data: Path | None, days: float, paces: Iterable[float] = USUAL_PACES) -> Iterator[HealthyRecord]:
    """Every record under a folder, then so many days of each sample plant, with these seconds between readings.

    Raises:
        FileNotFoundError: the folder holds none of the sets.
        ValueError: a file is of another shape; names it.
    """
    if data is not None:
        files = [(path, read) for pattern, read in _SETS.items() for path in sorted(data.glob(pattern))]
        if not files:
            raise FileNotFoundError(f"{data}: none of {', '.join(_SETS)}")
        for path, read in files:
            record = read(path, path.relative_to(data).as_posix())
            if len(record.time_s) > 1:
                yield record
    if days > 0:
        yield from (_simulated(plant, days, step_s) for step_s in paces for plant in sample_sites())


def _table(path: Path, name: str, delimiter: str = ",", until: str | None = None) -> HealthyRecord:
    """One delimited file, up to the first row in which the column `until` is 1."""
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file, delimiter=delimiter, skipinitialspace=True))
    if not table:
        raise ValueError(f"{path}: empty; expected a header and rows")
    stamp, sensors = next(iter(table[0])), [column for column in table[0] if column.lower() not in _NOT_SENSORS]
    if stamp.lower() not in _NOT_SENSORS or not sensors:
        raise ValueError(f"{path}: columns {', '.join(table[0])}; expected a time, then sensors")
    if until is not None:
        faulty = [at for at, row in enumerate(table) if float(row.get(until) or 0) == 1]
        table = table[: faulty[0]] if faulty else table
    seconds = np.array([_seconds(row[stamp], path) for row in table])
    values = np.array([[float(row[column] or "nan") for column in sensors] for row in table])
    newer = np.ones(len(seconds), bool)
    newer[1:] = seconds[1:] > np.maximum.accumulate(seconds)[:-1]
    known = ~np.isnan(values[newer]).all(axis=0)
    return HealthyRecord(name, seconds[newer], values[newer][:, known])


def _seconds(stamp: str, path: Path) -> float:
    """A time as written, in seconds."""
    for form in _STAMPS:
        try:
            return datetime.strptime(f"{stamp}+0000", f"{form}%z").timestamp()
        except ValueError:
            continue
    try:
        return float(stamp)
    except ValueError:
        expected = ", ".join(_STAMPS)
        raise ValueError(f"{path}: time {stamp!r}; expected seconds, or one of {expected}") from None


def _tennessee(path: Path, name: str) -> HealthyRecord:
    rows = run(path)
    return HealthyRecord(name, np.arange(len(rows), dtype=np.float64) * (SAMPLE_MIN * 60), rows)


def _simulated(plant: str, days: float, step_s: float) -> HealthyRecord:
    """So many days of a sample plant under each seed of a pace, side by side."""
    steps = max(2, round(days * DAY_S / step_s))
    plants = [SimulatedPlant(sample_sites()[plant], seed) for seed in SEEDS[step_s]]
    sizes = [min(_BLOCK, steps - begin) for begin in range(0, steps, _BLOCK)]
    rows = np.concatenate([np.hstack([each.run(size, step_s) for each in plants]) for size in sizes])
    return HealthyRecord(
        f"simulated/{plant}-{step_s:g}s", np.arange(steps, dtype=np.float64) * step_s, rows, len(plants)
    )


_SETS: Final[Mapping[str, Callable[[Path, str], HealthyRecord]]] = {
    "batadal/dataset03*.csv": _table,
    "cranfield/*.csv": partial(_table, until="fault"),
    "skab/anomaly-free/*.csv": partial(_table, delimiter=";"),
    "tep/d00*.dat": _tennessee,
    "nab/artificialNoAnomaly/*.csv": _table,
}
"""How the files of each set are read."""
