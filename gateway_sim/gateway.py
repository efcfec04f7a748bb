"""The reference gateway: publishes frames and keeps each until the service says it is on disk.

What a real gateway has to do, in one place: a retained status with a last will, one boot id per start, sequence numbers
from 1, resending on reconnect, on request (`missing`), and when no commit comes. A broker's acknowledgement is never
taken as delivery: brokers forget, the `committed` downlink does not.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import socket
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

import aiomqtt
import msgspec

from gateway_sim.buffer import FrameBuffer
from ingest.intake.wire.errors import Rejected
from ingest.intake.wire.frame import Committed, Frame, Refusal, decode_committed, decode_refusal, encode_status
from ingest.intake.wire.registry import FORMATS
from ingest.intake.wire.topics import committed_topic, frame_topic, refused_topic, status_topic

RETAINED_WAIT_S: Final = 0.5  # for the retained `committed` after a reconnect, before everything is sent again
BACKOFF_S: Final = (0.25, 5.0)  # first and longest pause between connections
GOODBYE_S: Final = 2.0
_CANCEL_AGAIN_S: Final = 3.0

_log = logging.getLogger("gateway_sim.gateway")


@dataclass(frozen=True, slots=True)
class Link:
    """How to reach the broker."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: Literal["5", "3.1.1"] = "5"
    keepalive_s: int = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """What a gateway did so far. A reading is one cell of a frame, null included; each frame counts once.

    Attributes:
        refused: frames that are in quarantine, or columns of which are, as the service said; once for each reason.
    """

    frames: int
    readings: int
    resent: int
    uncommitted: int
    dropped: int
    connections: int
    refused: int


class _Connection(aiomqtt.Client):
    """A connection that can be lost on purpose."""

    def abort(self) -> None:
        """Drop the TCP connection without a DISCONNECT, so that the broker publishes the will."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class ReferenceGateway:
    """One gateway. Call `publish` whenever there are samples; run `run` as a task; cancel it to stop.

    Args:
        plant, gateway: its name in the topics, and with them its client id.
        link: the broker.
        encoding: JSON, or MessagePack with packed columns.
        buffer: where frames wait; its bound and its policy are told there.
        historical: it reads out what was recorded long ago, beside the gateway itself: its frames are marked so, it
            says nothing of the gateway's status, and has a client id of its own, so that it throws nobody out.
    """

    def __init__(
        self,
        plant: str,
        gateway: str,
        link: Link,
        *,
        encoding: Literal["json", "msgpack"] = "json",
        buffer: FrameBuffer | None = None,
        historical: bool = False,
    ) -> None:
        self.plant = plant
        self.gateway = gateway
        self.boot = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"  # sorts by time of start
        self._link = link
        self._historical = historical
        self._encode = FORMATS[encoding].encode
        self._buffer = FrameBuffer() if buffer is None else buffer
        self.refusals: dict[str, Refusal] = {}  # what the service could not take of this boot's frames, by reason
        self._seq = 0
        self._readings = 0
        self._connections = 0
        self._failures = 0
        self._client: _Connection | None = None
        self._network = asyncio.Event()
        self._network.set()
        self._wake = asyncio.Event()  # something may be sendable
        self._progress = asyncio.Event()  # a commit came

    def publish(
        self,
        time_ms: Sequence[int],
        values: Mapping[str, Sequence[float | None]],
        quality: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        """Make one frame and keep it until it is committed. Never waits, works without a connection.

        Args:
            time_ms: device times, strictly increasing.
            values: one column a point, each as long as `time_ms`; None = no value.
            quality: 0 good, 1 uncertain, 2 bad and so on (docs/protocol.md), for the points where it is known.
        """
        self._seq += 1
        columns = {point: list(column) for point, column in values.items()}
        marks = None if quality is None else {point: list(column) for point, column in quality.items()}
        frame = Frame(self.boot, self._seq, list(time_ms), columns, marks, self._historical)
        dropped = self._buffer.dropped
        self._buffer.add(self._seq, self._encode(frame))
        self._readings += len(time_ms) * len(columns)
        if self._buffer.dropped > dropped:
            _log.error("%s/%s: buffer full, oldest frame dropped", self.plant, self.gateway)
        self._wake.set()

    @property
    def tally(self) -> Tally:
        """The counts so far."""
        buffer = self._buffer
        refused = sum(refusal.frames for refusal in self.refusals.values())
        return Tally(self._seq, self._readings, buffer.resent, len(buffer), buffer.dropped, self._connections, refused)

    async def at_most_waiting(self, frames: int) -> None:
        """Return once at most so many frames wait for their commit (0 = all is on disk)."""
        while len(self._buffer) > frames:
            self._progress.clear()
            await self._progress.wait()

    def cut(self) -> None:
        """Take the network away: the connection drops, the will fires, frames pile up."""
        self._network.clear()
        if self._client is not None:
            self._client.abort()

    def restore(self) -> None:
        """Give the network back."""
        self._failures = 0
        self._network.set()

    async def run(self) -> None:
        """Stay connected until cancelled; then say goodbye (retained `online: false`) and disconnect."""
        while True:
            await self._network.wait()
            try:
                await _ended(self._serve())
            except* aiomqtt.MqttError as lost:
                _log.info("%s/%s: connection lost: %s", self.plant, self.gateway, lost.exceptions[0])
            finally:
                self._client = None
            first, longest = BACKOFF_S
            await asyncio.sleep(min(first * 2**self._failures, longest) * random.uniform(0.5, 1.0))
            self._failures += 1

    async def _serve(self) -> None:
        """One connection, from CONNECT to its loss."""
        async with self._connect() as client:
            self._client = client
            if not self._network.is_set():
                client.abort()
            heard = asyncio.Event()
            downlinks = refused_topic(self.plant, self.gateway), committed_topic(self.plant, self.gateway)
            await client.subscribe([(topic, 1) for topic in downlinks])
            await self._say(client, online=True)
            self._connections += 1
            self._failures = 0
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(client, heard), name=f"{self.gateway} listen")
                    tasks.create_task(self._send(client, heard), name=f"{self.gateway} send")
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError):  # a clean DISCONNECT discards the will
                    await self._say(client, online=False)
                raise

    def _connect(self) -> _Connection:
        will = aiomqtt.Will(status_topic(self.plant, self.gateway), encode_status(False), qos=1, retain=True)
        v5 = self._link.protocol == "5"
        return _Connection(
            self._link.host,
            self._link.port,
            username=self._link.username,
            password=self._link.password,
            identifier=f"{self.plant}.{self.gateway}" + (f".{self.boot}" if self._historical else ""),
            protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
            will=None if self._historical else will,
            clean_session=None if v5 else True,  # nothing in the session is needed: `committed` is retained
            keepalive=self._link.keepalive_s,
            timeout=5.0,
        )

    async def _say(self, client: _Connection, *, online: bool) -> None:
        if self._historical:
            return
        topic = status_topic(self.plant, self.gateway)
        await client.publish(topic, encode_status(online), qos=1, retain=True, timeout=GOODBYE_S)

    async def _listen(self, client: _Connection, heard: asyncio.Event) -> None:
        committed, refused = committed_topic(self.plant, self.gateway), refused_topic(self.plant, self.gateway)
        async for message in client.messages:
            try:
                if message.topic.value == committed:
                    self._note_commit(decode_committed(bytes(message.payload)))
                    heard.set()
                elif message.topic.value == refused:
                    self._note_refusal(decode_refusal(bytes(message.payload)))
            except Rejected as rejected:
                _log.warning("%s/%s: unreadable downlink: %s", self.plant, self.gateway, rejected)

    def _note_commit(self, committed: Committed) -> None:
        if committed.boot == self.boot:
            self._buffer.commit(committed.seq, committed.missing, time.monotonic())
            self._progress.set()
            self._wake.set()

    def _note_refusal(self, refusal: Refusal) -> None:
        """Send nothing again: the service has it in quarantine, until people mend the gateway or the plant file."""
        if refusal.boot != self.boot:
            return
        before = self.refusals.get(refusal.reason)
        if before is None:
            _log.error("%s/%s: refused: %s: %s", self.plant, self.gateway, refusal.reason, refusal.detail)
            self.refusals[refusal.reason] = refusal
        else:
            sums = {"frames": before.frames + refusal.frames, "readings": before.readings + refusal.readings}
            self.refusals[refusal.reason] = msgspec.structs.replace(before, **sums)

    async def _send(self, client: _Connection, heard: asyncio.Event) -> None:
        """Everything not committed, oldest first; then whatever comes; again what is overdue."""
        with suppress(TimeoutError):
            # `timeout`, here and below, and no `wait_for`: see `_ended`
            async with asyncio.timeout(RETAINED_WAIT_S):
                await heard.wait()
        self._buffer.send_all_again()
        topic, sending = frame_topic(self.plant, self.gateway), asyncio.current_task()
        while True:
            await self._network.wait()  # a connection cut on purpose is not written to while its loss is unnoticed
            self._wake.clear()
            taken = self._buffer.take(time.monotonic())
            if taken is not None:
                await client.publish(topic, taken[1], qos=1)
                if sending is not None and sending.cancelling():  # swallowed, see `_ended`; the group cancels once
                    raise asyncio.CancelledError
                continue
            due = self._buffer.next_due()
            patience = None if due is None else max(due - time.monotonic(), 0.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._wake.wait()


async def _ended(work: Coroutine[None, None, None]) -> None:
    """Run it as a task; when cancelled, cancel that task until it has ended, and end.

    aiomqtt waits by `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes together with what
    it waits for: the task would go on for ever.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_AGAIN_S)
        await asyncio.gather(task, return_exceptions=True)
        raise
    await task
