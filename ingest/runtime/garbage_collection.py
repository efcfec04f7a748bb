"""Keeps garbage collection short by excluding long-lived objects, so that it delays no alarm."""

from __future__ import annotations

import atexit
import gc
import sys
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit

YOUNG: Final = 10_000
"""Threshold of the youngest generation, objects. Frames create no cycles; a full commit holds some 6,000 lists until
they become arrays, and with Python's default of 700 each was scanned ten times in vain: a tenth of intake's time."""


def _thaw() -> None:
    """Let all of it be freed at the end where that matters: DuckDB complains on standard error, which is the log.

    Otherwise the interpreter would pass twice over everything that is loaded, only to end: 0.6 s for each command.
    """
    if "duckdb" in sys.modules:
        gc.unfreeze()


atexit.register(_thaw)


@dataclass(frozen=True, slots=True)
class HeapSettled(Event):
    """Objects that live for long were taken out of garbage collection: `kept` altogether."""

    kept: int


def settle_heap() -> None:
    """Exclude all present objects from garbage collection; reference counts still free them.

    A full collection scans every object while no thread of the process runs. Loaded code alone has 170,000 of them,
    which takes 0.1 to 0.2 s, and opening a few hundred connections triggers one. Called when the service has started
    and whenever its configuration changes; not more often, since a cycle that is excluded by chance is never freed.
    """
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    gc.collect()
    gc.freeze()
    emit(HeapSettled(gc.get_freeze_count()))
