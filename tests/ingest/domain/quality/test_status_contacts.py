"""Which readings a status contact speaks of, by plain loops; however they are cut, and over a restart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import NOT_LIVE, Flag
from ingest.domain.quality import contact_history, contact_runs
from ingest.domain.quality.contact_runs import KEPT
from ingest.domain.quality.contact_table import ContactTable
from ingest.domain.quality.status_contacts import StatusContacts

FAULT, CHECKING, WORN, FAULT_B = range(4)
"""Points that are contacts: three of instrument A, `CHECKING` closed while all is well, and one of instrument B."""
A, A_TOO, B, OTHER = range(4, 8)
"""Points of instruments A and B, and one of none."""
SILENCE = 12
FAILED, TESTED, ASKING = int(Flag.BAD | Flag.FAILURE), int(Flag.FUNCTION_CHECK), int(Flag.MAINTENANCE)
UNKNOWN = int(Flag.STATUS_UNKNOWN)
TABLE = ContactTable(
    point=np.array([FAULT, CHECKING, WORN, FAULT_B], np.int32),
    active=np.array([1, 0, 1, 1], np.int8),
    silence=np.full(4, SILENCE),
    contact=np.array([0, 1, 2, 3, -1, -1, -1, -1, -1], np.int32),
    instrument=np.array([-1, -1, -1, -1, 0, 0, 1, -1, -1], np.int32),
    of=np.array([[0, 3], [1, -1], [-1, -1], [2, -1]], np.int32),
)
SAYS = {
    A: ((FAULT, 1, FAILED), (CHECKING, 0, TESTED), (WORN, 1, ASKING)),
    A_TOO: ((FAULT, 1, FAILED), (CHECKING, 0, TESTED), (WORN, 1, ASKING)),
    B: ((FAULT_B, 1, FAILED),),
}
"""Of each point its contacts, the gravest first: which, its value while it holds, what it flags."""


@dataclass(frozen=True)
class Row:
    moment: int
    point: int
    time: int
    value: float
    flags: int = 0

    @property
    def level(self) -> int | None:
        """What it shows as a contact; None: nothing."""
        return None if self.flags & Flag.BAD or self.value not in {0, 1} else int(self.value)


def batch(rows: list[Row]) -> Batch:
    return Batch(
        np.array([row.point for row in rows], np.int32),
        np.array([row.time for row in rows], np.int64),
        np.array([row.value for row in rows], float),
        np.array([row.flags for row in rows], np.uint16),
        np.array([row.moment for row in rows], np.int64),
    )


def flagged(rows: list[Row], contacts: StatusContacts | None = None) -> list[int]:
    contacts = contacts or StatusContacts(TABLE)
    return [*map(int, contacts.marked(batch(rows)).flags)]


def restarted(contacts: StatusContacts) -> StatusContacts:
    loaded = StatusContacts(TABLE)
    loaded.load(json.loads(json.dumps(contacts.state())))
    return loaded


MOMENTS = st.lists(
    st.tuples(
        st.integers(-15, 8),
        st.lists(
            st.tuples(
                st.integers(FAULT, OTHER),
                st.sampled_from([0.0, 1.0, 0.0, 1.0, 0.5, float("nan")]),
                st.sampled_from([0, 0, 0, 0, int(Flag.BAD), int(Flag.HISTORICAL)]),
            ),
            max_size=6,
            unique_by=lambda row: row[0],
        ),
    ),
    max_size=40,
)
"""What comes together: how much later it is than what came before it, and points with value and flags."""


def stream(moments: list[tuple[int, list[tuple[int, float, int]]]], *, late: bool) -> list[Row]:
    """The readings, those flagged as late that are not newer than live ones of their point."""
    rows, now, newest = list[Row](), 100, dict[int, int]()
    for number, (later, columns) in enumerate(moments):
        now = max(50, now + later) if late else now + abs(later) + 1
        for point, value, given_flags in columns:
            flags = given_flags if late else given_flags & ~int(Flag.HISTORICAL)
            if now <= newest.get(point, 0):
                flags |= int(Flag.LATE)
            if not flags & int(NOT_LIVE):
                newest[point] = now
            rows.append(Row(number, point, now, value, flags))
    return rows


def by_gravity(row: Row, levels: dict[int, int | None]) -> int:
    """The flags that a reading has to have, by the level of each contact; None: unknown."""
    flags = row.flags
    for contact, active, flag in SAYS.get(row.point, ()):
        if levels[contact] == active:
            return flags | flag
        if levels[contact] is None:
            flags |= UNKNOWN
    return flags


@given(MOMENTS, st.lists(st.integers(0, 150), max_size=6), st.booleans())
def test_a_live_reading_has_the_state_of_the_newest_reading_of_each_contact(
    moments: list[tuple[int, list[tuple[int, float, int]]]], cuts: list[int], restarts: bool
) -> None:
    """That of its own moment at the latest, wherever it stands in the frame, and none older than the silence."""
    rows = stream(moments, late=False)
    expected = []
    for row in rows:
        heard = {
            contact: [earlier for earlier in rows if earlier.point == contact and earlier.time <= row.time]
            for contact in (FAULT, CHECKING, WORN, FAULT_B)
        }
        levels = {
            contact: ones[-1].level if ones and row.time - ones[-1].time <= SILENCE else None
            for contact, ones in heard.items()
        }
        expected.append(by_gravity(row, levels))
    assert cut(rows, cuts, restarts=restarts) == expected


@settings(deadline=None)
@given(MOMENTS, st.lists(st.integers(0, 150), max_size=6), st.booleans(), st.sampled_from([2, 3, KEPT]))
def test_readings_of_the_past_have_the_state_of_their_time_as_far_as_it_is_remembered(
    moments: list[tuple[int, list[tuple[int, float, int]]]], cuts: list[int], restarts: bool, kept: int
) -> None:
    agrees_with_loops(stream(moments, late=True), cuts, kept, restarts=restarts)


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_what_is_remembered_of_a_contact_that_flickers_does_not_depend_on_the_cuts(kept: int) -> None:
    """Values of a gateway whose clock is behind look back over more changes than are remembered."""
    random = np.random.default_rng(kept)
    for _ in range(100):
        behind = int(random.integers(0, 9))
        rows = [
            Row(at, point, 100 + at - behind * (point == B), float(random.integers(0, 2)))
            for at in range(20)
            for point in (FAULT_B, B)
            if random.random() < 0.8
        ]
        agrees_with_loops(rows, random.integers(0, 40, 4).tolist(), kept, restarts=bool(random.integers(0, 2)))


def agrees_with_loops(rows: list[Row], cuts: list[int], kept: int, *, restarts: bool) -> None:
    """Whatever the cuts, with so many runs remembered of each contact."""
    expected = []
    for row in rows:
        levels = dict[int, int | None]()
        for contact in (FAULT, CHECKING, WORN, FAULT_B):
            heard = [earlier for earlier in rows if earlier.point == contact and earlier.moment <= row.moment]
            live = [earlier for earlier in heard if not earlier.flags & NOT_LIVE]
            past = [earlier for earlier in heard if earlier.flags & NOT_LIVE] if row.flags & NOT_LIVE else []
            shown: tuple[int, int | None] = (-1, None)
            for first, last, level in (*runs(live, kept), *runs(past, kept)):
                if first <= row.time and min(last, row.time) >= shown[0]:
                    shown = min(last, row.time), level
            levels[contact] = shown[1] if row.time - shown[0] <= SILENCE else None
        expected.append(by_gravity(row, levels))
    with pytest.MonkeyPatch.context() as patch:
        for module in (contact_history, contact_runs):
            patch.setattr(module, "KEPT", kept)
        assert cut(rows, cuts, restarts=restarts) == expected


def runs(readings: list[Row], kept: int) -> list[tuple[int, int, int | None]]:
    """Readings of one level, none of which is missing between them, as (first, last, level): the newest ones."""
    found = list[tuple[int, int, int | None]]()
    for row in readings:
        if found and found[-1][2] == row.level and 0 < row.time - found[-1][1] <= SILENCE // 2:
            found[-1] = found[-1][0], row.time, row.level
        else:
            found.append((row.time, row.time, row.level))
    return found[-kept:]


def cut(rows: list[Row], cuts: list[int], *, restarts: bool) -> list[int]:
    """The flags of all rows, cut into batches between moments, and what is known saved and loaded between them."""
    starts = [at for at in range(1, len(rows)) if rows[at].moment != rows[at - 1].moment]
    chosen = {starts[at % len(starts)] for at in cuts} if starts else set()
    contacts, parts = StatusContacts(TABLE), list[Batch]()
    for begin, end in pairwise(sorted({0, *chosen, len(rows)})):
        contacts = restarted(contacts) if restarts else contacts
        parts.append(contacts.marked(batch(rows[begin:end])))
    whole = StatusContacts(TABLE)
    whole.marked(batch(rows))
    assert contacts.state() == whole.state()
    return [*map(int, concat(parts).flags)]


def test_the_worst_of_two_wins_and_a_lesser_one_that_is_unknown_changes_nothing() -> None:
    def state(fault: float, checking: float, worn: float) -> int:
        rows = [Row(0, at, 100, value) for at, value in ((FAULT, fault), (CHECKING, checking), (WORN, worn), (A, 5.0))]
        return flagged(rows)[-1]

    nan = float("nan")
    assert [state(0, 1, 0), state(1, 0, 1), state(0, 0, 1), state(0, 1, 1)] == [0, FAILED, TESTED, ASKING]
    assert [state(1, nan, nan), state(nan, 0, 0), state(nan, nan, 1)] == [FAILED, TESTED | UNKNOWN, ASKING | UNKNOWN]


def test_a_contact_that_was_never_heard_or_falls_silent_is_unknown_and_not_healthy() -> None:
    contacts = StatusContacts(TABLE)
    assert flagged([Row(0, B, 100, 5.0)], contacts) == [UNKNOWN]
    assert flagged([Row(1, B, 101, 5.0), Row(1, FAULT_B, 101, 0.0)], contacts) == [0, 0]
    assert flagged([Row(2, B, 101 + SILENCE, 5.0), Row(3, B, 102 + SILENCE, 5.0)], contacts) == [0, UNKNOWN]


def test_a_batch_without_contacts_and_their_points_is_left_as_it_is() -> None:
    readings = batch([Row(0, OTHER, 100, 1.0), Row(0, 90, 100, 1.0)])
    assert StatusContacts(TABLE).marked(readings) is readings
    everything = batch([Row(0, FAULT, 100, 1.0), Row(0, A, 100, 1.0)])
    assert StatusContacts().marked(everything) is everything


def test_a_contact_keeps_what_it_showed_when_others_come_and_one_that_is_none_any_more_is_forgotten() -> None:
    contacts = StatusContacts(TABLE)
    flagged([Row(0, at, 100, 1.0) for at in (FAULT, FAULT_B)], contacts)
    fewer = ContactTable(
        point=np.array([FAULT_B], np.int32),
        active=np.array([1], np.int8),
        silence=np.array([SILENCE]),
        contact=np.array([-1, -1, -1, 0, -1, -1, -1, -1, -1], np.int32),
        instrument=np.array([-1, -1, -1, -1, -1, -1, 0, -1, -1], np.int32),
        of=np.array([[0], [-1], [-1], [-1]], np.int32),
    )
    now = contacts.successor(fewer)
    assert flagged([Row(1, A, 101, 5.0), Row(1, B, 101, 5.0)], now) == [0, FAILED]
    assert flagged([Row(2, A, 102, 5.0)], now.successor(TABLE)) == [UNKNOWN]


def test_a_contact_whose_newest_time_is_wrong_is_heard_again_once_that_is_discarded() -> None:
    contacts = StatusContacts(TABLE)
    flagged([Row(0, FAULT_B, 10**9, 1.0)], contacts)
    contacts.forget(np.array([FAULT_B], np.int32))
    assert flagged([Row(1, B, 100, 5.0), Row(1, FAULT_B, 100, 0.0)], contacts) == [0, 0]
