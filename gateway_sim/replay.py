"""Replay: a recorded file published through MQTT as if its gateway sent it now, at any speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gateway_sim.gateway import ReferenceGateway
from gateway_sim.recording import Recording
from ingest.intake.wire.frame import Refusal

ROWS_PER_FRAME: Final = 200
FRAMES_AHEAD: Final = 64  # frames made before their commit came, as fast as commits allow
FRAME_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was published.

    Attributes:
        refused: what of it the service put into quarantine, a reason each; as far as it was heard of.
        connections: to the broker; with more than one, refusals told in between were not heard.
    """

    rows: int
    readings: int
    frames: int
    uncommitted: int
    refused: list[Refusal]
    connections: int


async def replay(
    recording: Recording,
    gateway: ReferenceGateway,
    *,
    speed: float,
    drain_s: float = 60.0,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Publish all rows and wait for their commit.

    Args:
        recording: what to send; device times are sent as they stand.
        gateway: not yet running.
        speed: recorded seconds a second; 0 = as fast as commits allow.
        drain_s: how long to wait for commits without any coming.
        progress: called with the number of rows handed over so far.
    """
    network = asyncio.create_task(gateway.run(), name="replay network")
    began = time.monotonic()
    sent = 0
    try:
        while sent < len(recording):
            if not await _commits(gateway, FRAMES_AHEAD, drain_s):
                break
            end = _released(recording, sent, (time.monotonic() - began) * speed if speed else None)
            if end > sent:
                gateway.publish(*recording.rows(sent, end))
                sent = end
                progress(sent)
            else:
                left_s = (recording.time_ms[-1] - recording.time_ms[0]) / 1000 / speed - (time.monotonic() - began)
                await asyncio.sleep(min(FRAME_EVERY_S, max(left_s, 0.01)))
        await _commits(gateway, 0, drain_s)
    finally:
        network.cancel()
        with suppress(asyncio.CancelledError):
            await network
    tally = gateway.tally
    refused = list(gateway.refusals.values())
    return Replayed(sent, tally.readings, tally.frames, tally.uncommitted, refused, tally.connections)


def _released(recording: Recording, sent: int, elapsed_s: float | None) -> int:
    """How many rows may be out by now, at most one frame more than `sent`."""
    end = min(sent + ROWS_PER_FRAME, len(recording))
    if elapsed_s is None:
        return end
    now_ms = recording.time_ms[0] + elapsed_s * 1000
    return next((row for row in range(sent, end) if recording.time_ms[row] > now_ms), end)


async def _commits(gateway: ReferenceGateway, frames: int, patience_s: float) -> bool:
    """Wait until at most `frames` wait; False when no commit came for `patience_s` seconds."""
    while gateway.tally.uncommitted > frames:
        before = gateway.tally.uncommitted
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await gateway.at_most_waiting(max(frames, before - 1))
        if gateway.tally.uncommitted >= before:
            return False
    return True
