"""A process that has loaded the service's code and does nothing but fork: `python -m tests.fork_server DESCRIPTOR`.

`tests.forked` speaks to it over that socket. It has one thread and opens nothing, so that a fork has what a new
interpreter has after its imports; at its end a fork frees nothing. The server ends with its socket, however the client
ended, and its forks end with it.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
from typing import Any, Final, NoReturn

from ingest.base.loading import loading

REQUEST_BYTES: Final = 1 << 17
_PR_SET_PDEATHSIG: Final = 1
_LATER: Final = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "numpy.ma",
    "pydantic.v1",
    "uvicorn.lifespan.off",
)
"""Libraries that the service's start loads by name, when it comes to them."""

_NOT_WRITTEN: Final = 120  # an interpreter's exit code where its last words cannot be written


def load() -> None:
    """Load what `yujing run` loads whatever its settings are, and what it loads for a first start and for DuckDB.

    Raises:
        RuntimeError: a module has started a thread, which forks would lack. (NumPy's own end and begin at a fork.)
    """
    with loading():
        from ingest.cli import main  # noqa: F401, PLC0415
        from ingest.plants.catalogue import load_catalogue  # noqa: PLC0415
        from ingest.runtime import receiving, service  # noqa: F401, PLC0415
        from ingest.storage.history import duck  # noqa: F401, PLC0415
        from ingest.storage.state import upgrade  # noqa: F401, PLC0415

        load_catalogue()
        for library in _LATER:
            importlib.import_module(library)
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
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]  # Python leaves it the server's
    arguments: list[str] = request["run"]
    return arguments


def run(module: str) -> int:
    """Run a module as `python -m` does; returns the exit code."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)  # noqa: T201  as an interpreter does
        return 1
    except BaseException as error:  # noqa: BLE001  whatever it is, as an interpreter does
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


def end(code: int) -> NoReturn:
    """End as an interpreter does: wait for threads, run what is registered for the end, write what is not yet written.

    What it does then is left out: freeing all that is loaded takes half a second and a copy of each page of the server.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        for file in (sys.stdout, sys.stderr):
            if not file.closed:
                file.flush()
    except OSError:
        code = _NOT_WRITTEN
    os._exit(code & 0xFF)


if __name__ == "__main__":
    load()
    to_run = serve(socket.socket(fileno=int(sys.argv[1])))
    if to_run is None:
        os._exit(0)  # half a second less than to free all that is loaded
    sys.argv = to_run
    end(run(to_run[0]))
