"""Ten thousand messages to a receiver that fails every other time, through kills of the sender, by a plain model."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ingest.storage.state.database import Database
from tests.ingest.delivery.faults import SECRET, Moody, deliver_with_kills, fill, judge
from tests.ingest.delivery.receiver import Receiver


def faults(messages: int, seed: int) -> dict[str, Any]:
    """What was missing, altered or out of order of so many messages, and how long it took."""
    os.environ["HOOK_SECRET"] = SECRET
    alarms, began = messages // 2, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "state.db")
        outbox = fill(database, alarms)
        with Receiver(Moody(seed)) as receiver:
            asyncio.run(deliver_with_kills(outbox, receiver, random.Random(seed), alarms))  # noqa: S311
            found = judge(receiver, alarms)
        waiting, dead = outbox.count("moody", messages), outbox.count("dead", 2 * messages)
        database.close()
    took_s = round(time.monotonic() - began, 1)
    return {"messages": messages, **asdict(found), "waiting": waiting, "waiting_of_dead": dead, "took_s": took_s}
