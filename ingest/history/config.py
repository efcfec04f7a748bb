"""The choice of a history store, by `kind`."""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import Field

from ingest.history.duck import DuckDBConfig, DuckDBStore
from ingest.history.influx_v1 import InfluxV1Config, InfluxV1Store
from ingest.history.influx_v2 import InfluxV2Config, InfluxV2Store
from ingest.history.store import HistoryStore

HistoryConfig = Annotated[DuckDBConfig | InfluxV1Config | InfluxV2Config, Field(discriminator="kind")]
"""`kind` = "duckdb" (the default to ship), "influxdb1" or "influxdb2" (2.x and 3.x)."""


def open_store(config: HistoryConfig) -> HistoryStore:
    """The store of that kind, ready to use. A database server need not be up: the writer waits for it.

    Raises:
        LookupError: a secret is not where the settings say.
        HistoryUnavailable: the file cannot be opened, or another process holds it.
    """
    match config:
        case DuckDBConfig():
            return DuckDBStore(config)
        case InfluxV1Config():
            return InfluxV1Store(config)
        case InfluxV2Config():
            return InfluxV2Store(config)
        case _:
            assert_never(config)
