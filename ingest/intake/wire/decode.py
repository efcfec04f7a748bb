"""Decodes a frame by the configuration: accepted columns, and refused ones with their reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from math import isfinite
from operator import lt
from typing import Any, Final

import msgspec
import numpy as np

from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import MAX_COLUMNS, MAX_READINGS
from ingest.intake.wire.parse import Column, Parsed, Unfit
from ingest.intake.wire.registry import format_of
from ingest.intake.wire.salvage import as_json, named, shown

_NAMED: Final = 5  # most columns that a detail names with their fault
_NAMES: Final = 20  # and most where it lists only names


@dataclass(frozen=True, slots=True)
class Refused:
    """Columns of a frame that were not taken, all for one reason.

    Attributes:
        detail: which they are, what was sent and what was expected; bounded.
        payload: the frame with these columns only, as JSON.
    """

    reason: Reason
    detail: str
    columns: int
    payload: bytes


class Decoded(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A frame decoded by the configuration; `ingest.intake.wire.assemble` makes readings of many at once.

    Attributes:
        boot, seq: the frame's identity within its gateway.
        historical: whether the gateway marked it as recorded earlier.
        times: ms since the epoch, strictly increasing.
        points: configuration index of each accepted column.
        values: those columns: lists of numbers and None, or all little-endian float64 with NaN for None.
        quality: by place in `points`, the column's marks.
        refused: the other columns, one entry a reason.
    """

    boot: str
    seq: int
    historical: bool
    times: list[int]
    points: list[int]
    values: list[Column]
    quality: Mapping[int, list[int]]
    refused: tuple[Refused, ...] = ()

    @property
    def readings(self) -> int:
        """Number of accepted readings."""
        return len(self.times) * len(self.points)

    def rows(self, start: int, end: int, times: list[int]) -> Decoded:
        """The rows from `start` up to but not including `end`, with these times."""
        width = 8 if self.packed else 1
        values = [column[start * width : end * width] for column in self.values]
        quality = {place: marks[start:end] for place, marks in self.quality.items()}
        return msgspec.structs.replace(self, times=times, values=values, quality=quality)

    @property
    def packed(self) -> bool:
        """Whether its columns are bytes."""
        return bool(self.values) and type(self.values[0]) is bytes

    @property
    def refused_share(self) -> float:
        """Share of this gateway's own columns that was refused, 0 to 1."""
        if not self.refused:
            return 0.0
        wrong = sum(refused.columns for refused in self.refused if refused.reason is not Reason.UNKNOWN_POINT)
        return wrong / (wrong + len(self.points)) if wrong else 0.0


def decode(payload: bytes, columns: Mapping[str, int]) -> Decoded:
    """Decode one frame. It runs for every message: a faultless frame is handled in C throughout.

    Args:
        payload: in any of the formats (`ingest.intake.wire.registry`).
        columns: point id -> configuration index, for the points this gateway may send.

    Raises:
        Rejected: nothing of the frame can be taken.
    """
    frame = format_of(payload).parse(payload)
    try:
        _check(frame)
    except Rejected as error:
        error.identity = frame.boot, frame.seq
        raise
    return _take_whole(frame, columns) or _take(frame, columns)


def identify(payload: bytes) -> tuple[str, int] | None:
    """Boot and sequence number of a frame that may be wrong in all else, or None."""
    try:
        frame = format_of(payload).parse(payload)
    except Rejected as error:
        return error.identity
    return frame.boot, frame.seq


def _check(frame: Parsed) -> None:
    """Check what concerns all columns. Raises Rejected."""
    time, columns = frame.times, len(frame.values) + len(frame.unfit)
    readings = len(time) * columns
    if columns > MAX_COLUMNS or len(frame.quality) > MAX_COLUMNS:
        width = max(columns, len(frame.quality))
        raise Rejected(Reason.TOO_LARGE, f"{width} columns; expected at most {MAX_COLUMNS}", readings=readings)
    if readings > MAX_READINGS:
        raise Rejected(Reason.TOO_LARGE, f"{readings} readings; expected at most {MAX_READINGS}", readings=readings)
    if len(time) > 1 and not all(map(lt, time, time[1:])):
        at = next(at for at in range(1, len(time)) if time[at] <= time[at - 1])
        raise Rejected(
            Reason.TIME_NOT_INCREASING,
            f"time[{at}] = {time[at]} after {time[at - 1]}; expected strictly increasing",
            readings=readings,
        )


def _take_whole(frame: Parsed, columns: Mapping[str, int]) -> Decoded | None:
    """Decode a frame whose columns are all known, fit and unmarked, as nearly all are, in C; else None."""
    if frame.unfit or frame.quality or not frame.values:
        return None
    try:
        points = [*map(columns.__getitem__, frame.values)]
    except KeyError:
        return None
    known = [*frame.values.values()]
    kind, times = type(known[0]), len(frame.times)
    if [*map(len, known)].count(times * 8 if kind is bytes else times) != len(known):
        return None
    if not frame.finite and {*map(type, known)} != {kind}:  # MessagePack; in JSON all are lists
        return None
    alike = _alike(known, finite=frame.finite)
    if alike is None:
        return None
    return Decoded(frame.boot, frame.seq, frame.historical, frame.times, points, alike, {})


def _take(frame: Parsed, columns: Mapping[str, int]) -> Decoded:
    """Decode the columns that are known and fit; the others are refused by reason."""
    times, unfit = len(frame.times), frame.unfit
    width = times * 8
    points: list[int] = []
    known: list[Column] = []
    unknown: list[str] = [name for name in unfit if name not in columns] if unfit else []
    place: dict[str, int] = {}
    for name, column in frame.values.items():
        index = columns.get(name)
        if index is None:
            unknown.append(name)
        elif len(column) != (width if type(column) is bytes else times):
            unfit[name] = _uneven("values", name, column, times, column, frame.quality.get(name))
        else:
            place[name] = len(points)
            points.append(index)
            known.append(column)
    alike = _alike(known, finite=frame.finite)
    if alike is None:
        return _take(_without_infinite(frame), columns)
    quality: dict[int, list[int]] = {}
    for name, marks in frame.quality.items() if frame.quality else ():
        if name in columns and len(marks) != times and name not in unfit:
            unfit[name] = _uneven("quality", name, marks, times, frame.values.get(name), marks)
        elif name in place:
            quality[place[name]] = marks
        elif name not in frame.values and name not in unfit:
            unfit[name] = Unfit(
                Reason.SCHEMA, f"quality.{named(name)} has no column in values; expected one", None, marks
            )
    if unfit and any(name in place for name in unfit):  # a column with wrong quality is refused too
        fit = {name: column for name, column in frame.values.items() if name not in unfit}
        return _take(msgspec.structs.replace(frame, values=fit), columns)
    refused = _refused(frame, unknown) if unknown or unfit else ()
    return Decoded(frame.boot, frame.seq, frame.historical, frame.times, points, alike, quality, refused)


def _alike(known: list[Column], *, finite: bool) -> list[Column] | None:
    """The columns, all bytes or all lists, or None if a number is not finite (MessagePack can hold such)."""
    if finite:
        return known
    if {*map(type, known)} == {bytes}:
        return None if np.isinf(np.frombuffer(b"".join(known), "<f8")).any() else known  # type: ignore[arg-type]
    listed: list[Column] = [*map(_listed, known)]
    return listed if all(map(isfinite, filter(None, chain.from_iterable(listed)))) else None


def _without_infinite(frame: Parsed) -> Parsed:
    fit: dict[str, Column] = {}
    for name, column in frame.values.items():
        numbers = _listed(column)
        if all(map(isfinite, filter(None, numbers))):
            fit[name] = column
        else:
            at, wrong = next((at, value) for at, value in enumerate(numbers) if value and not isfinite(value))
            fault = f"values.{named(name)}[{at}] = {shown(wrong)}; expected a finite number or null"
            frame.unfit[name] = Unfit(Reason.NOT_FINITE, fault, numbers, frame.quality.get(name))
    return msgspec.structs.replace(frame, values=fit)


def _refused(frame: Parsed, unknown: list[str]) -> tuple[Refused, ...]:
    """The refused columns: unknown points, which may be enrolled later, and the rest by reason."""
    of: dict[Reason, dict[str, Any]] = {}
    for name, wrong in frame.unfit.items():
        of.setdefault(wrong.reason, {})[name] = wrong.sent
    if unknown:
        unknown_columns = {
            name: frame.unfit[name].sent if name in frame.unfit else _listed(frame.values[name]) for name in unknown
        }
        for columns in of.values():
            for name in unknown_columns.keys() & columns.keys():
                del columns[name]
        of[Reason.UNKNOWN_POINT] = unknown_columns
    return tuple(_refuse_columns(frame, reason, columns) for reason, columns in of.items() if columns)


def _refuse_columns(frame: Parsed, reason: Reason, columns: dict[str, Any]) -> Refused:
    if reason is Reason.UNKNOWN_POINT:
        detail = f"{_some(map(named, columns), len(columns), _NAMES, ', ')}: expected points of this gateway"
    else:
        detail = _some((frame.unfit[name].fault for name in columns), len(columns), _NAMED, "; ")
    sent = {name: column for name, column in columns.items() if column is not None}
    marks = {name: frame.unfit[name].marks if name in frame.unfit else frame.quality.get(name) for name in columns}
    quality = {name: column for name, column in marks.items() if column is not None}
    payload = as_json(frame.boot, frame.seq, frame.times, sent, quality)
    return Refused(reason, detail, len(columns), payload)


def _some(texts: Iterable[str], count: int, most: int, between: str) -> str:
    more = f" and {count - most} more" if count > most else ""
    return between.join(islice(texts, most)) + more


def _uneven(what: str, name: str, column: Column | list[int], times: int, sent: object, marks: object) -> Unfit:
    if isinstance(column, bytes):
        size = f"{len(column)} bytes; expected {8 * times} for {times} times"
    else:
        size = f"{len(column)} entries; expected {times}"
    fault = f"{what}.{named(name)} has {size}"
    return Unfit(Reason.COLUMN_LENGTH, fault, _listed(sent) if isinstance(sent, bytes) else sent, marks)


def _listed(column: Column) -> list[float | None]:
    """The numbers of a column; an incomplete one at its end is left out."""
    if type(column) is not bytes:
        return column  # type: ignore[return-value]
    numbers = np.frombuffer(column, "<f8", len(column) // 8)
    return [None if value != value else value for value in numbers.tolist()]  # noqa: PLR0124  NaN is unequal to itself
