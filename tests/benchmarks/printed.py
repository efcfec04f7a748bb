"""Runs a benchmark as people start it, and gives what it prints."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any
from unittest.mock import patch

import structlog

from ingest.base import telemetry


def printed(benchmark: str, *arguments: str) -> Any:
    """The JSON of a benchmark with these arguments.

    In this process, so that the services and helpers that it starts are forked from what is loaded already. How it
    has events logged ends with it.
    """
    module, logged = import_module(f"benchmarks.{benchmark}"), structlog.get_config()
    with (
        patch.object(sys, "argv", [benchmark, "--json", *arguments]),
        patch.object(telemetry, "_verbose", telemetry._verbose),
        redirect_stdout(io.StringIO()) as out,
    ):
        try:
            assert not module.main()
        finally:
            structlog.configure(**logged)
    return json.loads(out.getvalue())
