"""A full garbage collection holds up no alarm: it passes over nothing that was there when the service had started."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.engine.engine_state import EngineState
from ingest.runtime.garbage_collection import settle_heap
from tests.small_plant import small_configuration


class Held:
    """Something that can be seen to go."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Garbage collection passes over what lasts for the whole run, and no more."""
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.collect()


def test_what_was_there_is_passed_over_no_more() -> None:
    """A full collection visits a small part of what there is, however much code and however many plants there are."""
    settle_heap()
    assert len(gc.get_objects()) < gc.get_freeze_count() / 20


def test_what_was_there_is_freed_once_nobody_has_it() -> None:
    """Such as a configuration that another one follows."""
    held = Held()
    gone = weakref.ref(held)
    settle_heap()
    del held
    assert gone() is None


def test_a_roster_that_another_one_follows_leaves_nothing_in_a_cycle(tmp_path: Path) -> None:
    """Nor does what the engine remembers by it: once it was settled, such a cycle would never be freed."""
    first, second = small_configuration(tmp_path), small_configuration(tmp_path)
    memory = EngineState(first)
    gc.collect()
    gc.disable()
    memory = memory.successor(second)
    del first
    found = gc.collect()
    gc.enable()
    assert found == 0
    assert memory.configuration is second


def test_objects_left_at_the_end_of_the_process_print_nothing() -> None:
    """Of a database that is left open among objects that are not collected DuckDB would write, amid the log."""
    held = "import duckdb, ingest.runtime.garbage_collection as gc; me = [duckdb.connect()]; me.append(me)"
    ended = subprocess.run(
        [sys.executable, "-c", f"{held}; gc.settle_heap(); del me"], capture_output=True, text=True, check=True
    )
    assert "leaked" not in ended.stderr


def test_a_command_that_opens_no_such_database_does_not_pass_over_all_of_its_code_to_end() -> None:
    """What was frozen still is, last of all: the interpreter's two full collections at the end have nothing to do."""
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"
    code = f"{last}; import ingest.runtime.garbage_collection; gc.freeze()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ended.stdout) > 0
