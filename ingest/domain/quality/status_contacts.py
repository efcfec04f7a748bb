"""Flags readings by the status contacts of their instruments (NAMUR NE 107), as if the quality came with them (pure).

A contact's reading counts from its event time on, until the next one, for `silence` at most; after that, and while it
is bad or was never heard, the contact is unknown. A reading sees what arrived until its own moment (readings of one
frame and one time): so neither the order of columns nor how the stream is cut into batches matters. A live reading
sees live readings of contacts; one of the past sees those that arrived late or were recorded earlier, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.readings import moments
from ingest.domain.model.batch import Batch
from ingest.domain.model.device_status import STATUS_FLAGS
from ingest.domain.model.flags import NOT_LIVE, Flag
from ingest.domain.quality.contact_history import ContactReadings, LiveLevels, PastLevels, history_of
from ingest.domain.quality.contact_runs import UNKNOWN, Run, Runs, levels
from ingest.domain.quality.contact_table import NONE, ContactTable

_FLAGS: Final = np.array([*STATUS_FLAGS.values()], np.uint16)
_UNKNOWN: Final = np.uint16(Flag.STATUS_UNKNOWN)

Levels = Callable[[NDArray[np.int32], NDArray[np.intp]], NDArray[np.int8]]
"""Returns the levels of contacts at the times of these rows, int8[n]."""


class StatusContacts:
    """The status contacts of a configuration, and what they showed."""

    def __init__(self, table: ContactTable | None = None) -> None:
        self._table = table
        self._history = history_of({}, {}, len(table.point) if table is not None else 0)

    def marked(self, batch: Batch) -> Batch:
        """Return the readings, those of instruments flagged by their contacts, whose readings are remembered."""
        marks = self.marks(batch) if self._table is not None else None
        return batch if marks is None else batch.with_flags(batch.flags | marks)

    def marks(self, batch: Batch) -> NDArray[np.uint16] | None:
        """Return the flags to add (uint16[n]), and remember the readings of contacts; None: nothing concerns them."""
        table = self._table
        if table is None:
            return None
        contact = table.contact.take(batch.point, mode="clip")
        instrument = table.instrument.take(batch.point, mode="clip")
        heard, judged = np.flatnonzero(contact != NONE), np.flatnonzero(instrument != NONE)
        if not len(heard) and not len(judged):
            return None
        past, moment = (batch.flags & NOT_LIVE) != 0, moments(batch.time, batch.received)
        marks = np.zeros(len(batch), np.uint16)
        arrived = ContactReadings(contact[heard], batch.time[heard], levels(batch, heard), moment[heard], past[heard])
        readings = LiveLevels(table, self._history, arrived.take(~arrived.past))

        def live_levels(of: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.int8]:
            return readings.levels(of, batch.time[rows], moment[rows])

        rows = judged[~past[judged]]
        marks[rows] = _marks(table, instrument, rows, live_levels)
        late = self._history.late
        if len(rows) < len(judged) or np.any(arrived.past):
            arrivals = PastLevels(table, self._history, arrived)

            def past_levels(of: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.int8]:
                return arrivals.levels(of, int(batch.time[rows[0]]))  # all rows are of one moment

            judged = judged[past[judged]]
            for rows in np.split(judged, np.flatnonzero(np.diff(moment[judged])) + 1) if len(judged) else ():
                arrivals.take(int(moment[rows[0]]))
                marks[rows] = _marks(table, instrument, rows, past_levels)
            arrivals.take(len(batch))
            late = arrivals.late
        self._history = readings.after(late)
        return marks

    def forget(self, points: NDArray[np.int32]) -> None:
        """Discard what these points showed, whose times are wrong."""
        if self._table is not None:
            gone = {*self._table.contact.take(points, mode="clip").tolist()}
            live = {of: runs for of, runs in self._live().items() if of not in gone}
            self._history = history_of(live, self._history.late, len(self._table.point))

    def successor(self, table: ContactTable | None) -> StatusContacts:
        """Return the same for other contacts; one that is in both tables keeps what it showed."""
        following = StatusContacts(table)
        following.load(self.state())
        return following

    def state(self) -> dict[str, list[list[int]]]:
        """Return the state, JSON-ready and the same for the same readings: point, first, last and level of each run."""
        return {
            name: [[int(point[of]), *run] for of, runs in sorted(known.items()) for run in runs]
            for point in ([self._table.point] if self._table is not None else [])
            for name, known in (("live", self._live()), ("late", self._history.late))
        }

    def load(self, state: Mapping[str, list[list[int]]]) -> None:
        """Load a state, as far as the points are contacts still."""
        if self._table is None:
            return
        live, late = dict[int, Runs](), dict[int, Runs]()
        for name, known in (("live", live), ("late", late)):
            for point, *run in state.get(name, []):
                of = int(self._table.contact.take(point, mode="clip"))
                if of != NONE:
                    known[of] = (*known.get(of, ()), Run(*run))
        self._history = history_of(live, late, len(self._table.point))

    def _live(self) -> dict[int, Runs]:
        return {of: self._history.live(of) for of in np.flatnonzero(self._history.last).tolist()}


def _marks(
    table: ContactTable, instrument: NDArray[np.int32], rows: NDArray[np.intp], levels_at: Levels
) -> NDArray[np.uint16]:
    """Return the flags of rows by the gravest status that holds; a lesser one that is unknown changes nothing."""
    if not len(rows):
        return np.zeros(0, np.uint16)
    contact = table.of[:, instrument[rows]]  # a row for each status, the gravest first
    wired = contact != NONE
    active, unknown = np.zeros(contact.shape, bool), np.zeros(contact.shape, bool)
    level = levels_at(contact[wired], np.broadcast_to(rows, contact.shape)[wired])
    active[wired], unknown[wired] = level == table.active[contact[wired]], level == UNKNOWN
    graver = np.cumsum(active, axis=0) == 0  # than every status that holds
    says: NDArray[np.uint16] = np.where(active.any(axis=0), _FLAGS[active.argmax(axis=0)], np.uint16(0))
    says[(unknown & graver).any(axis=0)] |= _UNKNOWN
    return says
