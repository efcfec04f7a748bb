"""Opens the service's data: disk guard, journal, state database, history, plant configuration."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import Changed, PlantFiles
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.installation import require_data, require_installation
from ingest.runtime.settings import Settings
from ingest.storage.history.registry import open_store
from ingest.storage.history.store import HistoryStore
from ingest.storage.history.unavailable import UnavailableStore
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from ingest.storage.state.database import Database
from ingest.storage.state.installation import InstallationStore

PLANTS_IN_FORCE: Final = "plants-in-force"
"""The folder beside the journal where plant files in force are stored."""

_AGAIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class RosterPutOff(Event, level="error"):
    """Changed plant files could not be taken over, since new points could not be numbered; tried again."""

    error: str


def open_data(settings: Settings, opened: ExitStack, *, new: bool) -> tuple[DiskGuard, Journal, Database]:
    """Open disk guard, journal and state database, which `opened` closes; nothing is written if data is missing.

    Raises:
        DataMissing: data of this installation is not where the settings say.
        JournalUnavailable, JournalBroken, StateUnavailable, StateBroken: a file cannot be opened.
        StateAway: the server of the state database does not answer.
    """
    require_data(settings.journal.path, settings.state, new=new, names=settings.databases)
    folders = [settings.journal.path.parent, *filter(None, [settings.state.folder])]
    guard = DiskGuard(folders, settings.journal.reserve_mb)  # first: the databases may need the space it frees
    journal = Journal(settings.journal.path, settings.journal.quota())
    opened.callback(journal.close)
    database = Database(settings.state)
    opened.callback(database.close)
    require_installation(journal, InstallationStore(database), new=new, names=settings.databases)
    return guard, journal, database


def open_history(settings: Settings, *, new: bool) -> HistoryStore:
    """Open the history now or as soon as possible; at a first start only now. Raises HistoryUnavailable."""
    store = UnavailableStore(partial(open_store, settings.history))
    if new and store.error is not None:
        raise store.error
    return store


def plant_files(settings: Settings, changed: Changed = lambda _name, _before, _after: None) -> PlantFiles:
    """Return the plant files, with those in force stored beside the journal. `changed`: see `PlantFiles`."""
    kept = SavedFiles(settings.journal.path.with_name(PLANTS_IN_FORCE))
    return PlantFiles(settings.plants, kept, wait_s=settings.removal_wait_s, changed=changed)


def first_configuration(files: PlantFiles, journal: Journal) -> PlantConfiguration:
    """Load the configuration of the plant files as they are, points numbered. Raises InvalidConfig if none can be."""
    configuration = files.load(journal.number_points, 1)
    if configuration is None:
        raise AssertionError("a first load gives a configuration")
    return configuration


def next_configuration(files: PlantFiles, journal: Journal, version: int) -> PlantConfiguration | None:
    """Load the configuration of changed plant files; None: the one in force stays, for good or until the next try."""
    try:
        return files.load(journal.number_points, version)
    except InvalidConfig:  # every file was taken away or broken, and nothing is kept: the configuration in force stays
        return None
    except JournalUnavailable as error:
        emit(RosterPutOff(str(error)))
        files.due = time.monotonic() + _AGAIN_S
        return None
