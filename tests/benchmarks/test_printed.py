"""A benchmark that runs in the tests' process leaves nothing behind in it."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import structlog

from ingest.base import telemetry
from tests.benchmarks.printed import printed


@pytest.mark.parametrize("fails", [False, True])
def test_events_are_logged_afterwards_as_before(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the benchmark has set: a later test that waits for an event would else wait in vain."""
    monkeypatch.setattr(telemetry, "_verbose", True)
    before, arguments = structlog.get_config(), sys.argv

    def main() -> None:
        telemetry.configure_logging(level="error")
        if fails:
            raise RuntimeError("a figure is missing")
        sys.stdout.write(f'{{"given": "{sys.argv[-1]}"}}')

    made_up = ModuleType("benchmarks.made_up")
    monkeypatch.setattr(made_up, "main", main, raising=False)
    monkeypatch.setitem(sys.modules, "benchmarks.made_up", made_up)
    if fails:
        with pytest.raises(RuntimeError, match="a figure is missing"):
            printed("made_up")
    else:
        assert printed("made_up", "--few") == {"given": "--few"}
    assert structlog.get_config() == before
    assert telemetry._verbose
    assert sys.argv is arguments
