"""Sorts a group of messages into readings, repeated frames and quarantine; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from typing import Final

import msgspec
import numpy as np

from ingest.base.telemetry import emit
from ingest.domain.model.batch import Batch, concat
from ingest.domain.quality.backfill import Backfill
from ingest.domain.quality.clock import GatewayClock
from ingest.domain.quality.distinct_times import DistinctTimes
from ingest.domain.quality.reference import Reference
from ingest.domain.quality.timeline import MS, Part, Stamped, TimeLine, place
from ingest.intake.events import GatewayClockStepped, MessageQuarantined
from ingest.intake.health import Tally
from ingest.intake.sequencing import Boot, FrameNovelty, Sequencer
from ingest.intake.sources.raw import Raw
from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import Decoded, decode, identify
from ingest.intake.wire.errors import Reason, Rejected
from ingest.intake.wire.frame import DETAIL, Refusal, decode_status
from ingest.intake.wire.parse import too_many_bytes
from ingest.intake.wire.topics import Topic, parse_topic
from ingest.plants.configuration import GatewayConfiguration, PlantConfiguration
from ingest.storage.journal import body
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.recent_frames import UNDATED
from ingest.storage.journal.records import Quarantined, Staged
from ingest.storage.journal.sequence_state import BootKey, Who

PIECE: Final = 2_000
"""Readings of back-fill staged as one piece and released together: some 5 ms of the engine's time."""

_TOPICS: Final = 10_000
_LAST: Final = -UNDATED  # ms; no time is later
_PRESENCE_EVERY: Final = 30 * 10**9  # longest interval between reports that a gateway is online, ns of arrival
_CLOCK_EVERY: Final = 30 * 10**9  # longest interval between reports of a gateway's clock, ns of arrival


class GatewayState(msgspec.Struct, frozen=True, gc=False):
    """The state of a gateway beside its sequences.

    Attributes:
        line: its line of time, with the boot it is in and its clock.
        reported: when its clock was last reported as a reading, ns.
    """

    line: TimeLine
    reported: int = 0


class Presence(msgspec.Struct, frozen=True, gc=False):
    """Whether a gateway is online, as its point reports: by each live frame, until its status says offline.

    Attributes:
        online: what was last reported.
        reported: when, ns; 0 = before the start.
    """

    online: bool
    reported: int = 0


class GatewayInGroup(msgspec.Struct, gc=False):
    """A gateway with messages in the group, after those sorted so far.

    Attributes:
        before: its state before the group.
        state, presence: its state now, and whether it is online; None: not known.
        boot: the boot of its newest frame.
        tally: counts of its messages; None: none counted.
    """

    who: Who
    configuration: GatewayConfiguration
    before: GatewayState | None
    state: GatewayState | None
    presence: Presence | None
    boot: Boot | None = None
    tally: Tally | None = None

    @property
    def left(self) -> BootKey | None:
        """The boot that it left in this group, if any."""
        before, now = self.before, self.state
        left = before is not None and now is not None and before.line.boot != now.line.boot
        return (*self.who, before.line.boot) if left and before is not None else None

    def counted(self, received: int, *, frames: int = 1) -> Tally:
        """Its tally, with so many more frames."""
        tally = self.tally
        if tally is None:
            tally = self.tally = Tally()
        tally.received = received
        tally.frames += frames
        return tally


@dataclass(slots=True)
class Group:
    """Messages that will be committed together.

    Args:
        configuration: the configuration in force.
        numbers: tracks frame numbers, from the committed ones on.
        states, presences: what is committed; not changed.
        tolerance: ns by which a device's clock may be ahead.
        set_by: ns by which the service's clock was set since its start: undone before arrivals are compared.
        backfill: tells which frames are part of a backlog; learns from each.
        spare: readings of back-fill that may join at once, since nothing live waits; the rest is staged.
        reference: the time that gateways' clocks are compared with.
        distinct_times: makes times of readings of one point distinct; learns from each.
    """

    configuration: PlantConfiguration
    numbers: Sequencer
    states: Mapping[Who, GatewayState]
    presences: Mapping[Who, Presence]
    tolerance: int
    set_by: int
    backfill: Backfill
    spare: int = PIECE
    reference: Reference = field(default_factory=Reference)
    distinct_times: DistinctTimes = field(default_factory=DistinctTimes)
    readings: int = 0
    backfilled: int = 0  # readings of back-fill among them
    gateways: dict[Who, GatewayInGroup] = field(default_factory=dict)
    presence_changes: dict[Who, Presence] = field(default_factory=dict)
    refusals: list[tuple[Who, Refusal]] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    released: list[Staged] = field(default_factory=list)
    _in_order: bool = True  # whether every reading is newer than all before of its gateway
    _backlog: list[Arrival] = field(default_factory=list)
    _parts: list[Arrival | Batch] = field(default_factory=list)
    _quarantined: list[Quarantined] = field(default_factory=list)

    def sort(self, message: Raw, *, retry: bool = False) -> None:
        """Sort one message; `retry`: it comes from quarantine, and its frame is in the sequence already."""
        topic = _topic(message.topic)
        if topic is None or topic.leaf in ("committed", "refused"):
            detail = "expected yujing/v1/{plant}/{gateway}/frame"
            self._quarantine(message, Reason.TOPIC, detail, 0, message.payload)
            return
        who = (topic.plant, topic.gateway)
        try:
            if topic.leaf == "frame":
                self._sort_frame(message, self._gateway(who, message.payload), retry=retry)
            else:
                self._sort_status(message, self._gateway(who))
        except Rejected as error:
            if message.whole and error.reason is Reason.TOO_LARGE:
                error.detail = too_many_bytes(message.whole, len(message.payload))
            # Quarantined frames are on disk too: the gateway may drop them, if the frame can be identified.
            identity = None if retry else error.identity
            if identity and self._accept(self._boot(who, identity[0]), identity[1], message) is FrameNovelty.REPEAT:
                return
            if topic.leaf == "frame" and who in self.configuration.gateways and not retry:
                gateway = self._gateway(who)
                gateway.counted(message.received).refused += 1
                self._mark_alive(gateway, message)
            if topic.leaf == "frame" and not retry:
                known = identify(message.payload) if error.reason is Reason.BOOT_REUSED else identity
                self._refuse(who, known or ("", 0), error.reason, error.detail, error.readings)
            self._quarantine(message, error.reason, error.detail, error.readings, message.payload)

    def count_unread(self, message: Raw) -> None:
        """Count one message that was not read, since its gateway sends more than its share."""
        topic = _topic(message.topic)
        if topic is not None and (topic.plant, topic.gateway) in self.configuration.gateways:
            gateway = self._gateway((topic.plant, topic.gateway))
            gateway.counted(message.received, frames=0).throttled += 1
            self._mark_alive(gateway, message)

    def observe(self, point: int, value: float, now: int) -> None:
        """Add a reading that the service made itself."""
        self._in_order = False
        time = np.array([now])
        self._parts.append(Batch(np.array([point], np.int32), time, np.array([value]), np.zeros(1, np.uint16), time))

    def release(self, staged: Sequence[Staged], now: int) -> None:
        """Add staged back-fill: for all readers of the journal it arrives at `now`."""
        for piece in staged:
            self.released.append(piece)
            self._in_order = False
            try:
                batch = body.unpack(piece.body, size=piece.size, received=piece.received)
            except ValueError as error:
                damaged = Raw("backfill", piece.body, piece.received)
                self._quarantine(damaged, Reason.DAMAGED, str(error), piece.size, piece.body)
            else:
                self._parts.append(replace(batch, received=np.full(len(batch), now)))
                self.readings += len(batch)
                self.backfilled += len(batch)

    def commit(self, step: int) -> Commit:
        """Return everything that is to be committed of the group."""
        self._emit_quarantined()
        runs = [(kind, [*run]) for kind, run in groupby(self._parts, type)]
        batches = [concat(run) if kind is Batch else assemble(run) for kind, run in runs]  # type: ignore[arg-type]
        return Commit(
            self.distinct_times(concat(batches), in_order=self._in_order),
            self.readings,
            self.numbers.progress(self._clock),
            {who: (presence.online, presence.reported) for who, presence in self.presence_changes.items()},
            self._quarantined,
            step,
            tuple(self.retried),
            [*_pieces(assemble(self._backlog))] if self._backlog else [],
            self.released,
            [left for gateway in self.gateways.values() if (left := gateway.left) is not None],
        )

    def _clock(self, key: BootKey) -> GatewayClock | None:
        who = key[:2]
        gateway = self.gateways.get(who)
        known = self.states.get(who) if gateway is None else gateway.state
        return known.line.clock if known is not None and known.line.boot == key[2] else None

    def _gateway(self, who: Who, payload: bytes = b"") -> GatewayInGroup:
        """The gateway, with its state. Raises Rejected with the frame's identity if no plant file has it."""
        gateway = self.gateways.get(who)
        if gateway is None:
            configuration = self.configuration.gateways.get(who)
            if configuration is None:
                identity = identify(payload) if payload else None
                raise Rejected(Reason.UNKNOWN_GATEWAY, f"{'/'.join(who)} is in no plant file", identity=identity)
            before = self.states.get(who)
            gateway = self.gateways[who] = GatewayInGroup(who, configuration, before, before, self.presences.get(who))
        return gateway

    def _boot(self, who: Who, name: str) -> Boot:
        return self.numbers.boot((*who, name))

    def _sort_status(self, message: Raw, gateway: GatewayInGroup) -> None:
        if not message.payload:
            return  # clears a retained message in MQTT, and says nothing of the gateway
        online, known = decode_status(message.payload).online, gateway.presence
        if online:
            # It may be old, kept by the broker or held for our session; only frames prove that it is online.
            if known is None and not message.retained:  # its first message: from now on its silence counts
                self._set_presence(gateway, message.received, online=True)
        elif not message.retained or known is None or known.online:  # retained: offline since an outage
            self._set_presence(gateway, message.received, online=False)

    def _mark_alive(self, gateway: GatewayInGroup, message: Raw) -> None:
        """Note that a frame came, so its gateway is online whatever its status message says."""
        presence, received = gateway.presence, message.received
        fresh = presence is not None and presence.online and abs(received - presence.reported) < _PRESENCE_EVERY
        if not fresh and not message.retained:
            self._set_presence(gateway, received, online=True)

    def _set_presence(self, gateway: GatewayInGroup, received: int, *, online: bool) -> None:
        gateway.presence = self.presence_changes[gateway.who] = Presence(online, received)
        self.observe(gateway.configuration.device, float(online), received)

    def _sort_frame(self, message: Raw, gateway: GatewayInGroup, *, retry: bool) -> None:
        frame, received = decode(message.payload, gateway.configuration.columns), message.received
        boot, newest_ms = gateway.boot, _newest_time(frame)
        if boot is None or boot.key[2] != frame.boot:
            boot = gateway.boot = self._boot(gateway.who, frame.boot)
        first = not boot.known
        newest = not retry and (first or frame.seq > boot.sequence.committed)
        what = FrameNovelty.NEW if retry else self._accept(boot, frame.seq, message, newest_ms)
        if what is FrameNovelty.REPEAT:
            return
        if what is FrameNovelty.REUSED:
            # At least as new as all frames of its gateway: it is live, and may show a danger.
            known = self.numbers.recall(gateway.who)
            newest = known is not None and newest_ms >= known.newest
            if not newest:
                detail = (
                    f"boot {frame.boot} seq {frame.seq} is another frame's; expected a boot that is new at each start"
                )
                raise Rejected(Reason.BOOT_REUSED, detail, readings=frame.readings)
        if not retry and not frame.historical:
            self._mark_alive(gateway, message)
        stamped = Stamped(frame.boot, frame.times, received - self.set_by, newest, first, frame.historical)
        for part in self._place(gateway, stamped, received):
            whole = part.end - part.start == len(frame.times) and not (part.base or part.level)
            rows = frame if whole else frame.rows(part.start, part.end, part.times(frame.times))
            self._add(Arrival(rows, received, part.shift, part.flags), gateway.who)
        if gateway.state is not None and gateway.state.line.boot == frame.boot:
            self.numbers.follow(boot, frame.seq, message.payload, newest_ms)
        tally = gateway.counted(received)
        if frame.refused:
            tally.refused += frame.refused_share
            self._refuse_columns(message, gateway.who, frame, retry=retry)

    def _refuse_columns(self, message: Raw, who: Who, frame: Decoded, *, retry: bool) -> None:
        """Quarantine the columns of a frame that were not taken."""
        for refused in frame.refused:
            readings = len(frame.times) * refused.columns
            if not retry:
                self._refuse(who, (frame.boot, frame.seq), refused.reason, refused.detail, readings)
            self._quarantine(message, refused.reason, refused.detail, readings, refused.payload)

    def _add(self, arrival: Arrival, who: Who) -> None:
        """Add a frame's readings: live ones to the next entry, back-fill only as far as `spare` allows."""
        frame, received = arrival.frame, arrival.received
        readings = frame.readings
        first, newest = frame.times[0] * MS + arrival.shift, frame.times[-1] * MS + arrival.shift
        if not self.distinct_times.in_order(who, first, newest):
            self._in_order = False
        if frame.historical or self.backfill.catches_up(who, first, newest, received):
            self.spare -= readings
            if self.spare < 0:  # from here on all of it, so that a gateway's frames stay in their order
                self._backlog.append(arrival)
                return
            self.backfilled += readings
        self._parts.append(arrival)
        self.readings += readings

    def _place(self, gateway: GatewayInGroup, frame: Stamped, received: int) -> Sequence[Part]:
        """Place the frame on its gateway's time line, and report its clock."""
        known = gateway.state
        before, reported = (known.line, known.reported) if known is not None else (None, 0)
        line, parts = place(before, frame, self.tolerance, self.reference)
        clock = line.clock
        if clock is not None and (before is None or clock is not before.clock):
            shift = before.clock.shift if before is not None and before.clock is not None else 0
            stepped = len(parts) > 1 or abs(clock.shift - shift) > self.tolerance
            if stepped:
                emit(GatewayClockStepped(*gateway.who, round(clock.shift / 1e9, 3)))
            if stepped or abs(received - reported) >= _CLOCK_EVERY:
                # A wrong time within a frame is reported, though the clock may be right again at its end.
                ends = (frame.times[part.end - 1] * MS - frame.received for part in parts[:-1])
                ahead = max(clock.offset, *ends, key=abs) if len(parts) > 1 else clock.offset
                self.observe(gateway.configuration.clock, (ahead - self.reference.offset) / 1e9, received)
                reported = received
        gateway.state = GatewayState(line, reported)
        return parts

    def _accept(self, boot: Boot, seq: int, message: Raw, newest: int = UNDATED) -> FrameNovelty:
        """Note the frame's number; returns whether it is new. `newest`: its time, ms."""
        novelty = self.numbers.accept(boot, seq, message.payload, message.received, newest)
        if novelty is FrameNovelty.REUSED:
            self._gateway(boot.who).counted(message.received, frames=0).reused += 1
        return novelty

    def _quarantine(self, message: Raw, reason: Reason, detail: str, readings: int, payload: bytes) -> None:
        self._quarantined.append(Quarantined(0, message.received, message.topic, reason, detail, readings, payload))

    def _refuse(self, who: Who, identity: tuple[str, int], reason: Reason, detail: str, readings: int) -> None:
        """Note that the gateway is to be notified that a frame, or columns of it, could not be taken."""
        self.refusals.append((who, Refusal(*identity, reason, detail[:DETAIL], 1, readings)))

    def _emit_quarantined(self) -> None:
        """Emit one event for all alike, so that a flood does not fill the log."""
        alike: dict[tuple[str, str], list[Quarantined]] = {}
        for quarantined in self._quarantined:
            anybody = quarantined.reason in (Reason.TOPIC, Reason.UNKNOWN_GATEWAY)
            alike.setdefault((quarantined.reason, "" if anybody else quarantined.topic), []).append(quarantined)
        for first, *others in alike.values():
            emit(MessageQuarantined(first.topic, first.reason, first.detail, 1 + len(others)))


def _newest_time(frame: Decoded) -> int:
    """The newest time of a frame that is in the order of its boot, ms."""
    newest = frame.times[-1]
    if frame.historical or newest < UNDATED:
        return UNDATED
    return min(newest, _LAST)


def _pieces(backlog: Batch) -> Iterator[Staged]:
    """Split a batch into pieces to be staged, small enough that live readings never wait long for one."""
    for start in range(0, len(backlog), PIECE):
        piece = backlog.take(np.arange(start, min(start + PIECE, len(backlog))))
        received = int(piece.received[0])
        yield Staged(0, received, len(piece), body.pack(piece, received=received))


_topic: Callable[[str], Topic | None] = lru_cache(maxsize=_TOPICS)(parse_topic)
