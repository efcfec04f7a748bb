"""A group of messages, sorted: what becomes readings, what was there already, what is put aside. Touches no disk."""

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
from ingest.intake.sequencing import Boot, Numbered, Sequencer
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
"""Readings of back-fill staged together, and put into the journal at once: some 5 ms of the engine's time."""

_TOPICS: Final = 10_000
_LAST: Final = -UNDATED  # ms; no time is later
_ALIVE_EVERY: Final = 30 * 10**9  # that a gateway sends is told at least so often; ns of arrival
_CLOCK_EVERY: Final = 30 * 10**9  # a gateway's clock is told at least so often; ns of arrival


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What is known of a gateway besides its positions.

    Attributes:
        line: its line of time, with the boot it is in and its clock.
        told: when its clock was last told as a reading, ns.
    """

    line: TimeLine
    told: int = 0


class Life(msgspec.Struct, frozen=True, gc=False):
    """Whether a gateway is there, as its point tells: by every frame that is of now, until it says that it goes.

    Attributes:
        online: what was told last.
        told: when, ns; 0 = before the start.
    """

    online: bool
    told: int = 0


@dataclass(slots=True)
class Heard:
    """A gateway that was heard in a group, as it stands after what was sorted so far.

    Attributes:
        before: where it stood before the group.
        standing, life: where it stands, and whether it is there; None: not known.
        boot: the one its newest frame was of.
        tally: what came of it; None: nothing that counts.
    """

    who: Who
    configuration: GatewayConfiguration
    before: Standing | None
    standing: Standing | None
    life: Life | None
    boot: Boot | None = None
    tally: Tally | None = None

    @property
    def left(self) -> BootKey | None:
        """The boot that it has left, if it has."""
        before, now = self.before, self.standing
        left = before is not None and now is not None and before.line.boot != now.line.boot
        return (*self.who, before.line.boot) if left and before is not None else None

    def counted(self, received: int, *, frames: int = 1) -> Tally:
        """What came of it, with so many frames more."""
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
        numbers: of the frames that are committed, and then of these.
        standings, lives: what is committed; not changed.
        tolerance: ns by which a device's clock may be ahead.
        set_by: ns by which the service's clock was set since its start: undone before arrivals are compared.
        backfill: tells which frames are part of a backlog; learns from each.
        spare: readings of back-fill that may go straight on, since nothing live waits; the rest is staged.
        reference: which time is believed.
        apart: tells readings of one point and time apart; learns from each.
    """

    configuration: PlantConfiguration
    numbers: Sequencer
    standings: Mapping[Who, Standing]
    lives: Mapping[Who, Life]
    tolerance: int
    set_by: int
    backfill: Backfill
    spare: int = PIECE
    reference: Reference = field(default_factory=Reference)
    apart: DistinctTimes = field(default_factory=DistinctTimes)
    readings: int = 0
    filled: int = 0  # readings of back-fill among them
    heard: dict[Who, Heard] = field(default_factory=dict)
    lived: dict[Who, Life] = field(default_factory=dict)
    refusals: list[tuple[Who, Refusal]] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    fed: list[Staged] = field(default_factory=list)
    _in_order: bool = True  # whether every reading is of a frame after all that its gateway told before
    _backlog: list[Arrival] = field(default_factory=list)
    _parts: list[Arrival | Batch] = field(default_factory=list)
    _quarantined: list[Quarantined] = field(default_factory=list)

    def sort(self, message: Raw, *, again: bool = False) -> None:
        """Take one message; `again`: it was put aside once, and its frame is in its gateway's position already."""
        topic = _topic(message.topic)
        if topic is None or topic.leaf in ("committed", "refused"):
            detail = "expected yujing/v1/{plant}/{gateway}/frame"
            self._put_aside(message, Reason.TOPIC, detail, 0, message.payload)
            return
        who = (topic.plant, topic.gateway)
        try:
            if topic.leaf == "frame":
                self._sort_frame(message, self._known(who, message.payload), again=again)
            else:
                self._sort_status(message, self._known(who))
        except Rejected as error:
            if message.whole and error.reason is Reason.TOO_LARGE:
                error.detail = too_many_bytes(message.whole, len(message.payload))
            # What was put aside is on disk too: the gateway may forget it, if it can be told which frame it was.
            identity = None if again else error.identity
            if identity and self._accept(self._boot(who, identity[0]), identity[1], message) is Numbered.REPEAT:
                return
            if topic.leaf == "frame" and who in self.configuration.gateways and not again:
                heard = self._known(who)
                heard.counted(message.received).refused += 1
                self._alive(heard, message)
            if topic.leaf == "frame" and not again:
                known = identify(message.payload) if error.reason is Reason.BOOT_REUSED else identity
                self._refuse(who, known or ("", 0), error.reason, error.detail, error.readings)
            self._put_aside(message, error.reason, error.detail, error.readings, message.payload)

    def pass_over(self, message: Raw) -> None:
        """Count one message that was not read, since its gateway sends more than its share."""
        topic = _topic(message.topic)
        if topic is not None and (topic.plant, topic.gateway) in self.configuration.gateways:
            heard = self._known((topic.plant, topic.gateway))
            heard.counted(message.received, frames=0).throttled += 1
            self._alive(heard, message)

    def observe(self, point: int, value: float, now: int) -> None:
        """Take a reading that the service made itself."""
        self._in_order = False
        time = np.array([now])
        self._parts.append(Batch(np.array([point], np.int32), time, np.array([value]), np.zeros(1, np.uint16), time))

    def feed(self, staged: Sequence[Staged], now: int) -> None:
        """Take back-fill that was staged: for all who read the journal it arrives at `now`."""
        for piece in staged:
            self.fed.append(piece)
            self._in_order = False
            try:
                batch = body.unpack(piece.body, size=piece.size, received=piece.received)
            except ValueError as error:
                damaged = Raw("backfill", piece.body, piece.received)
                self._put_aside(damaged, Reason.DAMAGED, str(error), piece.size, piece.body)
            else:
                self._parts.append(replace(batch, received=np.full(len(batch), now)))
                self.readings += len(batch)
                self.filled += len(batch)

    def commit(self, step: int) -> Commit:
        """Everything the group leaves behind."""
        self._tell_put_aside()
        runs = [(kind, [*run]) for kind, run in groupby(self._parts, type)]
        batches = [concat(run) if kind is Batch else assemble(run) for kind, run in runs]  # type: ignore[arg-type]
        return Commit(
            self.apart(concat(batches), in_order=self._in_order),
            self.readings,
            self.numbers.progress(self._clock),
            {who: (life.online, life.told) for who, life in self.lived.items()},
            self._quarantined,
            step,
            tuple(self.retried),
            [*_pieces(assemble(self._backlog))] if self._backlog else [],
            self.fed,
            [left for heard in self.heard.values() if (left := heard.left) is not None],
        )

    def _clock(self, key: BootKey) -> GatewayClock | None:
        who = key[:2]
        heard = self.heard.get(who)
        stood = self.standings.get(who) if heard is None else heard.standing
        return stood.line.clock if stood is not None and stood.line.boot == key[2] else None

    def _known(self, who: Who, payload: bytes = b"") -> Heard:
        """That gateway. Raises Rejected if it is in no plant file, with what its frame is called."""
        heard = self.heard.get(who)
        if heard is None:
            gateway = self.configuration.gateways.get(who)
            if gateway is None:
                told = identify(payload) if payload else None
                raise Rejected(Reason.UNKNOWN_GATEWAY, f"{'/'.join(who)} is in no plant file", identity=told)
            before = self.standings.get(who)
            heard = self.heard[who] = Heard(who, gateway, before, before, self.lives.get(who))
        return heard

    def _boot(self, who: Who, name: str) -> Boot:
        return self.numbers.boot((*who, name))

    def _sort_status(self, message: Raw, heard: Heard) -> None:
        if not message.payload:
            return  # how MQTT takes a retained message back; whoever did so said nothing of the gateway
        online, known = decode_status(message.payload).online, heard.life
        if online:
            # It may be of long ago, kept by the broker or held for our session; only frames say that it is there.
            if known is None and not message.retained:  # its first sign: from now on it is missed
                self._live(heard, message.received, online=True)
        elif not message.retained or known is None or known.online:  # retained: it went while the service was away
            self._live(heard, message.received, online=False)

    def _alive(self, heard: Heard, message: Raw) -> None:
        """A frame came: its gateway is there, whatever its status said before."""
        life, received = heard.life, message.received
        fresh = life is not None and life.online and abs(received - life.told) < _ALIVE_EVERY
        if not fresh and not message.retained:
            self._live(heard, received, online=True)

    def _live(self, heard: Heard, received: int, *, online: bool) -> None:
        heard.life = self.lived[heard.who] = Life(online, received)
        self.observe(heard.configuration.device, float(online), received)

    def _sort_frame(self, message: Raw, heard: Heard, *, again: bool) -> None:
        frame, received = decode(message.payload, heard.configuration.columns), message.received
        boot, dated = heard.boot, _dated(frame)
        if boot is None or boot.key[2] != frame.boot:
            boot = heard.boot = self._boot(heard.who, frame.boot)
        first = not boot.heard
        newest = not again and (first or frame.seq > boot.position.committed)
        what = Numbered.NEW if again else self._accept(boot, frame.seq, message, dated)
        if what is Numbered.REPEAT:
            return
        if what is Numbered.ANOTHER:
            # Not older than all there is of its gateway: then it is of now, and what is in it may be danger.
            known = self.numbers.recall(heard.who)
            newest = known is not None and dated >= known.newest
            if not newest:
                detail = (
                    f"boot {frame.boot} seq {frame.seq} is another frame's; expected a boot that is new at each start"
                )
                raise Rejected(Reason.BOOT_REUSED, detail, readings=frame.readings)
        if not again and not frame.historical:
            self._alive(heard, message)
        stamped = Stamped(frame.boot, frame.times, received - self.set_by, newest, first, frame.historical)
        for part in self._place(heard, stamped, received):
            whole = part.end - part.start == len(frame.times) and not (part.base or part.level)
            rows = frame if whole else frame.rows(part.start, part.end, part.times(frame.times))
            self._keep(Arrival(rows, received, part.shift, part.flags), heard.who)
        if heard.standing is not None and heard.standing.line.boot == frame.boot:
            self.numbers.follow(boot, frame.seq, message.payload, dated)
        tally = heard.counted(received)
        if frame.refused:
            tally.refused += frame.refused_share
            self._refuse_columns(message, heard.who, frame, again=again)

    def _refuse_columns(self, message: Raw, who: Who, frame: Decoded, *, again: bool) -> None:
        """Put aside those columns of a frame that were not taken."""
        for refused in frame.refused:
            readings = len(frame.times) * refused.columns
            if not again:
                self._refuse(who, (frame.boot, frame.seq), refused.reason, refused.detail, readings)
            self._put_aside(message, refused.reason, refused.detail, readings, refused.payload)

    def _keep(self, arrival: Arrival, who: Who) -> None:
        """Take a frame's readings: what is live for the next entry, back-fill only as far as there is room to spare."""
        frame, received = arrival.frame, arrival.received
        readings = frame.readings
        first, newest = frame.times[0] * MS + arrival.shift, frame.times[-1] * MS + arrival.shift
        if not self.apart.in_order(who, first, newest):
            self._in_order = False
        if frame.historical or self.backfill.catches_up(who, first, newest, received):
            self.spare -= readings
            if self.spare < 0:  # from here on all of it, so that a gateway's frames stay in their order
                self._backlog.append(arrival)
                return
            self.filled += readings
        self._parts.append(arrival)
        self.readings += readings

    def _place(self, heard: Heard, frame: Stamped, received: int) -> Sequence[Part]:
        """Where the frame belongs on its gateway's line of time; what is seen of its clock is told."""
        stood = heard.standing
        before, told = (stood.line, stood.told) if stood is not None else (None, 0)
        line, parts = place(before, frame, self.tolerance, self.reference)
        clock = line.clock
        if clock is not None and (before is None or clock is not before.clock):
            shift = before.clock.shift if before is not None and before.clock is not None else 0
            stepped = len(parts) > 1 or abs(clock.shift - shift) > self.tolerance
            if stepped:
                emit(GatewayClockStepped(*heard.who, round(clock.shift / 1e9, 3)))
            if stepped or abs(received - told) >= _CLOCK_EVERY:
                # A time that is wrong within a frame is told, though the clock may be right again at its end.
                ends = (frame.times[part.end - 1] * MS - frame.received for part in parts[:-1])
                ahead = max(clock.offset, *ends, key=abs) if len(parts) > 1 else clock.offset
                self.observe(heard.configuration.clock, (ahead - self.reference.offset) / 1e9, received)
                told = received
        heard.standing = Standing(line, told)
        return parts

    def _accept(self, boot: Boot, seq: int, message: Raw, newest: int = UNDATED) -> Numbered:
        """What the frame is by its number, which is noted; `newest`: its time, ms."""
        found = self.numbers.accept(boot, seq, message.payload, message.received, newest)
        if found is Numbered.ANOTHER:
            self._known(boot.who).counted(message.received, frames=0).reused += 1
        return found

    def _put_aside(self, message: Raw, reason: Reason, detail: str, readings: int, payload: bytes) -> None:
        self._quarantined.append(Quarantined(0, message.received, message.topic, reason, detail, readings, payload))

    def _refuse(self, who: Who, identity: tuple[str, int], reason: Reason, detail: str, readings: int) -> None:
        """Have the gateway told that a frame, or columns of it, could not be taken."""
        self.refusals.append((who, Refusal(*identity, reason, detail[:DETAIL], 1, readings)))

    def _tell_put_aside(self) -> None:
        """One event for all that are alike: a flood must not fill the log either."""
        alike: dict[tuple[str, str], list[Quarantined]] = {}
        for quarantined in self._quarantined:
            anybody = quarantined.reason in (Reason.TOPIC, Reason.UNKNOWN_GATEWAY)
            alike.setdefault((quarantined.reason, "" if anybody else quarantined.topic), []).append(quarantined)
        for first, *others in alike.values():
            emit(MessageQuarantined(first.topic, first.reason, first.detail, 1 + len(others)))


def _dated(frame: Decoded) -> int:
    """The newest time of a frame that is in the order of its boot, ms."""
    newest = frame.times[-1]
    if frame.historical or newest < UNDATED:
        return UNDATED
    return min(newest, _LAST)


def _pieces(backlog: Batch) -> Iterator[Staged]:
    """The batch as it is staged, in pieces small enough that what is live never waits long for one."""
    for start in range(0, len(backlog), PIECE):
        piece = backlog.take(np.arange(start, min(start + PIECE, len(backlog))))
        received = int(piece.received[0])
        yield Staged(0, received, len(piece), body.pack(piece, received=received))


_topic: Callable[[str], Topic | None] = lru_cache(maxsize=_TOPICS)(parse_topic)
