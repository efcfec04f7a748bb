"""Queries the registers of daily duty: declared work, dust cleaning, safety pledges. `CaseStore` writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.cases.cleaning import Cleaning, CleaningFilter, CleaningState
from ingest.domain.cases.pledge import Pledge, PledgeFilter, PledgeState
from ingest.domain.cases.pledge_days import moments_of
from ingest.domain.cases.work import EXPECTED_WORK, OPEN_WORK, Work, WorkFilter, WorkState
from ingest.storage.state import daily_tables as t
from ingest.storage.state.case_queries import Before, equal, narrowed
from ingest.storage.state.record_reader import RecordReader


class DailyStore(RecordReader):
    """The registers of daily duty, as committed. Lists come newest first."""

    def work(self, key: UUID) -> Work | None:
        """One piece of declared work, or None."""
        return self._record(Work, key)

    def works(self, which: WorkFilter, *, limit: int, before: Before = None, oldest_first: bool = False) -> list[Work]:
        """By their beginning."""
        column = t.work.c
        query = equal(narrowed(t.work, which.plants, column.begins, None, which.until), {column.kind: which.kind})
        if which.since is not None:
            query = query.where(column.ends > which.since)
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        return self._page(Work, query, column.begins, limit, before, oldest_first=oldest_first)

    def open_works(self, plants: frozenset[str] | None = None) -> list[Work]:
        """Work of which something is still to come: to be approved, begun or finished."""
        column = t.work.c
        query = narrowed(t.work, plants, column.begins, None, None)
        return self._records(Work, query.where(column.state.in_([str(state) for state in OPEN_WORK])))

    def works_during(self, plants: frozenset[str] | None, since: int, until: int) -> list[Work]:
        """Work that may have been reckoned with at any moment from `since` to `until` (ns, both included)."""
        column = t.work.c
        lasts = (column.state == str(WorkState.UNDER_WAY)) | (column.ends > since) | (column.finished > since)
        begun = (column.begins <= until) | (column.begun <= until)
        states = column.state.in_([str(state) for state in EXPECTED_WORK])
        return self._records(Work, narrowed(t.work, plants, column.begins, None, None).where(states, lasts, begun))

    def works_beside(self, pledges: Sequence[Pledge]) -> list[Work]:
        """Work of the plants and days of these pledges, to be compared with them."""
        if not pledges:
            return []
        return self.works_during(frozenset(pledge.plant for pledge in pledges), *moments_of(pledges))

    def cleaning(self, key: UUID) -> Cleaning | None:
        """One record of cleaning, or None."""
        return self._record(Cleaning, key)

    def cleanings(
        self, which: CleaningFilter, *, limit: int, before: Before = None, oldest_first: bool = False
    ) -> list[Cleaning]:
        """By when it was cleaned."""
        column = t.cleaning.c
        query = narrowed(t.cleaning, which.plants, column.done, which.since, which.until)
        query = equal(query, {column.area: which.area, column.state: which.state})
        return self._page(Cleaning, query, column.done, limit, before, oldest_first=oldest_first)

    def last_cleanings(self, plants: frozenset[str] | None, area: str | None = None) -> dict[tuple[str, str], Cleaning]:
        """The record of each area's newest cleaning that counts, by plant and area; of one `area`, or of all."""
        column, valid = t.cleaning.c, t.cleaning.c.state == str(CleaningState.VALID)
        newest = (
            sa.select(column.plant, column.area, sa.func.max(column.done).label("done"))
            .where(valid)
            .group_by(column.plant, column.area)
        )
        if plants is not None:
            newest = newest.where(column.plant.in_(plants))
        if area is not None:
            newest = newest.where(column.area == area)
        last = newest.subquery()
        same = (column.plant == last.c.plant) & (column.area == last.c.area) & (column.done == last.c.done)
        query = sa.select(t.cleaning).join(last, same).where(valid).order_by(column.given, column.id)
        return {(record.plant, record.area): record for record in self._records(Cleaning, query)}

    def pledge(self, key: UUID) -> Pledge | None:
        """One pledge, or None."""
        return self._record(Pledge, key)

    def pledges(self, which: PledgeFilter, *, limit: int, before: Before = None) -> list[Pledge]:
        """By when they were given."""
        return self._page(Pledge, self._pledges(which), t.pledge.c.given, limit, before)

    def pledge_days(self, which: PledgeFilter) -> tuple[dt.date, dt.date] | None:
        """The first and the last day that these pledges are for; None: there are none."""
        days = self._pledges(which).subquery().c.day
        (row,) = self._db.rows(sa.select(sa.func.min(days).label("first"), sa.func.max(days).label("last")))
        return None if row["first"] is None else (row["first"], row["last"])

    def pledges_held(self, plants: frozenset[str] | None, since: dt.date, until: dt.date) -> list[Pledge]:
        """Return the pledges in force for days from `since` to `until` (not included)."""
        return self._records(Pledge, self._pledges(PledgeFilter(plants, PledgeState.GIVEN, since, until)))

    def pledges_of_day(self, plant: str, day: dt.date) -> int:
        """How many were given for that day, withdrawn ones among them."""
        column = t.pledge.c
        query = sa.select(sa.func.count().label("count")).where(column.plant == plant, column.day == day)
        (row,) = self._db.rows(query)
        return int(row["count"])

    @staticmethod
    def _pledges(which: PledgeFilter) -> sa.Select[tuple[object, ...]]:
        column = t.pledge.c
        query = equal(narrowed(t.pledge, which.plants, column.given, None, None), {column.state: which.state})
        if which.since is not None:
            query = query.where(column.day >= which.since)
        return query if which.until is None else query.where(column.day < which.until)
