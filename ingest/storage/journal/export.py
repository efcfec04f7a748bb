"""Exports readings of the journal to CSV or NDJSON under the names of their points; a file is complete or absent."""

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
class ExportFilter:
    """Which readings to export: device time from `start` to `end` (ns, exclusive); these plants and points, or all."""

    start: int = 0
    end: int = (1 << 63) - 1
    plants: Collection[str] = ()
    points: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The result of an export."""

    readings: int
    damaged: tuple[int, ...]  # entries whose readings cannot be read


def export(journal: JournalInspection, chosen: ExportFilter, file: Path, seen: Callable[[int], None]) -> ExportResult:
    """Write the readings to a file, as CSV or, if its name ends in .ndjson, as one JSON object a line.

    The file is written under another name and renamed when complete. Rows are in order of arrival, not of time.

    Args:
        journal: the source.
        chosen: which readings.
        file: the target; replaced if it exists.
        seen: called with the id of each entry read.

    Raises:
        OSError: it cannot be written.
    """
    names = journal.points()
    numbers = {
        number
        for number, (plant, point) in names.items()
        if (not chosen.plants or plant in chosen.plants) and (not chosen.points or point in chosen.points)
    }
    everything = not chosen.plants and not chosen.points
    ids = np.fromiter(numbers, np.int32, len(numbers))
    readings, damaged = 0, []
    with _complete_or_absent(file) as out:
        write = _ndjson(out) if file.suffix == ".ndjson" else _csv(out)
        for number, batch in _every_batch(journal, seen):
            if batch is None:
                damaged.append(number)
                continue
            fits = (batch.time >= chosen.start) & (batch.time < chosen.end)
            if not everything:
                fits &= np.isin(batch.point, ids)
            written = batch.take(np.flatnonzero(fits))
            write(_rows(written, names))
            readings += len(written)
    return ExportResult(readings, tuple(damaged))


def _every_batch(journal: JournalInspection, seen: Callable[[int], None]) -> Iterator[tuple[int, Batch | None]]:
    """The readings of entries, then of staged back-fill; None for a damaged one."""
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
        yield time, received, *names.get(point, _UNKNOWN), known, _flag_names(flags)


def _instants(times: np.ndarray) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(times.astype("datetime64[ns]"), unit="ns").tolist()]


@lru_cache(1024)
def _flag_names(flags: int) -> str:
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
def _complete_or_absent(file: Path) -> Iterator[IO[str]]:
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
