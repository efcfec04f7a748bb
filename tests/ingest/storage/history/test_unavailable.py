"""A history that cannot be opened gives its reason, and is used as soon as it can be opened."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ingest.base.config import Secret
from ingest.storage.history.config import DuckDBConfig, InfluxV2Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.registry import open_store
from ingest.storage.history.unavailable import UnavailableStore


def test_a_damaged_file_is_reported_at_each_use_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    path.write_bytes(b"no database " * 1000)
    store = UnavailableStore(partial(open_store, DuckDBConfig(path=path)))
    assert store.error is not None
    for _ in range(2):
        with pytest.raises(HistoryUnavailable, match="history"):
            store.count_readings()
    path.unlink()
    assert store.count_readings() == 0
    store.close()


def test_a_missing_secret_is_named_by_its_place(tmp_path: Path) -> None:
    secret = Secret(file=tmp_path / "nowhere")
    store = UnavailableStore(partial(open_store, InfluxV2Config(url="http://127.0.0.1:9", org="o", token=secret)))
    with pytest.raises(HistoryUnavailable, match="nowhere"):
        store.count_readings()
    store.close()
