"""Refused items are isolated, and all others are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.refusals import write_around


@given(st.integers(0, 200), st.sets(st.integers(0, 199), max_size=8), st.sets(st.integers(0, 199), max_size=99))
def test_exactly_the_bad_items_are_refused_and_all_others_written_once(
    count: int, bad: set[int], old: set[int]
) -> None:
    """And those too old for the store are counted once each, however many writes it takes."""
    written: list[int] = []
    calls = 0

    def write(part: slice) -> int:
        nonlocal calls
        calls += 1
        items = range(part.start, part.stop)
        if bad & set(items):
            raise HistoryRejected("no")
        written.extend(items)
        return len(old & set(items))

    found = write_around(count, write)
    refused = found.refused
    assert found.expired == sum(at < count for at in old - bad)
    assert [at for at, _ in refused] == sorted(at for at in bad if at < count)
    assert sorted(written) == [at for at in range(count) if at not in bad]
    assert written == sorted(written)
    assert calls <= 1 + 2 * len(refused) * max(1, count.bit_length())


def test_a_part_dropped_whole_is_not_searched() -> None:
    """InfluxDB answers how many points of a request it dropped; if it was all of them, nothing is searched for."""
    calls: list[int] = []

    def write(part: slice) -> int:
        size = part.stop - part.start
        calls.append(size)
        bad = len(set(range(part.start, part.stop)) & set(range(4, 8)))
        if bad:
            raise HistoryRejected("no", dropped=bad)
        return 0

    assert write_around(8, write).refused == [(at, "no") for at in range(4, 8)]
    assert calls == [8, 4, 4]


def test_an_outage_in_the_middle_ends_the_attempt() -> None:
    def write(part: slice) -> int:
        if part.stop - part.start > 1:
            raise HistoryRejected("no")
        raise HistoryUnavailable("gone")

    with pytest.raises(HistoryUnavailable):
        write_around(4, write)
