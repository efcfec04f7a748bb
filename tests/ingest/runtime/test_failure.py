"""The first error that a part reports ends the service, from whichever thread it comes."""

from __future__ import annotations

import asyncio

import pytest

from ingest.runtime.failure import Failure

PATIENCE_S = 60


async def test_of_two_errors_the_first_is_raised_each_time() -> None:
    failure = Failure()
    for text in ("the disk", "what followed from it"):
        await asyncio.to_thread(failure.report, RuntimeError(text))
    async with asyncio.timeout(PATIENCE_S):
        await failure.awaited_beside(asyncio.Event())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the disk"):
            failure.reraise()


async def test_who_is_asked_to_stop_without_an_error_raises_none() -> None:
    failure, stop = Failure(), asyncio.Event()
    waiting = asyncio.create_task(failure.awaited_beside(stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    failure.reraise()
