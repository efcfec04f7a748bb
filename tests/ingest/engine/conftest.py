"""What tests of the engine share: a bench of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.engine.bench import PATIENCE_S, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.engine.start()
    yield made
    assert made.engine.stop(PATIENCE_S)
    assert made.failures == []
