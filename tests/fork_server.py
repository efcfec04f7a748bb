"""A process that has loaded the service's code and does nothing but fork: `python -m tests.fork_server DESCRIPTOR`.

`tests.forked` speaks to it over that socket. It has one thread and opens nothing, so that a fork has what a new
interpreter has after its imports. It ends with its socket, however the client ended, and its forks end with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import signal
import socket
import sys
import threading
from typing import Any, Final

from ingest.base.loading import loading

REQUEST_BYTES: Final = 1 << 17
_PR_SET_PDEATHSIG: Final = 1


def load() -> None:
    """Load what `yujing run` loads whatever its settings are.

    Raises:
        RuntimeError: a module has started a thread, which forks would lack. (NumPy's own end and begin at a fork.)
    """
    with loading():
        from ingest.cli import main  # noqa: F401, PLC0415
        from ingest.runtime import receiving, service  # noqa: F401, PLC0415
    if threading.active_count() != 1:
        raise RuntimeError(f"what was loaded has started threads, which forks would lack: {threading.enumerate()}")


def serve(requests: socket.socket) -> list[str] | None:
    """Answer until the client is gone.

    Returns:
        In a fork the arguments of `python -m` that it has to run, in the server None.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the client and the forks
    server = os.getpid()
    _answer(requests, ready=True)
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, REQUEST_BYTES, 3)
        if not message:
            return None
        request = json.loads(message)
        if "poll" in request:
            _answer(requests, code=_code(request["poll"]))
            continue
        pid = os.fork()
        if pid == 0:
            if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) or os.getppid() != server:
                os._exit(1)
            requests.close()
            signal.signal(signal.SIGINT, interrupted)
            return _become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _answer(requests, pid=pid)


def _answer(requests: socket.socket, **answer: int | None) -> None:
    requests.send(json.dumps(answer).encode())


def _code(pid: int) -> int | None:
    """The exit code of a fork, -9 after SIGKILL, or None while it runs; once given it is forgotten."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(request: dict[str, Any], descriptors: list[int]) -> list[str]:
    """Take on what a process is given at its start; returns what it has to run."""
    for standard, given in enumerate(descriptors):
        os.dup2(given, standard)
        os.close(given)
    os.chdir(request["folder"])
    os.umask(request["umask"])
    os.environ.update(request["changes"])
    sys.path[0] = request["folder"]
    arguments: list[str] = request["run"]
    return arguments


if __name__ == "__main__":
    load()
    to_run = serve(socket.socket(fileno=int(sys.argv[1])))
    if to_run is None:
        os._exit(0)  # half a second less than to free all that is loaded
    sys.argv = to_run
    runpy.run_module(to_run[0], run_name="__main__", alter_sys=True)
