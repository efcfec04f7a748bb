"""A state database that cannot be read for a while: the engine waits for it, or says so, and never ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ingest.engine.commands import Acknowledge, Comment, Person
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateAway, StateUnavailable
from tests.ingest.engine.bench import PATIENCE_S, Bench

WHO = Person("张三", "operator")


@contextmanager
def unreadable_after(database: Database, reads: int) -> Iterator[threading.Event]:
    """So many reads are answered, then none until the event is set."""
    rows, back, left = database.rows, threading.Event(), [reads]

    def away(*query: Any, **given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0 and not back.is_set():
            raise StateAway("server closed the connection unexpectedly")
        return rows(*query, **given)

    with patch.object(database, "rows", away):
        yield back


@pytest.mark.parametrize("reads", range(5))
def test_a_database_that_goes_away_while_the_engine_starts_is_waited_for(tmp_path: Path, reads: int) -> None:
    """Whichever of its questions is the first that is not answered."""
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.send("CO-01", [5, 30])
    bench.settle()
    before = bench.found()
    assert bench.engine.stop(PATIENCE_S)
    bench.engine = bench.build(bench.engine.configuration)
    with unreadable_after(bench.database, reads) as back:
        bench.engine.start()
        after_timeouts(bench)
        assert "server closed the connection" in str(bench.engine.trouble)
        back.set()
        bench.send("CO-01", [170], start_s=2)
        bench.settle()
    assert bench.engine.trouble is None
    assert bench.found()[0] == before[0]
    assert [alarm.rule for alarm in bench.found()] == ["H", "HH"]
    assert bench.engine.stop(PATIENCE_S)


def test_a_command_that_cannot_be_looked_up_is_refused_and_the_readings_are_judged(tmp_path: Path) -> None:
    """A remark on an alarm of long ago, which only the database knows."""
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.send("CO-01", [5, 30, 5])
    bench.settle()
    (old,) = bench.found()
    bench.engine.submit(Acknowledge(old.id, WHO)).result(PATIENCE_S)
    bench.engine.engine_state.recent.clear()
    with unreadable_after(bench.database, 0):
        with pytest.raises(StateUnavailable):
            bench.engine.submit(Comment(old.id, WHO, "已查")).result(PATIENCE_S)
        bench.send("CO-01", [30], start_s=3600)
        bench.settle()
    assert bench.engine.submit(Comment(old.id, WHO, "已查")).result(PATIENCE_S).comment == "已查"
    assert bench.failures == []
    assert bench.engine.stop(PATIENCE_S)


def after_timeouts(bench: Bench) -> None:
    """Wait until the engine says that it waits."""
    deadline = time.monotonic() + PATIENCE_S
    while bench.engine.trouble is None:
        assert not bench.failures, bench.failures
        assert time.monotonic() < deadline, "nothing is told"
        time.sleep(0.005)
