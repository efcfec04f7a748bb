"""Whoever journals a few readings may evaluate them: the same comes of it, and nobody waits for the database."""

from __future__ import annotations

import random
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from detectors.bank import Bank
from ingest.engine.committing import StateCommit
from ingest.engine.engine import AT_ONCE
from ingest.engine.engine_state import EngineState
from ingest.storage.journal.journal import Journal
from ingest.storage.state.errors import StateAway
from tests.ingest.engine.bench import PATIENCE_S, Bench
from tests.ingest.engine.test_crash import LATCHED, SECOND, Run, write_journal
from tests.small_plant import small_configuration


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Bench]:
    """An engine that runs in its thread, and has nothing to do."""
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.send("CO-01", [5])
    bench.settle()
    yield bench
    bench.engine.stop(PATIENCE_S)
    bench.journal.close()
    bench.database.close()


def follow(bench: Bench) -> bool:
    """Have what was journaled evaluated by this thread, if it can be; whether that was done."""
    before = bench.engine.cursor
    bench.engine.follow(True)
    return bench.engine.cursor > before


def until(happens: Callable[[], Any], bench: Bench) -> None:
    """Wait until it happens."""
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert not bench.failures, bench.failures
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.002)


def until_failed(bench: Bench) -> None:
    """Evaluate until that fails; the engine's thread may be quicker, and end by the same fault."""
    while not bench.failures:
        follow(bench)
    raise bench.failures.pop()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_comes_of_readings_whoever_evaluates_them(tmp_path: Path, seed: int) -> None:
    """The engine alone; or who brings them, and the engine finishes what it is woken for, at once or much later."""
    draw = random.Random(seed)  # noqa: S311  the same journal every time
    path = tmp_path / "journal.db"
    configuration = small_configuration(tmp_path, Journal(path).number_points, LATCHED)
    journal, arrived = write_journal(path, configuration, draw, apart=SECOND // 10)
    outcomes, at_once = [], 0
    for finishes in (None, 1.0, 0.3):
        run = Run(tmp_path / f"finishes {finishes}", journal, configuration, None)
        journal.stop = 0
        run.engine.begin()
        for moment in arrived:
            run.clock.time, journal.stop = moment, bisect_right(arrived, moment)
            if finishes is not None:
                run.engine.follow(True)
                at_once += run.engine.cursor == journal.stop
            if finishes is None or (run.engine.cursor < journal.stop and draw.random() < finishes):
                run.engine.process()
        run.engine.process()
        outcomes.append((run.engine.engine_state.dump(), run.tables()))
    assert outcomes == [outcomes[0]] * 3
    assert len(outcomes[0][1]["alarm_event"]) > 60
    assert at_once > 200, "else nothing was compared"


def test_nobody_but_the_engine_waits_for_the_state_database(plant: Bench) -> None:
    """While it is away readings are taken as ever, alarms and all; the alarms are there once it is back."""
    commit, back, users = plant.store.commit, threading.Event(), set[str]()

    def away(*given: Any, **more: Any) -> Any:
        users.add(threading.current_thread().name)
        if not back.is_set():
            raise StateAway("server closed the connection unexpectedly")
        return commit(*given, **more)

    with patch.object(plant.store, "commit", away):
        for second in range(1, 60):
            plant.send("CO-01", [170 if second == 30 else 5], start_s=second)
            follow(plant)
        until(lambda: plant.engine.trouble, plant)
        assert plant.engine.lag() > 0
        back.set()
        plant.settle()
    assert users == {"engine"}
    assert [alarm.rule for alarm in plant.found()] == ["H", "HH"] or [a.rule for a in plant.found()] == ["HH", "H"]


def test_readings_that_mean_nothing_are_evaluated_without_a_change_of_threads(plant: Bench) -> None:
    done = 0
    for second in range(1, 40):
        plant.send("CO-01", [5 + second % 2], start_s=second)
        done += follow(plant)
        plant.settle()
    assert done > 10


def test_a_commit_that_falls_due_while_a_cycle_ends_is_left_to_the_engine(tmp_path: Path) -> None:
    plant = Bench(tmp_path)
    plant.engine.begin()
    plant.send("CO-01", [5])
    plant.engine.process()
    plant.send("CO-01", [5], start_s=1)
    with patch.object(StateCommit, "due", side_effect=[False, True]), patch.object(plant.store, "commit") as commit:
        assert follow(plant)
        commit.assert_not_called()
    plant.journal.close()
    plant.database.close()


def test_many_readings_are_left_to_the_engine(tmp_path: Path) -> None:
    plant = Bench(tmp_path)
    plant.engine.begin()
    plant.send("CO-01", [5] * (AT_ONCE + 1), start_s=1)
    assert not follow(plant)
    plant.engine.process()
    plant.send("CO-01", [5], start_s=AT_ONCE + 2)
    assert follow(plant)
    plant.journal.close()
    plant.database.close()


def test_a_fault_amid_an_evaluation_is_raised_and_never_saved(tmp_path: Path) -> None:
    """The engine ends, and the next one evaluates the reading as if nobody had."""
    plant = Bench(tmp_path)
    plant.engine.start()
    plant.send("CO-01", [5])
    plant.settle()
    plant.send("CO-01", [170], start_s=1)
    update = Bank.update

    def fails(bank: Bank, *given: Any) -> Any:
        update(bank, *given)
        raise ZeroDivisionError

    with patch.object(Bank, "update", fails):
        with pytest.raises(ZeroDivisionError):
            until_failed(plant)
        saved = plant.store.load()
        assert plant.engine.stop(PATIENCE_S)
        assert plant.store.load() == saved, "a state that is half of one entry"
    plant.engine = plant.build(plant.engine.configuration)
    plant.engine.start()
    plant.settle()
    assert {alarm.rule for alarm in plant.found()} == {"H", "HH"}
    assert plant.engine.stop(PATIENCE_S)
    plant.journal.close()
    plant.database.close()


def test_the_engine_is_woken_for_what_is_due_before_it_would_go_on_by_itself(tmp_path: Path) -> None:
    plant = Bench(tmp_path)
    plant.engine.begin()
    plant.engine._wakes_at = time.monotonic() + 3600
    for second in range(1, 100):  # what is to be saved every two seconds is the engine's
        plant.send("CO-01", [5], start_s=second)
        if follow(plant):
            break
        plant.engine.process()
    with patch.object(plant.engine, "wake") as woken:
        plant.send("CO-01", [5], start_s=100)
        assert follow(plant)
        woken.assert_called()  # to look up in a tick
        woken.reset_mock()
        plant.engine._wakes_at = time.monotonic() + 0.01
        plant.send("CO-01", [5], start_s=101)
        assert follow(plant)
        woken.assert_not_called()
        plant.send("CO-01", [5], start_s=102)
        with patch.object(EngineState, "due", lambda _state: time.time_ns() - SECOND):
            assert not follow(plant)
        woken.assert_called()
    plant.journal.close()
    plant.database.close()
