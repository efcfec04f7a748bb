"""A service of a few lines: remembers frames, announces which are on disk, and can lose some on request."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import aiomqtt
import msgspec

from ingest.intake.wire.decode import Decoded, decode
from ingest.intake.wire.frame import Committed, Refusal, decode_status, encode_committed, encode_refusal
from ingest.intake.wire.topics import FRAMES, STATUSES, committed_topic, parse_topic, refused_topic

Key = tuple[str, str, str]  # plant, gateway, boot


class Committer:
    """Everything it has is in `frames`; `statuses` holds the messages on each gateway's status topic, in order.

    `refuse`: by sequence number, what is said of a frame before it is committed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        lose: Iterable[int] = (),
        silent: bool = False,
        refuse: Mapping[int, Refusal] | None = None,
    ) -> None:
        self._refusals = refuse or {}
        self._host, self._port = host, port
        self._lose = set(lose)  # sequence numbers not taken the first time
        self.silent = silent
        self.frames: dict[Key, dict[int, int]] = defaultdict(dict)  # seq -> readings
        self.arrivals: list[tuple[Key, int]] = []
        self.historical: set[Key] = set()
        self.statuses: dict[str, list[bool]] = defaultdict(list)

    async def run(self) -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                client = aiomqtt.Client(self._host, self._port, protocol=aiomqtt.ProtocolVersion.V5, timeout=2)
                async with client:
                    await client.subscribe([(FRAMES, 1), (STATUSES, 1)])
                    async for message in client.messages:
                        await self._take(client, str(message.topic), bytes(message.payload))
            await asyncio.sleep(0.1)

    async def _take(self, client: aiomqtt.Client, name: str, payload: bytes) -> None:
        topic = parse_topic(name)
        assert topic is not None
        if topic.leaf == "status":
            self.statuses[f"{topic.plant}/{topic.gateway}"].append(decode_status(payload).online)
            return
        frame = _read(payload)
        key = (topic.plant, topic.gateway, frame.boot)
        self.arrivals.append((key, frame.seq))
        if frame.historical:
            self.historical.add(key)
        if frame.seq in self._lose:
            self._lose.discard(frame.seq)
        else:
            self.frames[key][frame.seq] = frame.readings
        if refusal := self._refusals.get(frame.seq):
            encoded = encode_refusal(msgspec.structs.replace(refusal, boot=refusal.boot or frame.boot))
            await client.publish(refused_topic(topic.plant, topic.gateway), encoded, qos=0)
        if not self.silent:
            await client.publish(committed_topic(topic.plant, topic.gateway), self.committed(key), qos=1, retain=True)

    def committed(self, key: Key) -> bytes:
        have = self.frames[key]
        last = max(have, default=0)
        missing = [(seq, seq) for seq in range(1, last) if seq not in have]
        return encode_committed(Committed(key[2], last, missing))

    @property
    def readings(self) -> int:
        return sum(sum(frames.values()) for frames in self.frames.values())


def _read(payload: bytes) -> Decoded:
    """Any frame, JSON or MessagePack, read as the service reads it, with every point enrolled."""
    content = (msgspec.json if payload.startswith(b"{") else msgspec.msgpack).decode(payload)
    return decode(payload, {name: place for place, name in enumerate(content["values"])})


@asynccontextmanager
async def in_background(*loops: Awaitable[object]) -> AsyncIterator[None]:
    """Run endless loops as tasks while the block lasts.

    They are cancelled until they have ended: before Python 3.12 `asyncio.wait_for`, by which aiomqtt waits, swallows a
    cancellation that comes together with what it waits for.
    """
    running = {asyncio.ensure_future(loop) for loop in loops}
    try:
        yield
    finally:
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=0.5)


async def until(happened: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Return as soon as it happened; fail after `timeout_s`."""
    async with asyncio.timeout(timeout_s):
        while not happened():
            await asyncio.sleep(0.01)
