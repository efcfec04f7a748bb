"""The service's settings: one TOML file, composed of each component's own part, checked whole before the start."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ingest.alarms.config import AlarmsConfig
from ingest.api.access import Keyring
from ingest.api.config import ApiConfig
from ingest.cases.config import CasesConfig
from ingest.connectors.config import ConnectorsConfig, open_connectors
from ingest.history.config import DuckDBConfig, HistoryConfig
from ingest.journal.config import JournalConfig
from ingest.model.config import Config, Secret
from ingest.model.fault import Fault, InvalidConfig, faults_of
from ingest.pipeline.engine import EngineConfig
from ingest.pipeline.intake import IntakeConfig
from ingest.plants.load import load_roster
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.roster import Roster
from ingest.sources.mqtt import MqttConfig, tls_context
from ingest.state.config import StateConfig, require_files
from ingest.warnings.config import WarningsConfig


class LogConfig(Config):
    """What is told on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = True  # false: coloured text for people
    heartbeat: Path | None = None  # a file written anew every second while no part of the service hangs


class Settings(Config):
    """Everything the service is told. Relative paths count from the folder of the settings file."""

    plants: Path = Path("plants")
    removal_wait_s: float = Field(default=60.0, ge=0)  # how long a file must stay so before what it lost is let go
    mqtt: MqttConfig = MqttConfig()
    journal: JournalConfig = JournalConfig()
    state: StateConfig = StateConfig()
    history: HistoryConfig = DuckDBConfig(path=Path("data/history.duckdb"))
    intake: IntakeConfig = IntakeConfig()
    engine: EngineConfig = EngineConfig()
    alarms: AlarmsConfig = AlarmsConfig()
    warnings: WarningsConfig = WarningsConfig()
    cases: CasesConfig = CasesConfig()
    connectors: ConnectorsConfig = ConnectorsConfig()
    api: ApiConfig = ApiConfig()
    log: LogConfig = LogConfig()

    @property
    def databases(self) -> tuple[str, str]:
        """Where the journal and the state database lie, for people."""
        return str(self.journal.path), str(self.state.server or self.state.path)


def load_settings(file: Path) -> Settings:
    """Read the settings file.

    Raises:
        InvalidConfig: with every fault in it.
    """
    try:
        return Settings.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidConfig([Fault(str(file), "(file)", error.strerror or str(error), "a readable file")]) from error
    except UnicodeDecodeError as error:
        raise InvalidConfig([Fault(str(file), "(file)", f"byte {error.start}", "UTF-8 text")]) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfig([Fault(str(file), "(file)", str(error), "valid TOML")]) from error
    except ValidationError as error:
        raise InvalidConfig(faults_of(file, error, Settings)) from error


def check_all(file: Path) -> Roster:
    """Check the settings, the secrets and files they name, and every plant file, without touching the network.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    faults: list[Fault] = []
    plants = Path("plants")
    try:
        settings = load_settings(file)
    except InvalidConfig as error:
        faults += error.faults
    else:
        plants = settings.plants
        faults += _secret_faults(file, settings)
        for check in (
            lambda: tls_context(settings.mqtt),
            lambda: open_connectors(settings.connectors),
            lambda: Keyring(settings.api.tokens),
            lambda: require_files(settings.state),
            settings.warnings.terms,
        ):
            try:
                check()
            except InvalidConfig as error:
                faults += error.faults
    try:
        roster = load_roster(plants, MemoryNumbering(), version=1)
    except InvalidConfig as error:
        faults += error.faults
    if faults:
        raise InvalidConfig(faults)
    return roster


def _secret_faults(file: Path, settings: Settings) -> list[Fault]:
    """Secrets of the broker, the state database and the history; connectors and tokens look after their own."""
    secrets = {
        "mqtt.password": settings.mqtt.password,
        "state.password": settings.state.password,
        "history.password": getattr(settings.history, "password", None),
        "history.token": getattr(settings.history, "token", None),
    }
    faults = []
    for key, secret in secrets.items():
        if isinstance(secret, Secret):
            try:
                secret.read()
            except LookupError as error:
                faults.append(Fault(str(file), key, "(hidden)", f"a secret that can be read: {error.args[0]}"))
    return faults
