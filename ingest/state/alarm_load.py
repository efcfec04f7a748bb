"""What the alarms on record ask of each operator position: over a span, and now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

from ingest.alarms.config import AlarmsConfig
from ingest.alarms.lifecycle import STANDING, SUPPRESSED_STATES
from ingest.alarms.metrics import AlarmMetrics, lead, measure
from ingest.alarms.present import Present, at_present
from ingest.model.alarm import Alarm, AlarmFilter
from ingest.model.annunciations import Annunciations

MOST: Final = 50_000
"""Alarms looked at for the present; of more, the oldest are not counted."""

_OPEN: Final = STANDING | frozenset(SUPPRESSED_STATES)


class Book(Protocol):
    """Alarms on record, as far as this asks. Blocking."""

    def alarms(self, which: AlarmFilter, *, limit: int) -> Sequence[Alarm]:
        """Newest raised first."""

    def annunciations(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        """Those of these plants (None = all) with start <= called < end."""


class AlarmLoad:
    """Asks the alarms on record. `plants` gives the ids of all plants there are now. Blocking."""

    def __init__(self, book: Book, config: AlarmsConfig, plants: Callable[[], Iterable[str]]) -> None:
        self.config: Final = config
        self._book = book
        self._plants = plants

    def positions(self) -> dict[str, tuple[str, ...]]:
        """Every operator position with its plants."""
        return self.config.position_plants(self._plants())

    def metrics(self, plants: Collection[str], start: int, end: int) -> AlarmMetrics:
        """The metrics of a position with these plants. Raises ValueError if the span is empty, StateUnavailable."""
        return measure(self._book.annunciations(start - lead(self.config), end, plants), start, end, self.config)

    def recent(self, plants: Collection[str] | None, now: int) -> Annunciations:
        """What called of late: as long ago as it matters to what is shown now. Raises StateUnavailable."""
        return self._book.annunciations(now - lead(self.config), now + 1, plants)

    def present(self, positions: Mapping[str, Collection[str]], now: int) -> dict[str, Present]:
        """What each of these positions has before it now. Raises StateUnavailable."""
        plants = frozenset(plant for one in positions.values() for plant in one)
        alarms: dict[str, list[Alarm]] = {}
        for alarm in self._book.alarms(AlarmFilter(plants=plants, states=_OPEN), limit=MOST):
            alarms.setdefault(alarm.plant, []).append(alarm)
        recent = self.recent(plants, now)
        busy = {plant for plant, _, _ in recent.rules}
        found = {}
        for name, own in positions.items():
            mine = [alarm for plant in own for alarm in alarms.get(plant, ())]
            calls = recent.of(frozenset(own)) if busy.intersection(own) else Annunciations()
            found[name] = at_present(mine, calls, self.config, now)
        return found
