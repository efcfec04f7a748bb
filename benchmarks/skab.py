"""How well a group detector does on SKAB, a water loop with eight sensors.

The official split: the first 400 rows of every recording train, without labels; the rest is judged row by row, pooled
over all recordings, nothing adjusted. The setting is the usual one of the kind, as a plant gets it; what was chosen in
it was chosen on one half of the recordings (`benchmarks.halves`). F1 alone says nothing here, since an alarm that never
ends scores high: read it with the share of normal rows alarmed (FAR) and of anomalous rows missed (MAR).

`python -m benchmarks.skab --data DIR --json`
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.folders import command
from benchmarks.halves import HALVES, by_half
from benchmarks.outcome import Outcome, outcome
from benchmarks.recordings import alarmed, bank_of
from detectors.kinds.mahalanobis import USUAL

TRAINING_ROWS: Final = 400
NOT_SENSORS: Final = ("datetime", "anomaly", "changepoint")
# the usual setting; one vector a second
PARAM: Final[Mapping[str, float]] = {**USUAL, "train": TRAINING_ROWS, "fresh_s": 60.0, "gap_s": 60.0}
# components that keep nine tenths of the variance, no averaging
PCA: Final[Mapping[str, float]] = {
    "train": TRAINING_ROWS,
    "share": 0.9,
    "quantile": 0.99,
    "smoothing": 1.0,
    "fresh_s": 60.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One file: float64[n] seconds, float64[n, d] readings, bool[n] truth."""

    time_s: NDArray[np.float64]
    rows: NDArray[np.float64]
    truth: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counted rows."""

    hit: int = 0
    false: int = 0
    missed: int = 0
    quiet: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.hit + other.hit, self.false + other.false, self.missed + other.missed, self.quiet + other.quiet
        )

    def figures(self) -> dict[str, float]:
        """F1, false alarm rate, missed alarm rate; 0 where there is nothing to divide by."""
        return {
            "f1": round(2 * self.hit / max(2 * self.hit + self.false + self.missed, 1), 4),
            "far": round(self.false / max(self.false + self.quiet, 1), 4),
            "mar": round(self.missed / max(self.missed + self.hit, 1), 4),
        }


def confusion(truth: NDArray[np.bool_], alarm: NDArray[np.bool_]) -> Confusion:
    """Compare row by row (bool[n] both)."""
    counts = ((truth & alarm), (~truth & alarm), (truth & ~alarm), (~truth & ~alarm))
    return Confusion(*(int(rows.sum()) for rows in counts))


def recordings(data: Path) -> dict[str, Recording]:
    """Every labelled recording under a folder, by its path; the one free of anomalies has no labels and is left out."""
    paths = sorted(data.glob("*/*.csv"), key=lambda path: (path.parent.name, len(path.stem), path.stem))
    loaded = {path.relative_to(data).as_posix(): _recording(path) for path in paths}
    labelled = {name: recording for name, recording in loaded.items() if recording is not None}
    if not labelled:
        raise FileNotFoundError(f"{data}: no labelled recordings (*/*.csv with a column 'anomaly')")
    return labelled


def _recording(path: Path) -> Recording | None:
    with path.open(newline="") as file:
        table = list(csv.DictReader(file, delimiter=";"))
    if not table or "anomaly" not in table[0]:
        return None
    sensors = [name for name in table[0] if name not in NOT_SENSORS]
    return Recording(
        time_s=np.array([datetime.fromisoformat(row["datetime"] + "+00:00").timestamp() for row in table]),
        rows=np.array([[float(row[name] or "nan") for name in sensors] for row in table]),
        truth=np.array([float(row["anomaly"]) > 0 for row in table]),
    )


def watched(recording: Recording, kind: str = "mahalanobis", param: Mapping[str, float] = PARAM) -> NDArray[np.bool_]:
    """bool[n - 400], whether the alarm of a rule on all sensors stands at each row after the training rows."""
    bank = bank_of(kind, recording.rows.shape[1], param)
    return alarmed(bank, recording.time_s, recording.rows)[TRAINING_ROWS:]


def components(recording: Recording) -> NDArray[np.bool_]:
    """bool[n - 400], whether T2 or SPE of a principal component model is beyond its limit."""
    return watched(recording, "t2", PCA) | watched(recording, "spe", PCA)


def plain_limit(recording: Recording) -> NDArray[np.bool_]:
    """bool[n - 400], whether any sensor is more than three standard deviations from its mean in training."""
    training = recording.rows[:TRAINING_ROWS]
    far_off = np.abs(recording.rows[TRAINING_ROWS:] - training.mean(axis=0)) > 3 * training.std(axis=0)
    anywhere: NDArray[np.bool_] = far_off.max(axis=1)
    return anywhere


def measure(data: Path) -> dict[str, Any]:
    """All figures over the recordings under a folder."""
    total, always, plain, pca, seen = Confusion(), Confusion(), Confusion(), Confusion(), Outcome()
    files: dict[str, Confusion] = {}
    for name, recording in recordings(data).items():
        alarm, truth = watched(recording), recording.truth[TRAINING_ROWS:]
        counted = confusion(truth, alarm)
        files[name] = counted
        total += counted
        always += confusion(truth, np.ones_like(truth))
        plain += confusion(truth, plain_limit(recording))
        pca += confusion(truth, components(recording))
        seen += outcome(recording.time_s[TRAINING_ROWS:], truth, alarm)
    return {
        **total.figures(),
        **by_half(files.items(), lambda half: sum(half, Confusion()).figures()),
        "always_alarm": always.figures(),
        "plain_limit": plain.figures(),
        "pca": pca.figures(),
        **seen.figures(),
        "files": {name: counted.figures() for name, counted in files.items()},
    }


def _table(figures: Mapping[str, Any]) -> None:
    lines = {
        "all": figures,
        **{half: figures[half] for half in HALVES if figures[half]},
        **{name.replace("_", " "): figures[name] for name in ("always_alarm", "plain_limit", "pca")},
    }
    print(f"{'':24}{'F1':>8}{'FAR':>8}{'MAR':>8}")
    for name, line in (lines | figures["files"]).items():
        print(f"{name:24}{line['f1']:8.3f}{line['far']:8.3f}{line['mar']:8.3f}")
    print(*(f"{name} {figures[name]}" for name in Outcome().figures()), sep=", ")


def main() -> int:
    """Print the figures, as a table or as JSON."""
    return command("skab", __doc__, "valve1, valve2, other", measure, _table)


if __name__ == "__main__":
    sys.exit(main())
