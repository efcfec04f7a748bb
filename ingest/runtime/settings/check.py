"""Checks everything the service would read at a start, without network access, for `yujing check`."""

from __future__ import annotations

import time
from pathlib import Path

from ingest.delivery.config import open_connectors
from ingest.domain.model.fault import InvalidConfig, all_of
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.runtime.settings.certificates import ended, unusable
from ingest.runtime.settings.in_force import compose, content_of
from ingest.runtime.settings.settings import Settings
from ingest.services.access import TokenStore
from ingest.web.tls import unpaired


def check_all(file: Path) -> tuple[Settings, PlantConfiguration]:
    """Check the settings, the secrets and files they name, and every plant file.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    found = compose(file, content_of(file), {})
    settings, faults = found.settings, [*found.faults, *ended(found.settings, time.time_ns())]
    try:
        all_of(
            lambda: open_connectors(settings.connectors),
            lambda: TokenStore(settings.api.tokens),
            settings.warnings.policy,
        )
    except InvalidConfig as error:
        faults += error.faults
    named = {fault.key for fault in faults}
    faults += [fault for fault in [*unusable(settings), *unpaired(settings.api)] if fault.key not in named]
    try:
        configuration = load_configuration(settings.plants, MemoryNumbering(), version=1)
    except InvalidConfig as error:
        raise InvalidConfig([*faults, *error.faults]) from error
    if faults:
        raise InvalidConfig(faults)
    return settings, configuration
