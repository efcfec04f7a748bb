"""A server that hangs: it and all its processes are stopped, so that connections stay and nobody answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers import Server


@contextmanager
def hanging(server: Server) -> Iterator[None]:
    """Stop it (SIGSTOP) while the block runs."""
    os.kill(server.pid, signal.SIGSTOP)  # first: it starts no more processes
    _send_to_all(server, signal.SIGSTOP)
    try:
        yield
    finally:
        _send_to_all(server, signal.SIGCONT)
        os.kill(server.pid, signal.SIGCONT)


def _send_to_all(server: Server, number: int) -> None:
    """Send a signal to the processes that it has started, for sessions and for itself."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii")
    for each in map(int, children.split()):
        with suppress(ProcessLookupError):
            os.kill(each, number)
