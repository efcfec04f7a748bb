"""Runs a benchmark as people start it, and gives what it prints."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any
from unittest.mock import patch


def printed(benchmark: str, *arguments: str) -> Any:
    """The JSON of a benchmark with these arguments.

    In this process, so that the services and helpers that it starts are forked from what is loaded already.
    """
    module = import_module(f"benchmarks.{benchmark}")
    with patch.object(sys, "argv", [benchmark, "--json", *arguments]), redirect_stdout(io.StringIO()) as out:
        assert not module.main()
    return json.loads(out.getvalue())
