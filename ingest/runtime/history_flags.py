"""Adds the quality flags of readings that go to the history: those of the engine, but for their order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ingest.domain.model.batch import Batch
from ingest.domain.quality.late import flag_late
from ingest.domain.quality.status_contacts import StatusContacts
from ingest.engine.engine_state import EngineState
from ingest.plants.configuration import PlantConfiguration


class HistoryFlags:
    """Called by the history writer's thread alone, with the readings in the order of the journal.

    Some are given once more, all or those of some points: after a failure, and for the phases of equipment. They are
    late then and get the flags of their time, by what is remembered of the contacts.

    The writer may be ahead of the engine or far behind it, so it follows the status contacts by itself, from what the
    engine knew of them when the writer began.
    """

    def __init__(self, engine_state: Callable[[], EngineState]) -> None:
        self._engine_state = engine_state
        self._configuration: PlantConfiguration | None = None
        self._contacts = StatusContacts()
        self._newest = np.zeros(0, np.int64)

    def __call__(self, batch: Batch, configuration: PlantConfiguration) -> Batch:
        """Return the readings with the flags of their value, their instrument's contacts and function checks."""
        checked = configuration.checked(batch)
        if configuration.contacts is not None:
            self._follow(configuration, int(batch.point.max(initial=-1)) + 1)
            marks = self._contacts.marks(flag_late(checked, self._newest))
            checked = checked if marks is None else checked.with_flags(checked.flags | marks)
        return self._engine_state().function_checks.marked(checked)

    def _follow(self, configuration: PlantConfiguration, points: int) -> None:
        """Go on with the contacts of that configuration; there are at least so many points."""
        if configuration is not self._configuration:
            contacts, newest = self._contacts, self._newest
            if self._configuration is None:
                state = self._engine_state()
                contacts, newest = state.contacts, state.newest  # in this order: never times without their contacts
            self._contacts = contacts.successor(configuration.contacts)
            self._newest, self._configuration = newest.copy(), configuration
        if points > len(self._newest):
            self._newest = np.concatenate((self._newest, np.zeros(points - len(self._newest), np.int64)))
