"""What `docs/extending.md` says is enough: each toy was written from it, is small, and passes its suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ingest.history.registry import KINDS
from ingest.history.store import HistoryStore
from ingest.model.config import chosen_by_kind
from tests.conformance.history_store import HistoryQueries, HistoryWrites, Kept
from tests.conformance.toys.sqlite_history import SqliteConfig, SqliteStore

TOYS = Path(__file__).parent / "toys"


@pytest.mark.parametrize("toy", sorted(TOYS.glob("*.py")), ids=lambda toy: toy.stem)
def test_a_toy_is_one_small_file(toy: Path) -> None:
    assert len(toy.read_text(encoding="utf-8").splitlines()) <= 80


class TestSqliteWrites(HistoryWrites):
    @pytest.fixture
    def kept(self, tmp_path: Path) -> Iterator[Kept]:
        store = SqliteStore(tmp_path / "toy.db")
        yield Kept(
            store,
            store.count_readings,
            lambda: len(store.ask("SELECT id FROM kept WHERE kind = '(alarm)'")),
            lambda: [raised for (raised,) in store.ask("SELECT value FROM kept WHERE kind = '(slot)' ORDER BY time")],
        )
        store.close()


class TestSqliteQueries(HistoryQueries):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[HistoryStore]:
        store = SqliteConfig(path=tmp_path / "toy.db").open_store()
        yield store
        store.close()

    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Callable[[], HistoryStore]:
        (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
        return SqliteConfig(path=tmp_path / "broken.db").open_store


def test_one_line_in_the_registry_of_histories_is_enough(tmp_path: Path) -> None:
    """With it, `history.kind` chooses the toy."""
    history = chosen_by_kind({**KINDS, "sqlite": SqliteConfig}, default="duckdb")
    found = TypeAdapter(history).validate_python({"kind": "sqlite", "path": tmp_path / "toy.db"})
    assert isinstance(found, SqliteConfig)
