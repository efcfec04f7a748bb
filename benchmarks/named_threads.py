"""`yujing` that says which of its threads has which number at the system: there all have the name of the process.

    python -m benchmarks.named_threads FILE run ...

It writes the names to the file at each SIGUSR1.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

from ingest.cli.main import main as yujing

_PATIENCE_S: Final = 60.0


def thread_names(pid: int, file: Path) -> dict[int, str]:
    """The names of a process's threads by their number; the process was given that file. Raises TimeoutError."""
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + _PATIENCE_S
    while not file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} does not tell the names of its threads")
        time.sleep(0.02)
    return {int(number): name for number, name in json.loads(file.read_text(encoding="utf-8")).items()}


def main() -> None:
    """Run the command with what is left of the arguments."""
    file = Path(sys.argv.pop(1))

    def write_thread_names(*_: object) -> None:
        whole = file.with_suffix(".new")
        whole.write_text(
            json.dumps({thread.native_id: thread.name for thread in threading.enumerate()}), encoding="utf-8"
        )
        whole.rename(file)

    signal.signal(signal.SIGUSR1, write_thread_names)
    yujing()


if __name__ == "__main__":
    main()
