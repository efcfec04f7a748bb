"""Inspects a journal's file read-only, also beside a running service: statistics, checks, iteration over entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ingest.domain.model.batch import Batch
from ingest.storage.journal import body
from ingest.storage.journal.connection import open_reader, translated_errors
from ingest.storage.journal.damage import COLUMNS, decode
from ingest.storage.journal.errors import JournalBroken, JournalUnavailable
from ingest.storage.journal.recent_frames import RecentFrames, unpack_recent
from ingest.storage.journal.records import Entry
from ingest.storage.journal.schema import VERSION
from ingest.storage.journal.sequence_rows import clock_of
from ingest.storage.journal.sequence_state import gaps_of


@dataclass(frozen=True, slots=True)
class GatewayStats:
    """Counts of one gateway over all its boots; `missing` and `lost` are frames."""

    plant: str
    gateway: str
    boots: int
    frames: int
    duplicates: int
    missing: int
    lost: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of a journal. Times are ns since the epoch, None if it holds no entry."""

    entries: int
    readings: int
    backfill: int  # readings staged, not yet part of an entry
    bytes: int
    free_bytes: int
    oldest: int | None
    newest: int | None
    last: int
    readers: Mapping[str, int]  # reader -> cursor
    gateways: tuple[GatewayStats, ...]
    quarantined: Mapping[str, int]  # reason -> messages


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault found in the file, with the ids and times of arrival of the entries concerned, if known."""

    what: str
    first: int | None = None
    last: int | None = None
    received: tuple[int, int] | None = None


@dataclass(slots=True)
class _Span:
    first: int
    last: int
    what: str
    received: list[int] = field(default_factory=list)

    def fault(self) -> Fault:
        spread = (min(self.received), max(self.received)) if self.received else None
        return Fault(self.what, self.first, self.last, spread)


class JournalInspection:
    """A journal's file opened read-only. Use as a context manager.

    Raises:
        JournalUnavailable: it is not there or cannot be read.
        JournalBroken: it is no journal, or too damaged for the method.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise JournalUnavailable(f"{path}: no such file")
        self.path = path
        self._connection = open_reader(path)
        with translated_errors(path):
            found = self._connection.pragma("user_version")
        if found != VERSION:
            self._connection.close()
            raise JournalUnavailable(
                f"{path}: a journal of version {found}; expected {VERSION}. The service brings older ones up to date"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def cursors(self) -> dict[str, int]:
        """The cursor of each reader that keeps its cursor in the journal."""
        return dict(self._rows("SELECT reader, position FROM cursor ORDER BY reader"))

    def span(self) -> tuple[int, int, int]:
        """The number of entries, and the lowest and highest of their ids."""
        ((count, first, last),) = self._rows("SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0) FROM entry")
        return count, first, last

    def newest_ever(self) -> int:
        """The id of the newest entry, trimmed or not."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entry'")[0][0])

    def points(self) -> dict[int, tuple[str, str]]:
        """The permanent index of each point -> (plant, point id)."""
        return {number: (plant, name) for number, plant, name in self._rows("SELECT id, plant, name FROM point")}

    def stats(self) -> Stats:
        """Compute the statistics."""
        with translated_errors(self.path):
            page, pages, free = (
                int(self._connection.pragma(name)) for name in ("page_size", "page_count", "freelist_count")
            )
        ((entries, readings),) = self._rows("SELECT count(*), coalesce(sum(size), 0) FROM entry")
        ((backfill,),) = self._rows("SELECT coalesce(sum(size), 0) FROM backfill")
        ends = [
            row[0]
            for order in ("ASC", "DESC")
            for row in self._rows(f"SELECT received FROM entry ORDER BY id {order} LIMIT 1")  # noqa: S608
        ]
        gateways: dict[tuple[str, str], list[int]] = {}
        for plant, gateway, frames, duplicates, missing, lost in self._rows(
            "SELECT plant, gateway, frames, duplicates, missing, lost FROM position ORDER BY plant, gateway"
        ):
            counts = gateways.setdefault((plant, gateway), [0] * 5)
            for at, count in enumerate((1, frames, duplicates, _frames(missing), _frames(lost))):
                counts[at] += count
        return Stats(
            entries=entries,
            readings=readings,
            backfill=backfill,
            bytes=page * pages,
            free_bytes=page * free,
            oldest=ends[0] if ends else None,
            newest=ends[1] if ends else None,
            last=self.newest_ever(),
            readers=self.cursors(),
            gateways=tuple(GatewayStats(*who, *counts) for who, counts in gateways.items()),
            quarantined=dict(self._rows("SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason")),
        )

    def check(self, cursors: Mapping[str, int], seen: Callable[[int], None]) -> Iterator[Fault]:
        """Check the whole file and yield every fault.

        Args:
            cursors: of readers that keep theirs elsewhere.
            seen: called with the id of each entry checked.
        """
        try:
            for (line,) in self._rows("PRAGMA integrity_check"):
                if line != "ok":
                    yield Fault(f"SQLite: {line}")
        except JournalBroken as error:  # the check itself failed; the entries are checked all the same
            yield Fault(f"SQLite: {error}")
        yield from self._check_entries(seen)
        yield from self._check_backfill()
        yield from self._check_positions()
        newest = self.newest_ever()
        for reader, position in {**self.cursors(), **cursors}.items():
            if position > newest:
                yield Fault(f"cursor of {reader} at entry {position}, ahead of the newest, {newest}")

    def entries(self, after: int = 0) -> Iterator[tuple[int, int, Entry | None]]:
        """Every entry as (id, received, entry), oldest first; None in place of a damaged entry.

        In short reads, none of which blocks a checkpoint of the service.
        """
        _, first, last = self.span()
        number = max(first - 1, after)
        while number < last:
            number += 1
            try:
                rows = self._rows(f"SELECT {COLUMNS} FROM entry WHERE id = ?", (number,))  # noqa: S608
            except JournalBroken:  # a page of it is damaged
                yield number, 0, None
                continue
            for row in rows:
                try:
                    yield number, row[1], decode(row)
                except ValueError:
                    yield number, row[1] if isinstance(row[1], int) else 0, None

    def backfill(self) -> Iterator[tuple[int, int, Batch | None]]:
        """Every piece of staged back-fill as (id, received, readings), oldest first; None if it is damaged."""
        for (number,) in self._rows("SELECT id FROM backfill ORDER BY id"):
            for received, size, packed in self._rows(
                "SELECT received, size, body FROM backfill WHERE id = ?", (number,)
            ):
                try:
                    yield number, received, body.unpack(packed, size=size, received=received)
                except ValueError:
                    yield number, received, None

    def _check_backfill(self) -> Iterator[Fault]:
        for number, received, batch in self.backfill():
            if batch is None:
                yield Fault("staged back-fill is damaged: piece", number, number, (received, received))

    def _check_entries(self, seen: Callable[[int], None]) -> Iterator[Fault]:
        span: _Span | None = None
        before = None
        for number, received, entry in self.entries():
            if before is not None and number > before + 1 and self.span()[1] <= before:  # else trimmed meanwhile
                yield Fault("entries are missing", before + 1, number - 1)
            before = number
            if entry is None:
                if span is None or span.last + 1 != number:
                    if span is not None:
                        yield span.fault()
                    span = _Span(number, number, "entries are damaged")
                span.last = number
                span.received += [received] if received else []
            seen(number)
        if span is not None:
            yield span.fault()

    def _check_positions(self) -> Iterator[Fault]:
        for plant, gateway, boot, committed, missing, lost, clock, recent in self._rows(
            "SELECT plant, gateway, boot, committed, missing, lost, clock, recent FROM position"
        ):
            try:
                clock_of(clock)
            except (TypeError, ValueError):
                yield Fault(f"position of {plant}/{gateway} boot {boot}: its clock cannot be read")
            try:
                unpack_recent(boot, recent or RecentFrames(boot, 0).packed())
            except ValueError as error:
                yield Fault(f"position of {plant}/{gateway} boot {boot}: its last frames, {error}")
            try:
                gaps = sorted((gap.first, gap.last) for gap in gaps_of(missing) + gaps_of(lost))
            except (TypeError, ValueError):
                yield Fault(f"position of {plant}/{gateway} boot {boot}: its gaps cannot be read")
                continue
            ends = [0, *(last for _, last in gaps)]
            if any(not end < first <= last < committed for end, (first, last) in zip(ends, gaps, strict=False)):
                yield Fault(f"position of {plant}/{gateway} boot {boot}: gaps {gaps} do not lie below {committed}")

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with translated_errors(self.path):
            return self._connection.execute(query, values).fetchall()


def _frames(gaps: object) -> int:
    """The number of frames in these gaps; 0 if they cannot be read, which `check` reports."""
    with suppress(TypeError, ValueError):
        return sum(gap.frames for gap in gaps_of(gaps))
    return 0
