"""What status contacts showed, as columns: before a batch, and at any time within it (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ingest.domain.quality.contact_runs import KEPT, UNKNOWN, Run, Runs, extended, level_at, longest_gap
from ingest.domain.quality.contact_table import NONE, ContactTable


@dataclass(frozen=True, slots=True, eq=False)
class ContactHistory:
    """What is known of the contacts; never changed once made.

    Attributes:
        first, last, level: int64[c], int64[c], int8[c], the newest run of live readings; `last` 0: never heard.
        earlier: its earlier runs, oldest first.
        late: runs of readings of the past, in the order in which they arrived.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    level: NDArray[np.int8]
    earlier: Mapping[int, Runs] = field(default_factory=dict)
    late: Mapping[int, Runs] = field(default_factory=dict)

    def live(self, contact: int) -> Runs:
        """Return all runs of live readings, oldest first."""
        if not self.last[contact]:
            return ()
        newest = Run(int(self.first[contact]), int(self.last[contact]), int(self.level[contact]))
        return (*self.earlier.get(contact, ()), newest)


def history_of(live: Mapping[int, Runs], late: Mapping[int, Runs], contacts: int) -> ContactHistory:
    """Return the history of so many contacts from their runs."""
    first, last, level = np.zeros(contacts, np.int64), np.zeros(contacts, np.int64), np.zeros(contacts, np.int8)
    for contact, runs in live.items():
        first[contact], last[contact], level[contact] = runs[-1]
    earlier = {contact: runs[:-1] for contact, runs in live.items() if len(runs) > 1}
    return ContactHistory(first, last, level, earlier, dict(late))


@dataclass(frozen=True, slots=True, eq=False)
class ContactReadings:
    """Readings of contacts in a batch, in the order of arrival.

    Attributes:
        contact: int32[n].
        time: int64[n], event time, ns.
        level: int8[n], 0, 1 or `UNKNOWN`.
        moment: intp[n], of arrival.
        past: bool[n], it is not live.
    """

    contact: NDArray[np.int32]
    time: NDArray[np.int64]
    level: NDArray[np.int8]
    moment: NDArray[np.intp]
    past: NDArray[np.bool_]

    def columns(self) -> Sequence[NDArray[np.generic]]:
        """Return the columns in their order."""
        return self.contact, self.time, self.level, self.moment, self.past

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> ContactReadings:
        """Return the readings of a mask, or at these places."""
        return ContactReadings(
            self.contact[which], self.time[which], self.level[which], self.moment[which], self.past[which]
        )


class LiveLevels:
    """The live readings of contacts in a batch, after what was known before it."""

    def __init__(self, table: ContactTable, before: ContactHistory, heard: ContactReadings) -> None:
        heard = heard.take(np.argsort(heard.contact, kind="stable"))
        self._table, self._before = table, before
        self._contact, self._time, self._level = heard.contact.astype(np.int64), heard.time, heard.level
        of, first = self._contact, np.diff(self._contact, prepend=NONE) != 0
        prior_time = np.where(first, before.last[of], np.roll(self._time, 1))
        prior_level = np.where(first, before.level[of], np.roll(self._level, 1))
        gap = self._time - prior_time
        self._begins = (prior_level != self._level) | (gap > longest_gap(table.silence[of])) | (prior_time == 0)
        self._begun = np.concatenate(([0], np.cumsum(self._begins)))  # runs among the first readings
        self._moments, self._times = int(heard.moment.max(initial=0)) + 2, np.unique(heard.time)
        self._by_moment = of * self._moments + heard.moment
        self._by_time = of * (len(self._times) + 1) + self._times.searchsorted(self._time, side="right")

    def levels(self, contact: NDArray[np.int32], time: NDArray[np.int64], moment: NDArray[np.intp]) -> NDArray[np.int8]:
        """Return the level of contacts at these times, by what arrived until these moments."""
        of, before, silence = contact.astype(np.int64), self._before, self._table.silence[contact]
        known = self._by_moment.searchsorted(of * self._moments + np.minimum(moment, self._moments - 1), side="right")
        begin = self._contact.searchsorted(of)
        rank = self._times.searchsorted(time, side="right")
        until = np.minimum(known, self._by_time.searchsorted(of * (len(self._times) + 1) + rank, side="right"))
        here = until > begin
        shown = np.where(here, np.append(self._time, 0)[until - 1], np.minimum(time, before.last[of]))
        level = np.where(here, np.append(self._level, UNKNOWN)[until - 1], before.level[of])
        since = self._begun[known] - self._begun[np.where(here, until, begin)]  # runs that began later
        earlier = ~here & (time < before.first[of])
        for row in np.flatnonzero(earlier).tolist():
            runs = before.earlier.get(int(of[row]), ())
            remembered = runs[max(0, len(runs) + int(since[row]) - KEPT + 1) :]
            level[row] = level_at([remembered], int(time[row]), int(silence[row]))
        forgotten = ~earlier & ((time - shown > silence) | (since >= KEPT))
        level[forgotten] = UNKNOWN
        return level

    def after(self, late: Mapping[int, Runs]) -> ContactHistory:
        """Return what is known after the batch; `late`: the runs of readings of the past."""
        before, of = self._before, self._contact
        if not len(of):
            return replace(before, late=late)
        first, last, level = before.first.copy(), before.last.copy(), before.level.copy()
        earlier = {**before.earlier}
        after = ContactHistory(first, last, level, earlier, late)
        for at in np.flatnonzero(self._begins).tolist():
            contact = int(of[at])
            if at and of[at - 1] == contact:
                last[contact] = self._time[at - 1]
            if runs := after.live(contact)[-KEPT + 1 :]:
                earlier[contact] = runs
            first[contact], last[contact], level[contact] = self._time[at], self._time[at], self._level[at]
        newest = np.diff(of, append=NONE) != 0
        last[of[newest]] = self._time[newest]
        return after


class PastLevels:
    """All readings of contacts in a batch as they arrive, for readings of the past: these may lie anywhere in time."""

    def __init__(self, table: ContactTable, before: ContactHistory, heard: ContactReadings) -> None:
        self._table, self._before = table, before
        self._live: dict[int, Runs] = {}
        self.late: dict[int, Runs] = {**before.late}
        self._waiting = deque(zip(*(column.tolist() for column in heard.columns()), strict=True))

    def take(self, until: int) -> None:
        """Take in what arrived until that moment."""
        while self._waiting and self._waiting[0][3] <= until:
            contact, time, level, _, past = self._waiting.popleft()
            runs = self.late.get(contact, ()) if past else self._runs(contact)
            (self.late if past else self._live)[contact] = extended(
                runs, time, level, int(self._table.silence[contact])
            )

    def levels(self, contact: NDArray[np.int32], time: int) -> NDArray[np.int8]:
        """Return the level of contacts at a time, by what was taken in."""
        known, where = np.unique(contact, return_inverse=True)
        found = [
            level_at((self._runs(of), self.late.get(of, ())), time, int(self._table.silence[of]))
            for of in known.tolist()
        ]
        return np.array(found, np.int8)[where]

    def _runs(self, contact: int) -> Runs:
        found = self._live.get(contact)
        return self._before.live(contact) if found is None else found
