"""The service's settings: one TOML file composed of each component's settings, validated whole before the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config, Secret, SecretUnreadable, tables_of
from ingest.base.extras import command, installed
from ingest.base.pace import PaceConfig
from ingest.delivery.config import ConnectorsConfig
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.calls.config import CallsConfig
from ingest.domain.cases.config import CasesConfig
from ingest.domain.model.expectations import misplaced, readable_secret
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.domain.warnings.config import WarningsConfig
from ingest.engine.engine import EngineConfig
from ingest.intake.intake import IntakeConfig
from ingest.intake.sources.config import MqttConfig, SourceConfig
from ingest.services.config import ApiConfig
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.registry import HistoryConfig
from ingest.storage.journal.config import JournalConfig
from ingest.storage.state.config import SERVER_EXTRA, StateConfig, require_files


class LogConfig(Config):
    """What is logged on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = True  # false: coloured text for people
    heartbeat: Path | None = None  # a file written anew every second while no part of the service hangs


class Settings(Config):
    """All settings of the service. Relative paths count from the folder of the settings file."""

    plants: Path = Path("plants")
    removal_wait_s: float = Field(default=60.0, ge=0)  # how long a file must stay so before what it lost is let go
    mqtt: MqttConfig = MqttConfig()
    journal: JournalConfig = JournalConfig()
    state: StateConfig = StateConfig()
    history: HistoryConfig = DuckDBConfig()
    intake: IntakeConfig = IntakeConfig()
    engine: EngineConfig = EngineConfig()
    pace: PaceConfig = PaceConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    warnings: WarningsConfig = WarningsConfig()
    calls: CallsConfig = CallsConfig()
    cases: CasesConfig = CasesConfig()
    connectors: ConnectorsConfig = ConnectorsConfig()
    api: ApiConfig = ApiConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _at_most_one_source(self) -> Self:
        given = self._source_tables()
        if len(given) > 1:
            expected = Text(f"一个数据来源：已写了 [{given[0]}]", f"one source of readings: [{given[0]}] is given, too")
            raise misplaced(((given[1],), given[1], expected))
        return self

    @property
    def source_table(self) -> str:
        """The key of the one source's table: the one that is given, else that of the broker."""
        return next(iter(self._source_tables()), "mqtt")

    @property
    def source(self) -> SourceConfig:
        """The settings of the one source of readings."""
        found: SourceConfig = getattr(self, self.source_table)
        return found

    def _source_tables(self) -> list[str]:
        return [name for name in tables_of(type(self), SourceConfig) if name in self.model_fields_set]

    @property
    def databases(self) -> tuple[str, str]:
        """The locations of journal and state database, for people."""
        return str(self.journal.path), str(self.state.server or self.state.path)


def files_of(settings: Settings, file: Path) -> Iterator[tuple[str, Fault]]:
    """Return faults of the files, secrets and extras in tables, except in their entries: each with its table."""
    extras = {"history.kind": (settings.history.kind, settings.history.needs)}
    if settings.state.server is not None:
        extras["state.url"] = (str(settings.state.server), SERVER_EXTRA)
    for key, (value, extra) in extras.items():
        if extra is not None and not installed(extra):
            run = command(extra)
            expected = Text(f"已安装附加组件：{run}", f"its extra installed: {run}")
            yield key.partition(".")[0], Fault(str(file), key, repr(value), expected)
    checks: dict[str, Callable[[], object]] = {
        settings.source_table: settings.source.require_files,
        "state": lambda: require_files(settings.state),
    }
    for table, check in checks.items():
        try:
            check()
        except InvalidConfig as error:
            yield from ((table, fault) for fault in error.faults)
    parts: dict[str, Config] = {
        settings.source_table: settings.source,
        "state": settings.state,
        "history": settings.history,
    }
    for table, part in parts.items():
        for name, secret in part:
            if isinstance(secret, Secret):
                try:
                    secret.read()
                except SecretUnreadable as error:
                    yield table, Fault(str(file), f"{table}.{name}", "(hidden)", readable_secret(error))
