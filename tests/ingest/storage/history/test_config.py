"""The choice of a history store in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest.base.config import Secret
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.influx_v2 import InfluxV2Store
from ingest.storage.history.registry import HistoryConfig, open_store
from tests.ingest.storage.history.made_up import configuration, steady

ADAPTER: TypeAdapter[HistoryConfig] = TypeAdapter(HistoryConfig)
TOKEN = {"env": "HISTORY_TEST_SECRET"}


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, DuckDBStore),
        ({"retention_d": 10}, DuckDBStore),
        ({"kind": "duckdb", "path": "history.duckdb"}, DuckDBStore),
        ({"kind": "influxdb1", "url": "http://127.0.0.1:8086"}, InfluxV1Store),
        ({"kind": "influxdb2", "url": "https://influx.example", "org": "o", "token": TOKEN}, InfluxV2Store),
    ],
)
def test_the_kind_chooses_the_store(
    settings: dict[str, Any], kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database server need not answer for its store to be opened."""
    monkeypatch.setenv("HISTORY_TEST_SECRET", "x")
    monkeypatch.chdir(tmp_path)
    store = open_store(ADAPTER.validate_python(settings))
    assert isinstance(store, kind)
    store.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "oracle"}, "kind"),
        ({"retention_days": 10}, "retention_days"),
        ({"url": "http://127.0.0.1:8086"}, "kind"),
        ({"query_timeout_s": 5, "bucket": "b"}, "kind"),
        ({"kind": "influxdb1", "url": "ftp://x"}, "url"),
        ({"kind": "influxdb1", "url": "http://user:secret@x"}, "url"),
        ({"kind": "influxdb1", "url": "http://x", "username": "u"}, "username and password, both or neither"),
        ({"kind": "influxdb1", "url": "http://x", "databse": "u"}, "databse"),
        ({"kind": "influxdb2", "url": "http://x", "org": "o"}, "token"),
        ({"kind": "influxdb2", "url": "http://x", "org": "o", "token": "plain"}, "token"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(settings)


def test_a_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HISTORY_TEST_SECRET", raising=False)
    config = InfluxV1Config(url="http://x", username="u", password=Secret(env="HISTORY_TEST_SECRET"))
    with pytest.raises(LookupError, match="HISTORY_TEST_SECRET"):
        open_store(config)


def test_the_default_duckdb_store_works_out_of_the_box(tmp_path: Path) -> None:
    store = open_store(ADAPTER.validate_python({"kind": "duckdb", "path": str(tmp_path / "h.duckdb")}))
    store.write_readings(steady(5), configuration(), 1)
    assert store.count_readings() == 5
    store.close()
