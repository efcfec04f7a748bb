"""Garbage collection: no alarm waits while a full one passes over loaded code and plants, and few look in vain."""

from __future__ import annotations

import atexit
import gc
import sys
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit

YOUNG: Final = 10_000
"""Objects, more than were freed, after which the young ones are looked at. Frames make no cycles; a full commit keeps
some 6,000 lists until they become arrays, and by Python's own 700 each was looked at ten times for nothing: a tenth of
what intake takes."""


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
    """Take everything that is there now out of garbage collection; reference counts still free it.

    A full collection passes over every object while no thread of the process runs. Loaded code alone is 170,000 of
    them, which takes 0.1 to 0.2 s, and whoever opens a few hundred connections brings one about. Called once the
    service has started, and whenever its configuration changes; not again and again, for a cycle among what was there
    only by chance is never freed.
    """
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    gc.collect()
    gc.freeze()
    emit(HeapSettled(gc.get_freeze_count()))
