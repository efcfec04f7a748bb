"""SIGHUP: the settings are read again; what can change while the service runs does, and the rest is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.model.fault import InvalidConfig
from ingest.settings import Settings, load_in_force
from ingest.telemetry import Event, configure_logging, emit


@dataclass(frozen=True, slots=True)
class SettingsReread(Event):
    """The settings were read again, as asked for by SIGHUP; plant files and certificates are, whenever they change."""

    log_level: str
    restart_for: tuple[str, ...]  # tables that are not as they were: they count from the next start


@dataclass(frozen=True, slots=True)
class SettingsNotReread(Event, level="error"):
    """The settings cannot be used as they stand; the service goes on by those it has."""

    key: str
    value: str
    expected: str


def reread(file: Path, running: Settings) -> None:
    """Read the settings again and take over the log's level; never raises.

    Args:
        file: the settings.
        running: those the service was started with.
    """
    try:
        found = load_in_force(file)
        faults = found.faults
    except InvalidConfig as error:
        faults = tuple(error.faults)
    for fault in faults:
        emit(SettingsNotReread(fault.key, str(fault.value), fault.expected))
    if faults:
        return
    log = found.settings.log
    configure_logging(level=log.level, json=log.json_lines)
    changed = [name for name in Settings.model_fields if getattr(found.settings, name) != getattr(running, name)]
    if "log" in changed and log.heartbeat == running.log.heartbeat:
        changed.remove("log")
    emit(SettingsReread(log.level, tuple(changed)))
