"""What a history store promises that can refuse readings, or keeps them for a time only. It gives `refusing`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.domain.model.batch import Batch
from ingest.storage.history.refusals import write_around
from ingest.storage.history.store import HistoryStore
from tests.ingest.storage.history.made_up import configuration


@dataclass(frozen=True, slots=True)
class Refusing:
    """A store that will not keep all of these readings.

    Attributes:
        bad: places of those it refuses; of a series and time of their own.
        expired: places of those older than it keeps.
    """

    store: HistoryStore
    readings: Batch
    bad: frozenset[int]
    expired: frozenset[int]


class HistoryRefusals:
    """One bad reading costs itself only, and one that is too old is no fault."""

    def test_writes_are_halved_until_bad_items_are_isolated_and_all_others_are_stored_once(
        self, refusing: Refusing
    ) -> None:
        count = len(refusing.readings)
        for _ in range(2):
            found = write_around(
                count,
                lambda part: refusing.store.write_readings(refusing.readings.take(np.r_[part]), configuration(), 1),
            )
            assert {place for place, _ in found.refused} == refusing.bad
            assert all(reason for _, reason in found.refused)
            assert found.expired == len(refusing.expired)
            assert refusing.store.count_readings() == count - len(refusing.bad | refusing.expired)
