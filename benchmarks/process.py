"""How detectors do on processes that change by themselves: a flow rig, a water network, a boiler.

- `cranfield`: a multiphase flow rig once a second, whose operating points are changed while it is healthy. A group of
  all sensors learns from the first `RIG_LESSON` rows of each file.
- `batadal`: a water network, hourly. The group learns from the first half of a file without attacks; the rest of it,
  and others like it, are healthy time (`year`). Every file with attacks is judged by the same model.
- `boiler`: single signals; the kind `surprise`, which learns without end. Its first readings are not judged.

Counted are labelled events in which the alarm stood (`event_recall`) or began (`raised_recall`: one that stands already
tells nothing new), alarms that begin in healthy time, and the share of that time in which one stands. Rows without a
label count for neither. Settings are the usual ones of the kinds. Files of the flow rig are halved by their names, the
others by their events, each with the healthy time before it (`benchmarks.halves`).

`python -m benchmarks.process --data DIR --json`; DIR holds one or more of the folders, or is one of them with `--set`
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.folders import of_set
from benchmarks.halves import by_half
from benchmarks.outcome import Outcome, begun, outcome
from benchmarks.process_records import Flags, Floats, Recording, recordings
from benchmarks.recordings import KEY, alarmed, bank_of
from detectors.kinds import surprise
from detectors.kinds.mahalanobis import USUAL

RIG_LESSON: Final = 300
ROLLING: Final = 100
"""Readings of the rolling mean and deviation, the plain answer to processes that move."""
WEEK_D: Final = 7.0
# components that keep nine tenths of the variance, no averaging
PCA: Final[Mapping[str, float]] = {"share": 0.9, "quantile": 0.99, "smoothing": 1.0}

Part = tuple[str, Recording, Flags, slice]
"""Name, recording, whether its alarm is active (bool[n]), and the rows that count."""
Alarms = Callable[[Recording], Flags]


@dataclass(frozen=True, slots=True)
class Seen:
    """Counts that add up over recordings: events, how many had an alarm begin in them, and rows without an event."""

    events: Outcome = field(default_factory=Outcome)
    raised: int = 0
    healthy: int = 0
    alarmed: int = 0
    healthy_s: float = 0.0

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.events + other.events,
            self.raised + other.raised,
            self.healthy + other.healthy,
            self.alarmed + other.alarmed,
            self.healthy_s + other.healthy_s,
        )

    def figures(self) -> dict[str, float | None]:
        """As reported; None where there is nothing to divide by."""
        events, false, weeks = self.events.events, self.events.false_alarms, self.healthy_s / (WEEK_D * 86_400)
        figures = self.events.figures()
        return {
            "events": events,
            "event_recall": figures["event_recall"],
            "raised_recall": round(self.raised / events, 4) if events else None,
            "median_delay_s": figures["median_delay_s"],
            "false_alarms": false,
            "false_alarms_a_week": round(false / weeks, 3) if weeks else None,
            "healthy_h": round(self.healthy_s / 3600, 2),
            "healthy_time_in_alarm": round(self.alarmed / self.healthy, 4) if self.healthy else None,
        }


def seen(part: Part) -> Seen:
    """Compare the alarm of a part of a recording with its labels."""
    _, recording, alarm, rows = part
    time, truth, healthy = recording.time_s, recording.truth[rows], (~recording.truth & recording.labelled)[rows]
    raised = begun(alarm)[rows]
    event = np.cumsum(begun(truth))
    lasting = np.minimum(np.diff(time, append=time[-1:]), np.median(np.diff(time)) * 2)[rows]  # a gap is not watched
    return Seen(
        outcome(time[rows], truth, alarm[rows], raised & healthy),
        len(np.unique(event[raised & truth])),
        int(healthy.sum()),
        int((alarm[rows] & healthy).sum()),
        float(lasting[healthy].sum()),
    )


def by_event(recording: Recording, alarm: Flags, start: int) -> list[Part]:
    """Cut a recording from row `start` into its events, each with the time before it; what is left is with the last."""
    truth = np.append(recording.truth, False)
    ends = 1 + np.flatnonzero(truth[:-1] & ~truth[1:])
    cuts = [start, *ends[ends > start][:-1].tolist(), len(recording.truth)]
    return [(f"{recording.name}-{at + 1}", recording, alarm, slice(*cuts[at : at + 2])) for at in range(len(cuts) - 1)]


def rolling(rows: Floats) -> Flags:
    """bool[n], whether any sensor is more than three deviations from the mean of the `ROLLING` readings before."""
    known = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
    windows = np.lib.stride_tricks.sliding_window_view(known, ROLLING, axis=0)[:-1]
    far_off = np.abs(known[ROLLING:] - windows.mean(axis=2)) > 3 * windows.std(axis=2)
    return np.append(np.zeros(ROLLING, bool), far_off.any(axis=1))


def plain_limit(rows: Floats, lesson: Floats) -> Flags:
    """bool[n], whether any sensor is more than three deviations from its mean in the lesson."""
    return np.asarray((np.abs(rows - lesson.mean(axis=0)) > 3 * lesson.std(axis=0)).any(axis=1))


def cranfield(data: Path) -> dict[str, Any]:
    """Figures of the flow rig, by all, half and file, and what simpler answers get."""
    runs = recordings(data, "t_s", "fault")
    times = {"train": float(RIG_LESSON), "fresh_s": 60.0}

    def group(kind: str, param: Mapping[str, float]) -> Alarms:
        return lambda run: alarmed(bank_of(kind, run.rows.shape[1], {**param, **times}), run.time_s, run.rows)

    def parts(alarms: Alarms) -> list[Part]:
        return [(run.name, run, alarms(run), slice(RIG_LESSON, None)) for run in runs]

    ours = parts(group("mahalanobis", {**USUAL, "gap_s": 60.0}))
    t2, spe = (group(kind, PCA) for kind in ("t2", "spe"))
    return {
        **_figures(ours),
        "pca": _all(parts(lambda run: t2(run) | spe(run))),
        "rolling_z": _all(parts(lambda run: rolling(run.rows))),
        "plain_limit": _all(parts(lambda run: plain_limit(run.rows, run.rows[:RIG_LESSON]))),
        "files": {part[0]: seen(part).figures() for part in ours},
    }


def batadal(data: Path) -> dict[str, Any]:
    """Figures of the water network; `year` is the healthy time after the lesson."""
    runs = recordings(data, "DATETIME", "ATT_FLAG")
    quiet, attacked = ([run for run in runs if run.truth.any() == attacks] for attacks in (False, True))
    if not quiet or not attacked:
        raise FileNotFoundError(f"{data}: expected one recording without attacks at least, and one with attacks")
    least = len(quiet[0].rows) // 2
    times = {"fresh_s": 7_200.0}

    def group(kind: str, param: Mapping[str, float]) -> Alarms:
        bank = bank_of(kind, quiet[0].rows.shape[1], {**param, **times, "train": float(least)})
        bank.teach(kind, KEY, quiet[0].rows[:least])
        return lambda run: alarmed(deepcopy(bank), run.time_s, run.rows)

    def parts(alarms: Alarms) -> list[Part]:
        cut = [by_event(run, alarms(run), 0) for run in attacked]
        return [part for parts in cut for part in parts]

    def healthy(alarms: Alarms) -> dict[str, float | None]:
        rest = [least if run is quiet[0] else 0 for run in quiet]
        later = [_from(run, start) for run, start in zip(quiet, rest, strict=True)]
        return _all([(run.name, run, alarms(run), slice(None)) for run in later])

    ours = group("mahalanobis", {**USUAL, "gap_s": 72_000.0})
    t2, spe = (group(kind, PCA) for kind in ("t2", "spe"))
    cut = parts(ours)
    return {
        **_figures(cut),
        "year": healthy(ours),
        "pca": _all(parts(lambda run: t2(run) | spe(run))),
        "rolling_z": _all(parts(lambda run: rolling(run.rows))),
        "plain_limit": _all(parts(lambda run: plain_limit(run.rows, quiet[0].rows[:least]))),
        "attacks": {part[0]: seen(part).figures() for part in cut},
    }


def boiler(data: Path) -> dict[str, Any]:
    """Figures of single signals, by all, half and file."""
    runs = recordings(data, "time", "anomaly")
    warm_up = int(surprise.USUAL["least"])

    def parts(alarms: Alarms) -> list[Part]:
        return [part for run in runs for part in by_event(run, alarms(run), warm_up)]

    def rare(run: Recording) -> Flags:
        return alarmed(bank_of("surprise", 1, surprise.USUAL, 0.5), run.time_s, run.rows[:, :1])

    ours = parts(rare)
    return {
        **_figures(ours),
        "rolling_z": _all(parts(lambda run: rolling(run.rows))),
        "plain_limit": _all(parts(lambda run: plain_limit(run.rows, run.rows[: len(run.rows) // 10]))),
        "files": {run.name: _all([part for part in ours if part[1] is run]) for run in runs},
    }


SETS: Final[Mapping[str, Callable[[Path], dict[str, Any]]]] = {
    "cranfield": cranfield,
    "batadal": batadal,
    "boiler": boiler,
}


def measure(data: Path, names: Iterable[str] = SETS) -> dict[str, Any]:
    """The figures of these sets; None for one that is not there. Raises FileNotFoundError where none is."""
    found: dict[str, Any] = {}
    absent: list[str] = []
    for name in names:
        try:
            found[name] = SETS[name](of_set(data, name))
        except FileNotFoundError as missing:
            found[name] = None
            absent.append(str(missing))
    if not any(found.values()):
        raise FileNotFoundError("\n".join(absent))
    return found


def _from(run: Recording, start: int) -> Recording:
    return Recording(run.name, run.time_s[start:], run.rows[start:], run.truth[start:], run.labelled[start:])


def _all(parts: Iterable[Part]) -> dict[str, float | None]:
    return sum((seen(part) for part in parts), Seen()).figures()


def _figures(parts: list[Part]) -> dict[str, Any]:
    return {**_all(parts), **by_half(((part[0], part) for part in parts), _all)}


def main() -> int:
    """Print the figures; 2 = there is no data."""
    parser = argparse.ArgumentParser(prog="benchmarks.process", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {', '.join(SETS)}, or one of them")
    parser.add_argument("--set", choices=SETS, help="only this one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    try:
        figures = measure(asked.data, [asked.set] if asked.set else SETS)
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, of_it in figures.items():
            _table(name, of_it)
    return 0


def _table(name: str, figures: Mapping[str, Any] | None) -> None:
    if figures is None:
        print(f"{name}: not there")
        return
    lines = {"all": figures, **{key: line for key, line in figures.items() if isinstance(line, dict)}}
    print(f"{name:24}{'recall':>8}{'raised':>8}{'false':>8}{'in alarm':>10}{'healthy h':>11}")
    for key, line in lines.items():
        if "events" in line:
            shown = (line["event_recall"], line["raised_recall"], line["false_alarms"], line["healthy_time_in_alarm"])
            recall, raised, false, share = (0.0 if value is None else value for value in shown)
            print(f"{key:24}{recall:8.3f}{raised:8.3f}{false:8}{share:10.4f}{line['healthy_h']:11.2f}")


if __name__ == "__main__":
    sys.exit(main())
