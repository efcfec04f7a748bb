"""Runs a benchmark as people start it, and gives what it prints."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.forked import PYTHON, run

_PATIENCE_S: Final = 600  # pytest's own is shorter, but where a test asks for more


def printed(benchmark: str, *arguments: str) -> Any:
    """The JSON of a benchmark with these arguments. The services that it starts are whole processes."""
    done = run([*PYTHON, f"benchmarks.{benchmark}", "--json", *arguments], _PATIENCE_S)
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)
