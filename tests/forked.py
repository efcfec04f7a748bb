"""Processes of our own code, started without loading it anew: forks of a process that has.

Loading it takes most of what a start takes of the processor, and tests start the service hundreds of times. While
`fork_servers` is open `start` asks a process that has loaded it, and is otherwise as good as new, for a fork
(`tests.fork_server`). New interpreters order sets of texts each in its own way and the forks of one server alike; so
there are two servers, and what is started again is started by the other one.

Not for what measures its start or its memory, or lives under limits or a tracer. On Linux; elsewhere nothing is forked.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, Protocol

from tests.fork_server import REQUEST_BYTES

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = [sys.executable, "-m"]
_CHANGES: Final = {"PYTEST_CURRENT_TEST"}  # variables that change with every test and mean nothing to what is loaded
_TAIL: Final = 2000  # bytes of a server's last words


class Process(Protocol):
    """What tests use of `subprocess.Popen`."""

    @property
    def pid(self) -> int:
        """Its process, and nobody else's before its end was seen."""

    def poll(self) -> int | None:
        """The exit code, -9 after SIGKILL; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code once it has ended; raises `subprocess.TimeoutExpired` if that is not within `timeout` s."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""


class ServerGone(RuntimeError):
    """A fork's server has ended, and the fork with it: how that would have ended nobody can say."""


class ForkServer:
    """One server: begins when it is made, and is loaded when this returns."""

    def __init__(self) -> None:
        self.environment: Final = _environment()
        self._lock = threading.RLock()
        self._end = ""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._log = TemporaryFile()  # noqa: SIM115  as long as the server
        with theirs:
            self._process = subprocess.Popen(
                [*PYTHON, "tests.fork_server", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
            )
        self._ask(None)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def fork(self, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> Forked:
        """Have a fork do what `python -m` would with these arguments, in our folder.

        Raises:
            ServerGone: there is no server any more.
        """
        mask = os.umask(0o022)
        os.umask(mask)
        request = {
            "run": arguments,
            "folder": str(Path.cwd()),
            "umask": mask,
            "changes": {name: os.environ[name] for name in _CHANGES & {*os.environ}},
        }
        with Path(os.devnull).open("rb") as nothing:
            pid = self._ask(request, [nothing.fileno(), output.fileno(), errors.fileno()])["pid"]
        return Forked(self, pid)

    def code(self, pid: int) -> int | None:
        """The exit code of a fork, None while it runs; not to be asked for again once it was given.

        Raises:
            ServerGone: there is no server any more.
        """
        found: int | None = self._ask({"poll": pid})["code"]
        return found

    def gone(self) -> bool:
        """Whether the server has ended."""
        return self._process.poll() is not None

    def end(self) -> str:
        """End the server and every fork it has; returns how it ended and its last words."""
        with self._lock:
            if not self._log.closed:
                self._socket.close()
                code = self._process.wait()
                self._log.seek(0)
                words = self._log.read()[-_TAIL:].decode(errors="replace")
                self._log.close()
                self._end = f"the fork server {self.pid} ended with {code}, and its forks with it; its log:\n{words}"
            return self._end

    def _ask(self, request: dict[str, Any] | None, descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Its answer to a request; without one, what it sends by itself."""
        with self._lock:
            try:
                if request is not None:
                    socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
                answer = self._socket.recv(REQUEST_BYTES)
            except OSError:  # it is gone, since when this was or a while ago
                answer = b""
            if not answer:
                raise ServerGone(self.end())
        found: dict[str, Any] = json.loads(answer)
        return found


class Forked:
    """A fork, to be used as a `subprocess.Popen`; every question raises `ServerGone` once there is no server."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self.pid: Final = pid
        self._server = server
        self._lock = threading.Lock()
        self._code: int | None = None

    def poll(self) -> int | None:
        """See `Process`."""
        with self._lock:
            if self._code is None:
                self._code = self._server.code(self.pid)
            return self._code

    def wait(self, timeout: float | None = None) -> int:
        """See `Process`."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(0.005)
        return code

    def send_signal(self, sig: int) -> None:
        """See `Process`."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """See `Process`."""
        self.send_signal(signal.SIGKILL)


class _Servers:
    """Two servers, each from its first use on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alternating: list[ForkServer | None] = [None, None]

    def of(self, earlier_starts: int) -> ForkServer:
        """The server for a start with that many before it; a new one if that has ended."""
        with self._lock:
            server = self._alternating[earlier_starts % 2]
            if server is not None and server.gone():
                server.end()
                server = None
            if server is None:
                server = self._alternating[earlier_starts % 2] = ForkServer()
            return server

    def end(self) -> None:
        """End both, with all their forks."""
        for server in self._alternating:
            if server is not None:
                server.end()


_OPEN: Final[list[_Servers]] = []  # innermost last


@contextmanager
def fork_servers() -> Iterator[None]:
    """Meanwhile `start` forks; at the end the forks that are left are killed."""
    _OPEN.append(_Servers())
    try:
        yield
    finally:
        _OPEN.pop().end()


def run(command: Sequence[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Start a command as `start` does and wait for its end; what it writes is captured.

    Raises:
        TimeoutExpired: it took longer, and was killed.
    """
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start(command, output, 0, errors)
        try:
            code = process.wait(timeout_s)
        finally:
            process.kill()
            process.wait()
        return subprocess.CompletedProcess(command, code, _text(output), _text(errors))


def start(
    command: Sequence[str], output: IO[bytes], earlier_starts: int | None, errors: IO[bytes] | None = None
) -> Process:
    """Start a command that reads nothing and writes to `output`, also its errors unless they have a file of their own.

    It is forked if it runs a module of ours (`PYTHON`) while fork servers are open whose code was loaded in the same
    environment. `turn` is how often it was started before; with None it gets an interpreter of its own.
    """
    if _OPEN and sys.platform == "linux" and earlier_starts is not None and [*command[:2]] == PYTHON:
        server = _OPEN[-1].of(earlier_starts)
        if server.environment == _environment():
            return server.fork(command[2:], output, errors or output)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors or output)


def _text(file: IO[bytes]) -> str:
    """All that was written to a file, from its beginning."""
    file.seek(0)
    return file.read().decode()


def _environment() -> dict[str, str]:
    """Our environment, as far as it can matter to what is loaded in it."""
    return {name: text for name, text in os.environ.items() if name not in _CHANGES}
