"""Every kind of history store by the `kind` that chooses it in the settings. `docs/extending.md`: how one is added."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

from ingest.base.config import chosen_by_kind
from ingest.base.extras import needing
from ingest.storage.history.config import DuckDBConfig, InfluxV1Config, InfluxV2Config, StoreConfig
from ingest.storage.history.store import HistoryStore


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A kind of store.

    Attributes:
        config: its settings.
        store: the class that is built with them, as `module:class`. The module is imported when the store is opened:
            libraries of kinds that are not in use cost 30 MB and half a second of every start.
    """

    config: type[StoreConfig]
    store: str


KINDS: Final[Mapping[str, StoreKind]] = {
    "duckdb": StoreKind(DuckDBConfig, "ingest.storage.history.duck:DuckDBStore"),
    "influxdb1": StoreKind(InfluxV1Config, "ingest.storage.history.influx_v1:InfluxV1Store"),
    "influxdb2": StoreKind(InfluxV2Config, "ingest.storage.history.influx_v2:InfluxV2Store"),  # 2.x and 3.x
}

if TYPE_CHECKING:
    HistoryConfig = StoreConfig
else:
    HistoryConfig = chosen_by_kind({name: kind.config for name, kind in KINDS.items()}, default="duckdb")


def open_store(config: StoreConfig, kinds: Mapping[str, StoreKind] = KINDS) -> HistoryStore:
    """Open the store of these settings. A database server need not be up: the writer waits for it.

    Raises:
        LookupError: a secret is not where the settings say, or the extra is not installed.
        HistoryUnavailable: the file cannot be opened, or another process holds it.
    """
    with needing(config.needs, f"history.kind = {config.kind}") if config.needs else nullcontext():
        store = resolve_name(kinds[config.kind].store)
    opened: HistoryStore = store(config)
    return opened
