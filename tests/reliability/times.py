"""Promises on time: their tests, and the fast versions, stand beside the code; here they are run at the full count."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.reliability.promise import CannotTest, Figures, Promise, Report

AT_ONCE: Final = 100  # the checks want a history long enough for something to happen in it


def _checked(check: Callable[[int, int], None], count: int, seed: int, report: Report) -> Figures:
    """Run `check(count, seed)` in portions; each raises AssertionError naming the seed that broke it."""
    failed, first = 0, ""
    for begin in range(0, count, AT_ONCE):
        portion = min(AT_ONCE, count - begin)
        try:
            check(portion, seed + begin)
        except AssertionError as error:
            failed += 1
            first = first or str(error)[:500]
        report(portion)
    return {"done": count, "portions_failed": failed, "first_failure": first}


def _find(module: str, name: str) -> Callable[[int, int], None]:
    try:
        check: Callable[[int, int], None] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CannotTest(f"{module}.{name} is not there: {error}") from error
    return check


def permutations(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Random histories in random orders of arrival."""
    return _checked(_find("tests.ingest.engine.test_arrival_order", "check_permutations"), count, seed, report)


def clock_steps(count: int, seed: int, folder: Path, report: Report) -> Figures:
    """Clocks set forward and back while readings arrive."""
    return _checked(_find("tests.ingest.engine.test_clock_steps", "check_clock_steps"), count, seed, report)


PERMUTATIONS: Final = Promise(
    name="permutations",
    title="Late and reordered readings tell no lies",
    how="random histories in random orders of arrival, compared with an oracle that sees them in order",
    proves="the same final state whatever the order; no excursion is hidden, none is told twice, no late reading raises"
    " or clears a live alarm, and the cut into batches is not seen",
    leaves_open="detectors that learn from order; they see live readings only",
    count=10_000,
    unit="permutations",
    run=permutations,
    limits={"portions_failed": ("=", 0)},
)

CLOCK_STEPS: Final = Promise(
    name="clocks",
    title="A clock that is set neither raises a storm nor hides an alarm",
    how="clocks of gateways and of the service set by 1 s to 10 years, forward and back",
    proves="no false alarms beyond the one that tells of the clock, no alarm missed after the step",
    leaves_open="clocks that run at the wrong speed for days",
    count=100,
    unit="clock steps",
    run=clock_steps,
    limits={"portions_failed": ("=", 0)},
)
