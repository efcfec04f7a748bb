"""A frame nested as deep as nothing should be costs nobody else anything."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ingest.intake.wire.decode import decode
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.nesting import DEEPEST

FRAME = '{{"boot":"b","seq":1,"time":[1763884800000],"values":{{"A":[1.0],"B":{}}}}}'


class Collected:
    """Garbage of somebody else's, whose end takes some calls."""

    ended = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self._end(20)

    def _end(self, calls: int) -> None:
        if calls:
            self._end(calls - 1)
        else:
            Collected.ended += 1


@pytest.fixture
def _collection() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.enable()


@pytest.mark.usefixtures("_collection")
@pytest.mark.parametrize("opening", ['{"a":', '{"a":['])
def test_what_is_collected_while_a_deep_frame_is_read_ends_as_it_should(opening: str) -> None:
    """Wherever in the frame the collection begins."""
    Collected.ended = 0
    frame, starts = opening.encode() * 100_000, range(100, 1100, 10)
    for objects in starts:
        gc.collect(0)  # counts anew; all that is left of other tests need not be passed over each time
        gc.disable()
        Collected()
        gc.set_threshold(objects)
        gc.enable()
        with pytest.raises(Rejected, match="nested deeper than 500") as caught:
            decode(frame, {"A": 7, "B": 8})
        assert caught.value.reason is Reason.NOT_READABLE
    gc.collect()
    assert Collected.ended == len(starts)


def test_a_column_nested_less_deep_costs_only_itself_and_brackets_in_texts_are_none() -> None:
    deep = "[" * (DEEPEST - 2)
    decoded = decode(FRAME.format(deep + "]" * len(deep)).encode(), {"A": 7, "B": 8})
    assert decoded.points == [7]
    many = ",".join(['"[{"'] * 2 * DEEPEST)
    assert decode(FRAME.format(f"[{many}]").encode(), {"A": 7, "B": 8}).points == [7]
    with pytest.raises(Rejected, match="nested deeper than 500"):
        decode(FRAME.format(f"[{deep}]{']' * len(deep)}").encode(), {"A": 7, "B": 8})
