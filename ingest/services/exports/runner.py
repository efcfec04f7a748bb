"""Runs exports one at a time, each in a process of its own with the lowest scheduling priority."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import ingest
from ingest.services.exports.request import ExportRequest
from ingest.services.exports.worker import AWAY, REFUSED, TOO_LARGE
from ingest.storage.state.config import StateConfig

LONGEST_S: Final = 120.0
NICE: Final = 19
_SCRATCH: Final = ".export-"
_ROOT: Final = str(Path(ingest.__file__).parent.parent)
_DETAIL: Final = 400  # characters of an error that are passed on


class ExportFailed(Exception):
    """A list could not be made. `why` is for the caller; `again`: whether trying later may help."""

    def __init__(self, why: str, *, again: bool) -> None:
        super().__init__(why)
        self.why, self.again = why, again


class ExportRunner:
    """Runs one export after the other. Belongs to the event loop."""

    def __init__(self, state: StateConfig, folder: Path) -> None:
        """`folder`: where an unnamed file holds the list until it is sent, and others what it is made of."""
        self._state = state
        self._folder = folder
        for left in folder.glob(f"{_SCRATCH}*"):  # by a service that was killed
            shutil.rmtree(left, ignore_errors=True)
        self._running = asyncio.Semaphore(1)

    async def make(self, request: ExportRequest) -> BinaryIO:
        """Return the list as a file to read; waits for the exports before it. Raises ExportFailed."""
        async with self._running:
            out = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  it is the caller's to close
            try:
                with tempfile.TemporaryDirectory(
                    prefix=_SCRATCH, dir=self._folder, ignore_cleanup_errors=True
                ) as scratch:
                    await self._run(request, out, scratch)
            except BaseException:
                out.close()
                raise
        out.seek(0)
        return out

    async def _run(self, request: ExportRequest, out: BinaryIO, scratch: str) -> None:
        path = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "ingest.services.exports.worker",
            stdin=asyncio.subprocess.PIPE, stdout=out, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": scratch},
        )  # fmt: skip
        _yield_to_all(process.pid)
        assert process.stdin is not None  # noqa: S101  piped
        assert process.stderr is not None  # noqa: S101  piped
        try:
            async with asyncio.timeout(LONGEST_S):
                process.stdin.write(pickle.dumps((self._state, request)))
                detail = (await process.stderr.read()).decode("utf-8", "replace")
                code = await process.wait()
        except TimeoutError:
            why = f"not ready within {LONGEST_S:g} s; ask for one plant, for fewer days, or when there is less to do"
            raise ExportFailed(why, again=False) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()
        if code == AWAY:
            raise ExportFailed(f"the state database does not answer: {detail.strip()[-_DETAIL:]}", again=True)
        if code == REFUSED:
            raise ExportFailed(detail.strip()[-_DETAIL:], again=False)
        if code == TOO_LARGE:
            raise ExportFailed(
                "it needs more memory than it may have; ask for one plant, or for fewer days", again=False
            )
        if code:
            raise RuntimeError(f"the process that makes lists ended with {code}: {detail[-2000:]}")


def _yield_to_all(pid: int) -> None:
    """Give a process the lowest priority. Set from outside: a short list is mostly the time of its imports."""
    with suppress(ProcessLookupError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, pid, NICE)  # the fallback where the idle class is not allowed
        with suppress(PermissionError, AttributeError):  # macOS has no such class
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
