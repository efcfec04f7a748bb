"""How well one univariate detector does on the Numenta Anomaly Benchmark, beside simple ones.

The folder is laid out as NAB's `data/` with `combined_windows.json` in it (or in `labels/` beside it); of the files the
labels name, those that are there are used. NAB's threshold, one for the corpus, is chosen on the very labels it is
scored by. So is ours, and `at_half` says what the fixed threshold 0.5 gives. `tune` and `judge` are the halves of the
files (`benchmarks.halves`), both at the threshold of the first, and at the fixed one. Always alarming and plain limits
have no threshold to choose and are scored as they stand. Windows begin well before what they label; delays count from
there.

Our detector is the kind `surprise` of `detectors`: one rule on one point a file, all with the same parameters.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.folders import of_set
from benchmarks.halves import HALVES, by_half, half
from benchmarks.nab_baselines import always_alarm, plain_limit, windowed_gaussian
from benchmarks.nab_score import OUTSIDE, PROFILES, Marked, Weights, mark, points_at, probation, score_at, sweep
from benchmarks.outcome import Outcome, outcome
from detectors import NO_GATE, GateTable, Readings, RuleTable
from detectors.examples import scores as scores_of
from detectors.kinds.surprise import USUAL

Floats = NDArray[np.float64]

DETECTOR: Final = "yujing"
LABELS: Final = "combined_windows.json"
HALF: Final = 0.5
_STANDARD: Final = PROFILES["standard"]


class DataMissing(Exception):
    """The benchmark's folder, its labels or all of its recordings are not there."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One file.

    Attributes:
        name: its path under the data folder, the key of the labels.
        stamp: the times as written.
        time_ns: int64[n].
        value: float64[n].
        marked: what its rows are worth.
    """

    name: str
    stamp: tuple[str, ...]
    time_ns: NDArray[np.int64]
    value: Floats
    marked: Marked


def _ns(stamps: list[str]) -> NDArray[np.int64]:
    return np.array([stamp.split(".")[0] for stamp in stamps], "datetime64[ns]").astype(np.int64)


def _row(times: NDArray[np.int64], at: np.int64, *, first: bool) -> int:
    """The row of that very time, else the nearest one inside the window."""
    exact = np.flatnonzero(times == at)
    if len(exact):
        return int(exact[0])
    return int(np.searchsorted(times, at, "left" if first else "right")) - (0 if first else 1)


def read(path: Path, name: str, windows: list[list[str]]) -> Recording:
    """One recording of the corpus with its windows."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    stamp = tuple(row["timestamp"] for row in rows)
    time_ns = _ns(list(stamp))
    edges = [_ns(window) for window in sorted(windows)]
    places = [(_row(time_ns, edge[0], first=True), _row(time_ns, edge[1], first=False)) for edge in edges]
    value = np.array([float(row["value"]) for row in rows])
    return Recording(name, stamp, time_ns, value, mark(len(rows), places))


def corpus(data: Path) -> list[Recording]:
    """Every recording that is labelled and present, by name. Raises `DataMissing`."""
    found = [
        path for path in (data / LABELS, data / "labels" / LABELS, data.parent / "labels" / LABELS) if path.is_file()
    ]
    if not found:
        raise DataMissing(f"{data}: no {LABELS} there; expected NAB's data folder with its labels")
    windows: dict[str, list[list[str]]] = json.loads(found[0].read_text(encoding="utf-8"))
    places = {name: path for name in sorted(windows) for path in (data / name, data / "data" / name) if path.is_file()}
    if not places:
        raise DataMissing(f"{data}: none of the {len(windows)} recordings named in {found[0]} is there")
    return [read(path, name, windows[name]) for name, path in places.items()]


def rules(points: int) -> RuleTable:
    """One rule a point, which trips at 0.5."""
    each, none, half = np.arange(points, dtype=np.int32), np.zeros(points, np.int64), np.full(points, HALF)
    gate = GateTable(np.full(points, NO_GATE, np.int32), np.zeros(points, np.int8), np.zeros(points))
    param = {name: np.full(points, value) for name, value in USUAL.items()}
    return RuleTable(tuple(map(str, each)), each, each, half, half, none, none, gate, param)


def readings(recordings: list[Recording]) -> Readings:
    """Every row of every file, a point each file.

    A row stands for a reading, also where its stamp says otherwise (repeated, or set back by an hour in autumn): it is
    then a nanosecond later than the one before.
    """
    point = np.repeat(np.arange(len(recordings), dtype=np.int32), [len(recording.value) for recording in recordings])
    rows = [np.arange(len(recording.value)) for recording in recordings]
    later = [
        np.maximum.accumulate(recording.time_ns - row) + row for recording, row in zip(recordings, rows, strict=True)
    ]
    time = np.concatenate(later)
    return Readings(point, time, np.concatenate([recording.value for recording in recordings]), time, point)


def score_all(recordings: list[Recording]) -> list[Floats]:
    """The score of every row of every file, in [0, 1); 0 while nothing can be judged."""
    return [np.nan_to_num(score) for score in scores_of("surprise", rules(len(recordings)), readings(recordings))]


def _scores_by_profile(files: list[tuple[Marked, Floats]], threshold: float | None = None) -> dict[str, float]:
    def score_with(weights: Weights) -> float:
        scored = sweep(files, weights) if threshold is None else score_at(files, threshold, weights)
        return round(scored.normalised, 2)

    return {name: score_with(weights) for name, weights in PROFILES.items()}


def _watched(recording: Recording, scores: Floats, threshold: float) -> Outcome:
    """What an operator saw of the rows behind the probation."""
    keep = recording.marked.counts
    return outcome(recording.time_ns[keep] / 1e9, recording.marked.window[keep] != OUTSIDE, scores[keep] >= threshold)


def _detail(recording: Recording, scores: Floats, threshold: float) -> dict[str, Any]:
    watched = _watched(recording, scores, threshold)
    return {
        "rows": len(scores),
        "windows": recording.marked.windows,
        "found": watched.found,
        "false_alarms": watched.false_alarms,
        "points": round(points_at(recording.marked, scores, threshold, _STANDARD), 3),
    }


def write(out: Path, recording: Recording, scores: Floats) -> None:
    """`<out>/<detector>/<category>/<detector>_<file>.csv`, as NAB's scorer reads it."""
    category, _, name = recording.name.rpartition("/")
    folder = out / DETECTOR / category
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{DETECTOR}_{name}").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(("timestamp", "value", "anomaly_score", "label"))
        label = (recording.marked.window != OUTSIDE).astype(int).tolist()
        table.writerows(zip(recording.stamp, recording.value.tolist(), scores.tolist(), label, strict=True))


def measure(data: Path, out: Path | None = None) -> dict[str, Any]:
    """All figures. Raises `DataMissing`.

    Args:
        data: NAB's data folder.
        out: where to write the scores of every row, if anywhere.
    """
    recordings = corpus(data)
    marked = [recording.marked for recording in recordings]
    scores = score_all(recordings)
    ours = list(zip(marked, scores, strict=True))
    gaussian = [(recording.marked, windowed_gaussian(recording.value)) for recording in recordings]
    limit = [
        (recording.marked, plain_limit(recording.value, probation(len(recording.value)))) for recording in recordings
    ]
    always = [(recording.marked, always_alarm(recording.value)) for recording in recordings]
    thresholds = {name: sweep(ours, weights).threshold for name, weights in PROFILES.items()}
    pairs = list(zip(recordings, scores, strict=True))
    seen = sum((_watched(recording, score, thresholds["standard"]) for recording, score in pairs), Outcome())
    if out is not None:
        for series, score in pairs:
            write(out, series, score)
    return {
        **_scores_by_profile(ours),
        **seen.figures(),
        "at_half": _scores_by_profile(ours, HALF),
        **_by_half(pairs),
        "windowed_gaussian": _scores_by_profile(gaussian),
        "plain_limit": _scores_by_profile(limit, 1.0),
        "always_alarm": _scores_by_profile(always, 1.0),
        "thresholds": thresholds,
        "files": len(recordings),
        "windows": sum(marks.windows for marks in marked),
        "by_file": {recording.name: _detail(recording, score, thresholds["standard"]) for recording, score in pairs},
    }


def _by_half(pairs: list[tuple[Recording, Floats]]) -> dict[str, Any]:
    """Both halves by the threshold of the first, and by the fixed one."""
    files = [(recording.name, (recording.marked, scores)) for recording, scores in pairs]
    tuned = [scored for name, scored in files if half(name) == HALVES[0]]
    thresholds = {"standard": sweep(tuned, _STANDARD).threshold if tuned else HALF, "at_half": HALF}
    return by_half(
        files,
        lambda of: {name: round(score_at(of, at, _STANDARD).normalised, 2) for name, at in thresholds.items()},
    )


def main(arguments: list[str] | None = None) -> int:
    """The command; 2 = there is no data."""
    parser = argparse.ArgumentParser(prog="benchmarks.nab", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="NAB's data folder")
    parser.add_argument("--out", type=Path, help="write every row's score here, as NAB's scorer reads them")
    parser.add_argument("--json", action="store_true", help="print every figure, not the summary")
    asked = parser.parse_args(arguments)
    try:
        figures = measure(of_set(asked.data, "nab"), asked.out)
    except DataMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        print(", ".join(f"{name} {figures[name]}" for name in (*PROFILES, "files", "windows")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
