"""Records the parts of the settings that cannot be used at a start: left out, and reported for as long as they are.

A token that cannot be read admits nobody; messages for a connector that cannot be opened wait in the outbox; warnings
use the last good rules, a table with a typo its last good version. Plants are monitored all the while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.warnings.rules import ColourRules, load_rules
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.settings import InForce

_RULES: Final = "warning-rules.toml"
_RECHECK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class SettingRefused(Event, level="error"):
    """A part of the settings cannot be used; the service runs without it until it is mended and started again."""

    file: str
    key: str
    value: str
    expected: str


@dataclass(frozen=True, slots=True)
class SettingsHeld(Event, level="error"):
    """A table of the settings file has faults; what stood there when it was good last is in force."""

    table: str


@dataclass(frozen=True, slots=True)
class SettingMended(Event):
    """A part of the settings that could not be used at the start is in use."""

    key: str
    value: str


class Refusals:
    """The faults of this start, each logged once and counted for as long as it lasts."""

    def __init__(self, found: Sequence[Fault] = (), held: Sequence[str] = ()) -> None:
        """Record faults found already, and the tables whose last good version is in force."""
        self.faults: list[Fault] = []
        self(found)
        for table in held:
            emit(SettingsHeld(table))

    def __call__(self, faults: Sequence[Fault]) -> None:
        """Record faults instead of ending the service."""
        self.faults += faults
        for fault in faults:
            emit(SettingRefused(fault.file, fault.key, fault.value, fault.expected.both))

    def resolve(self, fault: Fault) -> None:
        """Record that a fault was corrected while the service runs."""
        self.faults.remove(fault)
        emit(SettingMended(fault.key, fault.value))

    def __str__(self) -> str:
        """Return the text for `/health/ready`, without names of tokens or receivers: callers of one plant see it."""
        if not self.faults:
            return "ok"
        return (
            f"{len(self.faults)} faults: parts of the settings are off, or as they were before; yujing check names them"
        )


async def recheck_refused(in_force: InForce, refusals: Refusals, every_s: float = _RECHECK_S) -> None:
    """Check unusable files and secrets of the settings periodically until all can be used; nothing is restarted."""
    waiting = {*in_force.unusable}
    while waiting:
        await asyncio.sleep(every_s)
        for fault in waiting & await asyncio.to_thread(in_force.usable_again):
            waiting.remove(fault)
            refusals.resolve(fault)


def rules_in_force(path: Path | None, kept: SavedFiles, refused: Refusals) -> ColourRules:
    """Return that file's warning rules; if it has faults the last good ones, else those shipped with the service."""
    try:
        rules = load_rules(path)
    except InvalidConfig as error:
        if path is None:
            raise
        refused(error.faults)
        try:
            return load_rules(kept.path(_RULES))
        except InvalidConfig:
            return load_rules()
    if path is not None:
        with suppress(OSError):  # removed since: the stored copy stays
            kept.keep(_RULES, path.read_bytes())
    return rules
