"""Where the service has its lists made: one at a time, each in a process of its own that yields to everybody else."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import ingest
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.worker import AWAY, LACKING, TOO_LARGE
from ingest.storage.state.config import StateConfig

LONGEST_S: Final = 120.0
NICE: Final = 19
_ROOT: Final = str(Path(ingest.__file__).parent.parent)
_SAID: Final = 400  # characters of a fault that are passed on


class NotMade(Exception):
    """A list could not be made. `why` is for whoever asked for it, `again` whether it may be made later."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.why, self.again = why, again


class ExportRunner:
    """Has one list made after the other. Belongs to the event loop."""

    def __init__(self, state: StateConfig, folder: Path) -> None:
        """`folder`: where a list lies, without a name, until it is sent."""
        self._state = state
        self._folder = folder
        self._turn = asyncio.Semaphore(1)

    async def make(self, wish: ExportRequest) -> BinaryIO:
        """Return the list as a file to read, once it is this one's turn. Raises NotMade."""
        async with self._turn:
            out = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  it is the caller's to close
            try:
                await self._run(wish, out)
            except BaseException:
                out.close()
                raise
        out.seek(0)
        return out

    async def _run(self, wish: ExportRequest, out: BinaryIO) -> None:
        path = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "ingest.services.exports.worker",
            stdin=asyncio.subprocess.PIPE, stdout=out, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        _yield_to_all(process.pid)
        assert process.stdin is not None  # noqa: S101  piped
        assert process.stderr is not None  # noqa: S101  piped
        try:
            async with asyncio.timeout(LONGEST_S):
                process.stdin.write(pickle.dumps((self._state, wish)))
                said = (await process.stderr.read()).decode("utf-8", "replace")
                code = await process.wait()
        except TimeoutError:
            why = f"it was not ready within {LONGEST_S:g} s; ask for one plant, or when the machine has less to do"
            raise NotMade(why, again=False) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()
        if code == AWAY:
            raise NotMade(f"the state database does not answer: {said.strip()[-_SAID:]}", again=True)
        if code == LACKING:
            raise NotMade(said.strip()[-_SAID:], again=False)
        if code == TOO_LARGE:
            raise NotMade("it needs more memory than it may have; ask for one plant", again=False)
        if code:
            raise RuntimeError(f"the process that makes lists ended with {code}: {said[-2000:]}")


def _yield_to_all(pid: int) -> None:
    """Let a process run only while nobody else wants to. Set from outside: most of a short list is loading code."""
    with suppress(ProcessLookupError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, pid, NICE)  # all there is where the other is not allowed
        with suppress(PermissionError, AttributeError):  # macOS has no such class
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
