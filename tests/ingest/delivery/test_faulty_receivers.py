"""Alarms reach a receiver that fails in every way, through kills of the sender, whatever another destination does."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Final

import pytest

from ingest.storage.state.database import Database
from tests.ingest.delivery.faults import SECRET, Judged, Moody, deliver_with_kills, fill, judge
from tests.ingest.delivery.receiver import Receiver

ALARMS: Final = 250  # each is raised and returns


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # who is killed closes no connection
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_missing_whatever_fails_and_each_retry_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """By a plain model: each event once or more, under one id with one body, those of an alarm in their order."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    database = Database(tmp_path / "state.db")
    outbox = fill(database, ALARMS)
    with Receiver(Moody(seed)) as receiver:
        async with asyncio.timeout(240):  # many times what it takes
            await deliver_with_kills(outbox, receiver, random.Random(seed), ALARMS)  # noqa: S311  moments of kills
        found = judge(receiver, ALARMS)
    assert found.repeated > 0, "no kill came between a delivery and its record"
    assert found == Judged(missing=0, strange=0, altered=0, disordered=0, repeated=found.repeated)
    assert outbox.count("moody", 10_000) == 0
    assert outbox.count("dead", 10_000) == 2 * ALARMS
    database.close()
