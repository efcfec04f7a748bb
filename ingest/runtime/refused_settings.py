"""Parts of the settings that cannot be used at a start: left out, and told for as long as they are.

A token that cannot be read lets nobody in; what is for a connector that cannot be opened waits in the outbox; warnings
go on by the last good rules, a table with a typo by what it was before. Plants are watched all the while.
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
_LOOK_AGAIN_S: Final = 5.0


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
    """The faults of this start, each told once in the log and counted for as long as the service runs."""

    def __init__(self, found: Sequence[Fault] = (), held: Sequence[str] = ()) -> None:
        """With those found already, and the tables of which an earlier text is in force."""
        self.faults: list[Fault] = []
        self(found)
        for table in held:
            emit(SettingsHeld(table))

    def __call__(self, faults: Sequence[Fault]) -> None:
        """Take faults note of, instead of ending over them."""
        self.faults += faults
        for fault in faults:
            emit(SettingRefused(fault.file, fault.key, fault.value, fault.expected))

    def mended(self, fault: Fault) -> None:
        """Take note that one is none any more, while the service runs."""
        self.faults.remove(fault)
        emit(SettingMended(fault.key, fault.value))

    def __str__(self) -> str:
        """For `/health/ready`: no name of a token or a receiver, since callers of one plant read it, too."""
        if not self.faults:
            return "ok"
        return (
            f"{len(self.faults)} faults: parts of the settings are off, or as they were before; yujing check names them"
        )


async def look_for_mended(in_force: InForce, refusals: Refusals, every_s: float = _LOOK_AGAIN_S) -> None:
    """Take note of files and secrets the settings name which can be used again, until all can; nothing is restarted."""
    waiting = {*in_force.unusable}
    while waiting:
        await asyncio.sleep(every_s)
        for fault in waiting & await asyncio.to_thread(in_force.mended):
            waiting.remove(fault)
            refusals.mended(fault)


def rules_in_force(path: Path | None, kept: SavedFiles, refused: Refusals) -> ColourRules:
    """The warning rules of that file; if it has faults the last good ones, or else those that come with the service."""
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
        with suppress(OSError):  # gone since: what is kept stays
            kept.keep(_RULES, path.read_bytes())
    return rules
