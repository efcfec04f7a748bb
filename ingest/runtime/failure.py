"""Keeps the error that ends the service: the first that any part of it reports."""

from __future__ import annotations

import asyncio
from typing import Any


class Failure:
    """The first error reported. Build it on the event loop."""

    def __init__(self) -> None:
        self._error: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def report(self, error: BaseException) -> None:
        """End the service with that error, unless another one came before. From any thread."""
        self._error.get_loop().call_soon_threadsafe(self._keep, error)

    async def awaited_beside(self, stop: asyncio.Event) -> None:
        """Return once an error was reported or `stop` is set."""
        stopping = asyncio.create_task(stop.wait(), name="stop")
        either: set[asyncio.Future[Any]] = {stopping, self._error}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    def reraise(self) -> None:
        """Raise the error, if one was reported."""
        if self._error.done():
            self._error.result()

    def _keep(self, error: BaseException) -> None:
        if not self._error.done():
            self._error.set_exception(error)
