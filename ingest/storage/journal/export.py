"""Readings of the journal as a file for people and other programs: under names, one a line, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

import numpy as np

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.storage.journal.inspection import JournalInspection

FIELDS: Final = ("time", "received", "plant", "point", "value", "flags")
_UNKNOWN: Final = ("", "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which readings: device time from `start` up to, not including, `end` (ns); of these plants and points, or all."""

    start: int = 0
    end: int = (1 << 63) - 1
    plants: Collection[str] = ()
    points: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of it."""

    readings: int
    damaged: tuple[int, ...]  # entries whose readings cannot be had


def export(journal: JournalInspection, wanted: Wanted, file: Path, seen: Callable[[int], None]) -> Exported:
    """Write the readings to a file, as CSV or, if its name ends in .ndjson, as one JSON object a line.

    It is written beside its place and moved there when it is whole. Rows come as they arrived, not by time.

    Args:
        journal: where from.
        wanted: which.
        file: where to; replaced if it is there.
        seen: called with the number of each entry that was looked at.

    Raises:
        OSError: it cannot be written.
    """
    names = journal.points()
    chosen = {
        number
        for number, (plant, point) in names.items()
        if (not wanted.plants or plant in wanted.plants) and (not wanted.points or point in wanted.points)
    }
    everything = not wanted.plants and not wanted.points
    numbers = np.fromiter(chosen, np.int32, len(chosen))
    readings, damaged = 0, []
    with _whole_or_not_at_all(file) as out:
        write = _ndjson(out) if file.suffix == ".ndjson" else _csv(out)
        for number, batch in _every_batch(journal, seen):
            if batch is None:
                damaged.append(number)
                continue
            fits = (batch.time >= wanted.start) & (batch.time < wanted.end)
            if not everything:
                fits &= np.isin(batch.point, numbers)
            written = batch.take(np.flatnonzero(fits))
            write(_rows(written, names))
            readings += len(written)
    return Exported(readings, tuple(damaged))


def _every_batch(journal: JournalInspection, seen: Callable[[int], None]) -> Iterator[tuple[int, Batch | None]]:
    """Readings of entries, then of staged back-fill; None for what is damaged."""
    for number, _, entry in journal.entries():
        seen(number)
        yield number, entry.batch if entry is not None else None
    for number, _, batch in journal.backfill():
        yield number, batch


def _rows(batch: Batch, names: Mapping[int, tuple[str, str]]) -> Iterator[tuple[str, str, str, str, float | None, str]]:
    columns = zip(
        _instants(batch.time),
        _instants(batch.received),
        batch.point.tolist(),
        batch.value.tolist(),
        batch.flags.tolist(),
        strict=True,
    )
    for time, received, point, value, flags in columns:
        known = value if value == value else None  # noqa: PLR0124  NaN is the value unequal to itself
        yield time, received, *names.get(point, _UNKNOWN), known, _said(flags)


def _instants(times: np.ndarray) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(times.astype("datetime64[ns]"), unit="ns").tolist()]


@lru_cache(1024)
def _said(flags: int) -> str:
    return "+".join(flag.name.lower() for flag in Flag if flag & flags and flag.name)


def _csv(out: IO[str]) -> Callable[[Iterable[tuple[object, ...]]], None]:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    return writer.writerows


def _ndjson(out: IO[str]) -> Callable[[Iterable[tuple[object, ...]]], None]:
    def write(rows: Iterable[tuple[object, ...]]) -> None:
        out.writelines(
            json.dumps(dict(zip(FIELDS, row, strict=True)), ensure_ascii=False, allow_nan=False) + "\n" for row in rows
        )

    return write


@contextmanager
def _whole_or_not_at_all(file: Path) -> Iterator[IO[str]]:
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with aside.open("w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
