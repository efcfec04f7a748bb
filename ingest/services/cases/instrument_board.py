"""How every instrument stands with its checks, kept in memory: a county's ledgers are not read for each page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from threading import Lock
from typing import Final
from uuid import UUID

from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.ledger import Ledger, ledger_of
from ingest.domain.cases.ledger_due import InstrumentStatus, Stopped, statuses_of
from ingest.domain.model.instrument import Instrument
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.state.case_store import CaseStore

Statuses = tuple[InstrumentStatus, ...]

_NOTHING: Final[AbstractSet[str]] = frozenset()


class InstrumentBoard:
    """Reads the ledgers once, when it is first asked, and is followed by `CaseStore`. From any thread.

    The status of a plant's instruments is worked out anew only where something that decides it has changed: the day,
    the configuration, a ledger of the plant, its points out of service. Else the same objects are returned again.
    """

    def __init__(self, store: CaseStore, config: CasesConfig) -> None:
        self._store = store
        self._config = config
        self._lock = Lock()
        self._ledgers: dict[str, dict[UUID, Ledger]] | None = None  # by plant; None: not read yet
        self._changes = 0
        self._for: tuple[int, dt.date] | None = None  # version of the configuration and day of what follows
        self._statuses: dict[str, tuple[AbstractSet[str], Statuses]] = {}  # by plant, with its points out of service
        self._in_order: list[InstrumentStatus] | None = None  # of all plants

    @property
    def changes(self) -> int:
        """A number that grows whenever a ledger is opened or anything is entered in one."""
        return self._changes

    def note(self, records: Sequence[object]) -> None:
        """Take over ledgers as they were committed, in whatever order they come."""
        for ledger in records:
            if isinstance(ledger, Ledger):
                with self._lock:
                    self._changes += 1
                    if self._ledgers is not None:
                        self._keep(self._ledgers, ledger)

    def doubt(self) -> None:
        """Read the ledgers again when next asked: nobody knows whether something was committed."""
        with self._lock:
            self._changes += 1
            self._ledgers, self._statuses, self._in_order = None, {}, None

    def missing(self, instruments: Iterable[Instrument]) -> list[Instrument]:
        """Return those of these instruments that have no ledger. Raises StateUnavailable."""
        with self._lock:
            ledgers = self._read()
            return [
                instrument
                for instrument in instruments
                if ledger_of(instrument) not in ledgers.get(instrument.plant, ())
            ]

    def by_plant(self, configuration: PlantConfiguration, stopped: Stopped, today: dt.date) -> dict[str, Statuses]:
        """Return the status of the instruments of every plant that names instruments. Raises StateUnavailable."""
        with self._lock:
            return {plant: self._of(configuration, plant, stopped, today) for plant in configuration.instruments}

    def of_plants(
        self, configuration: PlantConfiguration, plants: AbstractSet[str], stopped: Stopped, today: dt.date
    ) -> list[InstrumentStatus]:
        """Return the status of the instruments of these plants, ordered by deadline. Raises StateUnavailable.

        `stopped`: the points of these plants that are out of service.
        """
        known = [plant for plant in configuration.instruments if plant in plants]
        with self._lock:
            found = [status for plant in known for status in self._of(configuration, plant, stopped, today)]
            if len(known) < len(configuration.instruments):
                return sorted(found, key=_urgency)
            if self._in_order is None:
                self._in_order = sorted(found, key=_urgency)
            return self._in_order

    def _of(self, configuration: PlantConfiguration, plant: str, stopped: Stopped, today: dt.date) -> Statuses:
        if self._for != (configuration.version, today):
            self._statuses, self._in_order, self._for = {}, None, (configuration.version, today)
        out = stopped.get(plant, _NOTHING)
        known = self._statuses.get(plant)
        if known is None or known[0] != out:
            ledgers = self._read().get(plant, {}).values()
            found = statuses_of(configuration.instruments[plant], ledgers, {plant: out}, today, self._config)
            known = self._statuses[plant] = frozenset(out), tuple(found)
            self._in_order = None
        return known[1]

    def _read(self) -> dict[str, dict[UUID, Ledger]]:
        if self._ledgers is None:
            ledgers: dict[str, dict[UUID, Ledger]] = {}
            for ledger in self._store.ledgers(None):
                ledgers.setdefault(ledger.plant, {})[ledger.id] = ledger
            self._ledgers = ledgers
        return self._ledgers

    def _keep(self, ledgers: dict[str, dict[UUID, Ledger]], ledger: Ledger) -> None:
        of_plant = ledgers.setdefault(ledger.plant, {})
        known = of_plant.get(ledger.id)
        if known is None or known.version < ledger.version:
            of_plant[ledger.id] = replace(ledger, entries=())
            self._statuses.pop(ledger.plant, None)


def _urgency(of: InstrumentStatus) -> tuple[dt.date, UUID]:
    return of.deadline, of.ledger.id
