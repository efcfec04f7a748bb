"""A recorded water loop, made up: three columns that follow one load, with a fault, as a CSV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROWS = 1500
FAULT = range(1100, 1300)
COLUMNS = ("流量", "Pressure (MPa)", "温度")
POINTS = {"流量": "FLOW-01", "Pressure (MPa)": "P-01", "温度": "T-01"}
MAPS = [part for column, point in POINTS.items() for part in ("--map", f"{column}={point}")]


def lines() -> list[str]:
    """The header and the rows, ten seconds apart from 2024-01-03 08:00 on."""
    rng = np.random.default_rng(11)
    load = 5 * np.sin(np.arange(ROWS) / 60) + rng.normal(0, 0.3, ROWS)
    values = np.array([32 + load, 0.35 + 0.01 * load, 70 - load]).T + rng.normal(0, [0.1, 0.002, 0.1], (ROWS, 3))
    values[FAULT.start : FAULT.stop, 1] += 0.2
    times = np.datetime64("2024-01-03T08:00:00") + 10 * np.arange(ROWS).astype("timedelta64[s]")
    rows = [
        f"{str(time).replace('T', ' ')},{row[0]:.2f},{row[1]:.4f},{row[2]:.2f}"
        for time, row in zip(times, values, strict=True)
    ]
    return [f"时间,{','.join(COLUMNS)}", *rows]


def write(folder: Path, text: list[str] | None = None, encoding: str = "utf-8") -> Path:
    """The file."""
    file = folder / "loop.csv"
    file.write_bytes(("\n".join(lines() if text is None else text) + "\n").encode(encoding))
    return file
