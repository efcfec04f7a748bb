"""A named thread that stops on request and reports an unexpected end."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable


class Worker:
    """Base of the pipeline's threads."""

    def __init__(self, name: str, on_failure: Callable[[BaseException], None]) -> None:
        """`on_failure` is called from the thread with the exception that ended it."""
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Request the thread to end and wait; True if it did. Present work is finished or left for the next start."""
        self._stopping.set()
        self.wake()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @abstractmethod
    def wake(self) -> None:
        """Wake the thread so that it notices the request to stop."""

    @abstractmethod
    def _run(self) -> None:
        """Do the thread's work; return soon after `_stopping` is set."""

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001  whatever ends a pipeline thread must end the service visibly
            self._on_failure(error)
