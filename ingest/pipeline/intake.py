"""Intake: messages from the sources, decoded, journaled and synced, and only then acknowledged and announced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Final

import numpy as np

from ingest.journal.errors import JournalUnavailable
from ingest.journal.journal import BootKey, Commit, Journal, Progress
from ingest.journal.position import Position
from ingest.journal.records import Quarantined
from ingest.model.batch import Batch, concat
from ingest.pipeline.worker import Worker
from ingest.plants.roster import GatewayRoster, Roster
from ingest.sources.raw import Raw
from ingest.telemetry import Event, emit
from ingest.wire.errors import Reason, Rejected
from ingest.wire.frame import Committed, decode, decode_status, identify, only_columns
from ingest.wire.topics import parse_topic

GROUP: Final = 256
"""Most messages in one commit; a commit takes whatever waits, so an idle service adds no delay."""

_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class FramesJournaled(Event, level="debug", amount="readings"):
    """Readings on disk."""

    messages: int
    readings: int


@dataclass(frozen=True, slots=True)
class MessageQuarantined(Event, level="warning", labels=("reason",)):
    """A message, or the part of it that could not be taken, put aside with its reason."""

    topic: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class FrameRepeated(Event, level="debug"):
    """A frame that is on disk already: acknowledged, not stored again."""

    plant: str
    gateway: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class JournalRefused(Event, level="error"):
    """The journal could not be written. Nothing is acknowledged until it can: the broker holds back."""

    error: str


@dataclass(slots=True)
class _Group:
    """What a group of messages adds up to."""

    batches: list[Batch] = field(default_factory=list)
    readings: int = 0
    progress: dict[BootKey, Progress] = field(default_factory=dict)
    statuses: dict[tuple[str, str], tuple[bool, int]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)

    def put_aside(self, message: Raw, reason: Reason, detail: str, readings: int, payload: bytes) -> None:
        self.quarantined.append(Quarantined(0, message.received, message.topic, reason, detail, readings, payload))
        emit(MessageQuarantined(message.topic, reason, detail))

    def commit(self) -> Commit:
        return Commit(concat(self.batches), self.readings, self.progress, self.statuses, self.quarantined)


class Intake(Worker):
    """The thread between the sources' queue and the journal."""

    def __init__(
        self,
        queue: Queue[Raw],
        journal: Journal,
        roster: Callable[[], Roster],
        announce: Callable[[str, str, Committed], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        super().__init__("intake", on_failure)
        self._queue = queue
        self._journal = journal
        self._roster = roster
        self._announce = announce
        self._positions = journal.positions()
        self._boots = {(g.plant, g.gateway): g.boot for g in journal.gateways()}  # the boot each gateway is in
        self._announce_all = False

    def wake(self) -> None:
        """Nothing to do: the queue is looked at often enough."""

    def announce_all(self) -> None:
        """Tell every gateway again where it stands, since the broker may have forgotten. From any thread."""
        self._announce_all = True

    def take(self, messages: Sequence[Raw]) -> None:
        """Journal a group of messages, then acknowledge each in order and announce what is on disk.

        Raises:
            JournalUnavailable: nothing was written, acknowledged or announced.
        """
        group = _Group()
        roster = self._roster()
        for message in messages:
            self._sort(message, roster, group)
        self._journal.append(group.commit())
        for (plant, gateway, boot), progress in group.progress.items():
            self._positions[plant, gateway, boot] = progress.position
            self._boots[plant, gateway] = boot
        for message in messages:
            message.acknowledge()
        self._tell(group.progress)
        emit(FramesJournaled(len(messages), group.readings))

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._announce_all:
                self._announce_all = False
                self._tell((*who, boot) for who, boot in self._boots.items())
            messages = self._wait()
            while messages and not self._stopping.is_set():
                try:
                    self.take(messages)
                except JournalUnavailable as error:
                    emit(JournalRefused(str(error)))
                    self._stopping.wait(_RETRY_S)
                else:
                    messages = []

    def _wait(self) -> list[Raw]:
        """At least one message and whatever waits behind it, or none for now."""
        messages: list[Raw] = []
        with suppress(Empty):
            messages.append(self._queue.get(timeout=0.1))
            while len(messages) < GROUP:
                messages.append(self._queue.get_nowait())
        return messages

    def _sort(self, message: Raw, roster: Roster, group: _Group) -> None:
        topic = parse_topic(message.topic)
        if topic is None or topic.leaf == "committed":
            group.put_aside(message, Reason.TOPIC, "expected yujing/v1/{plant}/{gateway}/frame", 0, message.payload)
            return
        who = (topic.plant, topic.gateway)
        try:
            gateway = _known(roster, who)
            if topic.leaf == "status":
                self._sort_status(message, gateway, who, group)
            else:
                self._sort_frame(message, gateway, who, group)
        except Rejected as error:
            # What was put aside is on disk too: the gateway may forget it, if it can be told which frame it was.
            identity = identify(message.payload) if topic.leaf == "frame" else None
            if identity and not self._accept((*who, identity[0]), identity[1], message, group):
                return
            group.put_aside(message, error.reason, error.detail, error.readings, message.payload)

    def _sort_status(self, message: Raw, gateway: GatewayRoster, who: tuple[str, str], group: _Group) -> None:
        online = decode_status(message.payload).online
        group.statuses[who] = (online, message.received)
        group.batches.append(_device_reading(gateway.device, message.received, online=online))

    def _sort_frame(self, message: Raw, gateway: GatewayRoster, who: tuple[str, str], group: _Group) -> None:
        frame = decode(message.payload, gateway.columns, message.received)
        if not self._accept((*who, frame.boot), frame.seq, message, group):
            return
        group.batches.append(frame.batch)
        group.readings += len(frame.batch)
        if frame.unknown:
            rest = only_columns(message.payload, frame.unknown)
            detail = f"{', '.join(frame.unknown)[:500]}: expected points of {'/'.join(who)} in its plant file"
            group.put_aside(message, Reason.UNKNOWN_POINT, detail, frame.times * len(frame.unknown), rest)

    def _accept(self, key: BootKey, seq: int, message: Raw, group: _Group) -> bool:
        """Note the frame in its gateway's position; False if it is on disk already."""
        before = group.progress.get(key, Progress(self._positions.get(key, Position()), message.received, 0, 0))
        position = before.position.accept(seq)
        if position is None:
            emit(FrameRepeated(*key, seq))
            after = Progress(before.position, message.received, before.frames, before.duplicates + 1)
        else:
            after = Progress(position, message.received, before.frames + 1, before.duplicates)
        group.progress[key] = after
        return position is not None

    def _tell(self, keys: Iterable[BootKey]) -> None:
        for plant, gateway, boot in keys:
            position = self._positions[plant, gateway, boot]
            self._announce(plant, gateway, Committed(boot, position.committed, list(position.missing)))


def _known(roster: Roster, who: tuple[str, str]) -> GatewayRoster:
    gateway = roster.gateways.get(who)
    if gateway is None:
        raise Rejected(Reason.UNKNOWN_GATEWAY, f"{'/'.join(who)} is in no plant file")
    return gateway


def _device_reading(device: int, received: int, *, online: bool) -> Batch:
    time = np.array([received])
    return Batch(np.array([device], np.int32), time, np.array([float(online)]), np.zeros(1, np.uint16), time)
