"""The kinds of history stores, by the `kind` that selects one in the settings. `docs/extending.md`: adding one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ingest.base.config import chosen_by_kind
from ingest.storage.history.config import DuckDBConfig, InfluxV1Config, InfluxV2Config, StoreConfig

KINDS: Final[Mapping[str, type[StoreConfig]]] = {
    "duckdb": DuckDBConfig,
    "influxdb1": InfluxV1Config,
    "influxdb2": InfluxV2Config,  # 2.x and 3.x
}

if TYPE_CHECKING:
    HistoryConfig = StoreConfig
else:
    HistoryConfig = chosen_by_kind(KINDS, default="duckdb")
