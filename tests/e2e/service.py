"""The service as its users run it: `yujing run` in a process of its own, killed and started again on demand.

Within `tests.forked.fork_servers` it is forked from a process that has loaded its code.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import httpx

from tests.forked import PYTHON, Process, run, start
from tests.servers import HTTP, free_port
from tests.small_plant import write_plant

TOKEN: Final = "an-operators-token-of-this-test"
WORDS: Final = 3000  # characters of its log that an error shows
PATIENCE_S: Final = 180.0  # on a machine with other work a start alone may take a minute


class Service:
    """One service with its settings, plants and data in one folder."""

    def __init__(
        self, folder: Path, broker: tuple[str, int], more: str = "", plant: str | None = None, *, fresh: bool = False
    ) -> None:
        """`more` is TOML added to the settings; `plant` replaces the small plant's file; `fresh` is never forked."""
        self.folder = folder
        self.port = free_port()
        if plant is None:
            write_plant(folder)
        (folder / "token").write_text(TOKEN)
        host, port = broker
        self.config = folder / "yujing.toml"
        self.config.write_text(
            f"""
[mqtt]
host = "{host}"
port = {port}
[api]
port = {self.port}
[[api.tokens]]
name = "operator"
role = "admin"
token = {{ file = "token" }}
[engine]
snapshot_every_s = 0.5
{more}
""",
            encoding="utf-8",
        )
        self._process: Process | None = None
        self._starts = 0
        self._fresh = fresh
        self._ended: int | None = None  # the exit code of the process before

    def command(self, *arguments: str) -> list[str]:
        """The command line of `yujing`."""
        return [*PYTHON, "ingest", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of `yujing`, beside the service or without it, run to its end."""
        return run(self.command(*arguments), PATIENCE_S)

    def start(self) -> None:
        """Start, and return once it answers."""
        self.begin()
        try:
            self.until(self.answers, "the service to answer")
        except BaseException:
            self.kill()
            raise

    def begin(self) -> None:
        """Start, and wait for nothing."""
        with (self.folder / "service.log").open("ab") as log:
            command = self.command("run", *self._first(), "--config", str(self.config))
            self._process = start(command, log, None if self._fresh else self._starts)
        self._starts += 1

    def kill(self) -> None:
        """SIGKILL: nothing is finished, and nobody is notified."""
        if self._process is not None:
            self._process.kill()
            self._ended = self._process.wait()
            self._process = None

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self._process is None:
            raise RuntimeError("not running")
        self._process.send_signal(signal.SIGTERM)
        code = self._ended = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    def get(self, path: str, **query: str | int) -> Any:
        """Ask the API as the operator."""
        answer = HTTP.get(self.url + path, params=query, headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        if self._process is None:
            raise RuntimeError("not running")
        return self._process.pid

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """The operator's credentials."""
        return {"authorization": f"Bearer {TOKEN}"}

    def until(self, true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds; fail if it takes too long or the service dies.

        The longer it takes, the less often is looked: a question may cost the service more than what it is doing.
        """
        deadline, pause_s = time.monotonic() + patience_s, 0.02
        while not true():
            died = self._process is not None and self._process.poll() is not None
            if died or time.monotonic() > deadline:
                failed = AssertionError(f"waited in vain for {what}")
                self.explain(failed)
                raise failed
            time.sleep(pause_s)
            pause_s = min(1.2 * pause_s, 0.1)

    def explain(self, error: BaseException) -> None:
        """Add to an error whether the service runs, or how it ended, and its last words; once."""
        code = self._ended if self._process is None else self._process.poll()
        log = self.folder / "service.log"
        words = log.read_text(encoding="utf-8", errors="replace")[-WORDS:] if log.exists() else "(nothing)"
        if not any(note.startswith(str(self)) for note in getattr(error, "__notes__", ())):
            error.add_note(f"{self}: {'it runs' if code is None else f'it ended with {code}'}; its log ends:\n{words}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if error is not None:  # whoever failed, the service may know why
            self.explain(error)
        self.kill()

    def __str__(self) -> str:
        return f"the service in {self.folder}"

    def log(self) -> list[dict[str, Any]]:
        """Every event the service logged."""
        lines = (self.folder / "service.log").read_text(encoding="utf-8").splitlines()
        # A library of the process before may have had the last word, without ending its line.
        return [json.loads(line[line.index('{"') :]) for line in lines if '{"' in line and line.endswith("}")]

    def _first(self) -> list[str]:
        """What a first start, and no other, is asked for with."""
        return [] if (self.folder / "data" / "journal.db").exists() else ["--new"]

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            return HTTP.get(f"{self.url}/health/live", timeout=1).is_success
        except httpx.TransportError:
            return False
