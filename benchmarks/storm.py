"""A storm of alarms that waits in the outbox, and how fast it is sent to a healthy receiver in another process."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any, Final
from uuid import UUID, uuid5

from benchmarks.cpu import cpu_s
from benchmarks.hook import hook
from ingest.base.config import Secret
from ingest.delivery.sender import OutboxSender
from ingest.delivery.webhook.config import WebhookConfig
from ingest.domain.model.outbox import Message, Urgency
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.delivery.outbox import alarm_message
from tests.servers import free_port

_NAMES: Final = UUID("6d1a5e0e-3f5c-5d62-9a3a-5a5bd0a1c7f1")
_AT_A_TIME: Final = 1_000


def storm(messages: int) -> dict[str, Any]:
    """Send so many first raises of level 2, each of an alarm of its own, from a state database with nothing else to do.

    Returns:
        `webhooks_per_s` between the first and the last that came; `ms_per_webhook` of processor, the sender's process
        with all its threads; `repeats`: that came twice.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        config = WebhookConfig(name="inspector", url=f"http://127.0.0.1:{port}/", secret=Secret(file=folder / "secret"))
        database = Database(folder / "state.db")
        for start in range(0, messages, _AT_A_TIME):
            EngineStore(database).commit(
                start, [], [_raised(number) for number in range(start, min(start + _AT_A_TIME, messages))]
            )
        with hook(port, messages) as receiver:
            before = cpu_s(os.getpid())
            sender = OutboxSender(OutboxStore(database), [config.open_connector(time.time_ns)])
            came = json.loads(asyncio.run(_send(sender, receiver)))
            used = cpu_s(os.getpid()) - before
        database.close()
    if came["distinct"] != messages:
        raise RuntimeError(f"{came['distinct']} of {messages} webhooks came")
    return {
        "webhooks_per_s": round(messages / came["seconds"]),
        "ms_per_webhook": round(used / messages * 1e3, 3),
        "repeats": came["received"] - came["distinct"],
    }


async def _send(sender: OutboxSender, receiver: Popen[str]) -> str:
    """Send until the receiver has everything; returns what it prints then."""
    running = asyncio.create_task(sender.run())
    printed, _ = await asyncio.to_thread(receiver.communicate)
    sender.stop()
    await running
    return printed


def _raised(number: int) -> Message:
    message = alarm_message(1, point=f"P-{number:05d}", urgency=Urgency.FIRST)
    now = time.time_ns()
    return replace(message, seq=0, id=uuid5(_NAMES, str(number)), received=now, created=now)
