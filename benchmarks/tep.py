"""How well a group detector does on the Tennessee Eastman process.

Everything, the limit too, is learnt from the normal run `d00.dat`; the normal test run gives the false alarms, and
every `dNN_te.dat` a fault that begins at sample 161. The detection rate is the share of samples from there on that are
alarmed, averaged over faults; 3, 9 and 15 change nothing that the sensors show (Chiang, Russell & Braatz 2001) and are
listed but left out of it, as everywhere in the literature. The setting is the usual one of the kind, as a plant gets
it; what was chosen in it was chosen on one half of the faults (`benchmarks.halves`).

`python -m benchmarks.tep --data DIR --json`
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.folders import command
from benchmarks.halves import HALVES, by_half
from benchmarks.outcome import Outcome, outcome
from benchmarks.recordings import KEY, Alarmed, alarmed, bank_of
from detectors import Bank
from detectors.kinds.mahalanobis import USUAL

SAMPLE_MIN: Final = 3.0
FAULT_FROM: Final = 160
VARIABLES: Final = 52
NOT_SEEN: Final = frozenset({"d03", "d09", "d15"})
# the usual setting; one vector in three minutes
PARAM: Final[Mapping[str, float]] = {**USUAL, "train": 500.0, "fresh_s": 360.0, "gap_s": 3600.0}
# components that keep nine tenths of the variance, no averaging
PCA: Final[Mapping[str, float]] = {
    "train": 500.0,
    "share": 0.9,
    "quantile": 0.99,
    "smoothing": 1.0,
    "fresh_s": 360.0,
}

Runs = dict[str, NDArray[np.float64]]


def run(path: Path) -> NDArray[np.float64]:
    """float64[n, 52] of one file, which may lie on its side, as `d00.dat` does."""
    values = np.loadtxt(path, ndmin=2)
    return values if values.shape[1] == VARIABLES else np.ascontiguousarray(values.T)


def runs(data: Path) -> tuple[NDArray[np.float64], NDArray[np.float64], Runs]:
    """The normal run, the normal test run, and the faulty test runs by name."""
    faults = {path.stem.removesuffix("_te"): path for path in sorted(data.glob("d[0-9][0-9]_te.dat"))}
    normal = faults.pop("d00", None)
    if normal is None or not faults or not (data / "d00.dat").exists():
        raise FileNotFoundError(f"{data}: expected d00.dat, d00_te.dat and at least one dNN_te.dat")
    return run(data / "d00.dat"), run(normal), {name: run(path) for name, path in faults.items()}


def learnt(training: NDArray[np.float64], kind: str = "mahalanobis", param: Mapping[str, float] = PARAM) -> Bank:
    """A bank with one rule on all variables, taught by the normal run."""
    bank = bank_of(kind, training.shape[1], param)
    bank.teach(kind, KEY, training)
    return bank


def watched(taught: Bank, rows: NDArray[np.float64]) -> Alarmed:
    """bool[n], whether the alarm stands at each sample of a run that begins in the normal state."""
    return alarmed(deepcopy(taught), np.arange(len(rows), dtype=np.float64) * (SAMPLE_MIN * 60), rows)


def limit(taught: Bank) -> float:
    """The distance that was learnt to be the limit."""
    (detector,) = taught.detectors()
    return float(detector.state().arrays["limit"][0])


def plain_limit(training: NDArray[np.float64], rows: NDArray[np.float64]) -> Alarmed:
    """bool[n], whether any variable is more than three standard deviations from its mean in training."""
    far_off = np.abs(rows - training.mean(axis=0)) > 3 * training.std(axis=0)
    anywhere: NDArray[np.bool_] = far_off.max(axis=1)
    return anywhere


def rates(normal: Alarmed, faults: dict[str, Alarmed]) -> dict[str, float | None]:
    """Mean detection rate over the faults that can be seen, over all, and the share of the normal run alarmed."""
    found = {name: float(alarm[FAULT_FROM:].mean()) for name, alarm in faults.items()}
    seen = [rate for name, rate in found.items() if name not in NOT_SEEN]
    return {
        "detection_rate": round(float(np.mean(seen)), 4) if seen else None,
        "detection_rate_all_faults": round(float(np.mean(list(found.values()))), 4),
        "false_alarm_rate": round(float(normal.mean()), 4),
    }


def fault_figures(alarm: Alarmed) -> dict[str, float | None]:
    """Of one fault: share of samples alarmed, minutes until the first of them, share alarmed before the fault."""
    hits = np.flatnonzero(alarm[FAULT_FROM:])
    return {
        "detection_rate": round(float(alarm[FAULT_FROM:].mean()), 4),
        "delay_min": float(hits[0]) * SAMPLE_MIN if len(hits) else None,
        "false_alarm_rate_before": round(float(alarm[:FAULT_FROM].mean()), 4),
    }


def compared(alarm: Alarmed, fault: bool) -> Outcome:  # noqa: FBT001 - the truth of a whole run
    """One run as a control room sees it."""
    sample = np.arange(len(alarm), dtype=np.float64)
    return outcome(sample * (SAMPLE_MIN * 60), (sample >= FAULT_FROM) & fault, alarm)


def measure(data: Path) -> dict[str, Any]:
    """All figures over the runs in a folder."""
    training, normal, faults = runs(data)
    bank = learnt(training)
    quiet, alarms = watched(bank, normal), {name: watched(bank, rows) for name, rows in faults.items()}
    models = [learnt(training, kind, PCA) for kind in ("t2", "spe")]
    pca = {name: np.any([watched(model, rows) for model in models], axis=0) for name, rows in faults.items()}
    pca_quiet = np.any([watched(model, normal) for model in models], axis=0)
    plain = {name: plain_limit(training, rows) for name, rows in faults.items()}
    always = {name: np.ones_like(alarm) for name, alarm in alarms.items()}
    seen = compared(quiet, fault=False)
    for name in alarms.keys() - NOT_SEEN:
        seen += compared(alarms[name], fault=True)
    return {
        **rates(quiet, alarms),
        **by_half(((name, (name, alarm)) for name, alarm in alarms.items()), lambda half: rates(quiet, dict(half))),
        "faults": {name: fault_figures(alarm) for name, alarm in alarms.items()},
        "always_alarm": rates(np.ones_like(quiet), always),
        "plain_limit": rates(plain_limit(training, normal), plain),
        "pca": rates(pca_quiet, pca),
        **seen.figures(),
        "limit": round(limit(bank), 4),
    }


def _table(figures: Mapping[str, Any]) -> None:
    print(f"{'':16}{'detected':>10}{'delay min':>12}")
    for name, line in figures["faults"].items():
        delay = "never" if line["delay_min"] is None else f"{line['delay_min']:.0f}"
        print(f"{name:16}{line['detection_rate']:10.3f}{delay:>12}")
    print(f"{'':16}{'detected':>10}{'false alarms':>14}")
    for name, line in {
        "all": figures,
        **{half: figures[half] for half in HALVES if figures[half]},
        **{name: figures[name] for name in ("always_alarm", "plain_limit", "pca")},
    }.items():
        print(f"{name:16}{line['detection_rate'] or 0:10.3f}{line['false_alarm_rate']:14.4f}")
    print(*(f"{name} {figures[name]}" for name in Outcome().figures()), sep=", ")


def main() -> int:
    """Print the figures, as a table or as JSON."""
    return command("tep", __doc__, "d00.dat and the dNN_te.dat", measure, _table)


if __name__ == "__main__":
    sys.exit(main())
