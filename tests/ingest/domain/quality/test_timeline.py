"""A gateway's line of time, by random histories: each live reading is live, no old one is, times are near the truth.

Gateways have right clocks, clocks wrong by hours or years, clocks before they were set (1970), clocks set forward and
back; they lose their connection and send later what they kept, over restarts too; one stamp in a frame may be absurd.
The bench knows when each reading was really made.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

import msgspec
import pytest

from ingest.domain.model.flags import Flag
from ingest.domain.quality.clock import GatewayClock
from ingest.domain.quality.reference import Reference
from ingest.domain.quality.timeline import MS, Stamped, TimeLine, place
from ingest.domain.quality.witnesses import Witnesses

SECOND = 10**9
HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEAR = 365 * DAY
TOLERANCE = 60 * SECOND
START = 1_763_884_800 * SECOND
NEAR = TOLERANCE + 5 * SECOND
SETTLES = 45 * SECOND  # a boot that may be an old one, and one that was gone: so long it may be late
NOT_LIVE = int(Flag.LATE | Flag.HISTORICAL)


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading: when it was made, when it arrived, and how it was kept. `live`: it was sent as it was made."""

    made: int
    received: int
    time: int
    flags: int
    live: bool


@dataclass
class Bench:
    """The lines of some gateways, fed by hand; `steady` is the true time."""

    service: int = 0  # how far the service's clock is ahead of the true time
    start: int = 0  # and was when it started: the steady frame's
    now: int = START
    lines: dict[str, TimeLine] = field(default_factory=dict)
    committed: dict[tuple[str, str], int] = field(default_factory=dict)
    witnesses: Witnesses = field(default_factory=lambda: Witnesses(TOLERANCE))
    newest: dict[str, int] = field(default_factory=dict)

    def take(self, gateway: str, boot: str, seq: int, stamps: list[int], made: list[int], *, live: bool) -> list[Kept]:
        """One frame, with device times in ns, as it arrives now."""
        key = (gateway, boot)
        known = self.committed.get(key)
        received = self.now + self.start
        times = [stamp // MS for stamp in stamps]
        frame = Stamped(boot, times, received, known is None or seq > known, known is None)
        line, parts = place(self.lines.get(gateway), frame, TOLERANCE, self.witnesses.reference)
        self.committed[key] = max(known or 0, seq)
        self.lines[gateway] = line
        if line.clock is not None:
            self.witnesses.update({("plant", gateway): line.clock}, received, self.service - self.start)
        kept = []
        for part in parts:
            for ms, true in zip(part.times(times), made[part.start : part.end], strict=True):
                time, flags = ms * MS + part.shift, part.flags
                if not flags & NOT_LIVE:
                    flags |= Flag.LATE if time <= self.newest.get(gateway, 0) else 0
                    self.newest[gateway] = max(self.newest.get(gateway, 0), time)
                kept.append(Kept(true, received, time, int(flags), live))
        return kept

    def restart(self) -> None:
        """The service goes and comes: what is known goes to a file and back."""
        for gateway, line in self.lines.items():
            clock = GatewayClock(*json.loads(json.dumps(msgspec.structs.astuple(line.clock)))) if line.clock else None
            self.lines[gateway] = TimeLine(line.boot, clock)
        self.witnesses = Witnesses(TOLERANCE)


@dataclass
class Gateway:
    """Reads once a second. `offset`: by how much its clock is wrong."""

    name: str
    chance: random.Random
    offset: int = 0
    boots: int = 0
    seq: int = 0
    connected: bool = True
    buffer: list[tuple[str, int, list[int], list[int]]] = field(default_factory=list)
    filling: list[tuple[int, int]] = field(default_factory=list)
    rows: int = 1

    def __post_init__(self) -> None:
        self.reboot()

    def reboot(self) -> None:
        """A new boot; what was being filled is lost."""
        self.boots += 1
        self.seq = 0
        self.filling = []

    def set_clock(self, offset: int) -> None:
        """A frame ends where the clock is set."""
        self.finish()
        self.offset = offset

    def tick(self, bench: Bench) -> list[Kept]:
        """One reading, and what is sent of it."""
        made = bench.now - 50_000_000
        self.filling.append((made + self.offset, made))
        if len(self.filling) < self.rows:
            return []
        self.finish()
        if not self.connected:
            return []
        sent, self.buffer = self.buffer, []
        kept: list[Kept] = []
        for at, (boot, seq, stamps, true) in enumerate(sent):
            kept += bench.take(self.name, boot, seq, stamps, true, live=at == len(sent) - 1)
        return kept

    def finish(self) -> None:
        """The frame is whole: it goes into the buffer."""
        if self.filling:
            self.seq += 1
            boot = f"{self.name}-{self.boots}"
            self.buffer.append(
                (boot, self.seq, [stamped for stamped, _ in self.filling], [true for _, true in self.filling])
            )
            self.filling = []


def steady(bench: Bench, gateways: list[Gateway], seconds: int) -> list[Kept]:
    """So many seconds go by."""
    kept: list[Kept] = []
    for _ in range(seconds):
        bench.now += SECOND
        for gateway in gateways:
            kept += gateway.tick(bench)
    return kept


def right(kept: list[Kept]) -> None:
    """Live readings are live, in order, and kept near the truth or flagged."""
    for reading in kept:
        assert not reading.flags & NOT_LIVE, reading
        assert abs(reading.time - reading.made) <= NEAR, reading


WRONG = [-HOUR, -8 * HOUR, 8 * HOUR, 2 * HOUR, -8 * YEAR, -START + SECOND, -START + HOUR, 20 * YEAR]


@pytest.mark.parametrize("offset", [*WRONG, 0, -30 * SECOND, 30 * SECOND])
@pytest.mark.parametrize("rows", [1, 5])
def test_a_gateway_that_never_was_right_is_judged_near_its_arrivals(offset: int, rows: int) -> None:
    """Before it got the time at all, or an hour behind: never late, and beside a right one kept near the truth."""
    chance = random.Random(1)  # noqa: S311  no secret
    bench, good, bad = Bench(), Gateway("good", chance), Gateway("bad", chance, offset, rows=rows)
    first = steady(bench, [good, bad], 20 + rows)
    assert not any(kept.flags & NOT_LIVE for kept in first), "nothing is known yet that is newer"
    kept = steady(bench, [good, bad], 200)
    right(kept)
    if abs(offset) > TOLERANCE:
        assert any(reading.flags & Flag.CLOCK for reading in kept)
    else:
        assert not any(reading.flags for reading in kept)


@pytest.mark.parametrize("offset", WRONG)
@pytest.mark.parametrize("reboots", [True, False])
def test_a_clock_that_is_set_is_followed_and_is_believed_at_once_when_it_is_right_again(
    offset: int, *, reboots: bool
) -> None:
    chance = random.Random(2)  # noqa: S311  no secret
    bench, good, bad = Bench(), Gateway("good", chance), Gateway("bad", chance)
    right(steady(bench, [good, bad], 60))
    for _ in range(3):
        bad.set_clock(offset)
        if reboots:
            bad.reboot()
        kept = steady(bench, [good, bad], 120)
        right([reading for reading in kept if reading.received > kept[0].received + SETTLES])
        if not reboots:
            right(kept)
        bench.restart()
        right(steady(bench, [good, bad], 60))
        bad.set_clock(0)
        if reboots:
            bad.reboot()
        right(steady(bench, [good, bad], 1))
        kept = steady(bench, [good, bad], 300)
        right(kept)
        assert kept[-1].flags == 0
        assert kept[-1].time == kept[-1].made


@pytest.mark.parametrize("offset", [*WRONG, 0])
def test_a_gateway_that_is_always_wrong_is_switched_off_and_on_without_losing_a_reading(offset: int) -> None:
    """Its new boot is no old one: under the shift that is known its readings are of now."""
    chance = random.Random(1)  # noqa: S311  no secret
    bench, good, bad = Bench(), Gateway("good", chance), Gateway("bad", chance, offset)
    steady(bench, [good, bad], 30)
    for restarts in (False, True, False):
        bad.reboot()
        if restarts:
            bench.restart()
        right(steady(bench, [good, bad], 30))


@pytest.mark.parametrize("boot", ["good-1", "good-0"])
@pytest.mark.parametrize("ahead", [2 * HOUR, 30 * DAY, 74 * YEAR])
def test_a_line_that_stands_in_the_future_is_dropped_with_the_next_frame(ahead: int, boot: str) -> None:
    """As an absurd stamp left it once, on disk."""
    bench, gateway = Bench(), Gateway("good", random.Random(1))  # noqa: S311  no secret
    future = bench.now + ahead
    bench.lines["good"] = TimeLine(boot, GatewayClock(bench.now, future, bench.now, ahead, bench.now, 0, 0))
    kept = steady(bench, [gateway], 20)
    right(kept)
    assert all(reading.time == reading.made for reading in kept)


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("absurd", [4_070_908_800 * SECOND, START + DAY, SECOND, 1_763_884_800_000_000 * SECOND])
def test_one_absurd_stamp_moves_nothing(absurd: int, at: int) -> None:
    """Within a frame of three: it alone is kept under its arrival, and the next frame is as if nothing had been."""
    bench, gateway = Bench(), Gateway("good", random.Random(3))  # noqa: S311  no secret
    steady(bench, [gateway], 20)
    bench.now += 3 * SECOND
    made = [bench.now - 2 * SECOND, bench.now - SECOND, bench.now]
    stamps = [*made]
    stamps[at] = absurd
    sent = sorted(stamps)
    true = [made[stamps.index(stamp)] for stamp in sent]
    kept = bench.take("good", "good-1", 1000, sent, true, live=True)
    assert all(abs(reading.time - reading.made) <= NEAR for reading in kept)
    assert [bool(reading.flags & Flag.CLOCK) for reading in kept].count(True) >= 1
    gateway.seq = 1000
    after = steady(bench, [gateway], 30)
    right(after)
    assert after[-1].time == after[-1].made
    assert after[0].time - after[0].made < SECOND


@pytest.mark.parametrize("age", [40 * 60 * SECOND, 55 * SECOND, 41 * SECOND])
def test_frames_of_a_boot_nobody_heard_that_are_old_are_late_and_move_nothing(age: int) -> None:
    """And a clock that is really set afterwards is seen."""
    bench, gateway = Bench(), Gateway("good", random.Random(4))  # noqa: S311  no secret
    steady(bench, [gateway], 60)
    line = bench.lines["good"]
    old = [bench.now - age + at * SECOND for at in range(40)]
    for at, made in enumerate(old):
        (reading,) = bench.take("good", "earlier", at + 1, [made], [made], live=False)
        assert (reading.time, reading.flags) == (made, Flag.LATE)
        if at % 10 == 0:
            right(steady(bench, [gateway], 1))
    assert msgspec.structs.replace(bench.lines["good"], rival=None) != line
    gateway.set_clock(-HOUR)
    kept = steady(bench, [gateway], 60)
    right(kept)
    assert all(reading.flags == Flag.CLOCK for reading in kept)


def test_old_boots_whose_clock_was_not_set_do_not_take_over_from_the_one_that_is_heard() -> None:
    bench, gateway = Bench(), Gateway("good", random.Random(4))  # noqa: S311  no secret
    steady(bench, [gateway], 60)
    for at in range(30):
        kept = bench.take("good", "unset", at + 1, [(at + 1) * SECOND], [bench.now - HOUR], live=False)
        assert kept[0].flags & Flag.CLOCK
        assert abs(kept[0].time - bench.now) <= NEAR, "when it was made nobody knows"
        right(steady(bench, [gateway], 1))
    assert bench.lines["good"].boot == "good-1"


@pytest.mark.parametrize("service", [8 * HOUR, -8 * HOUR])
def test_the_services_own_clock_is_suspected_if_all_gateways_agree_against_it(service: int) -> None:
    """Device times are kept, over a restart too; and nothing is left of it once it was set right."""
    chance = random.Random(5)  # noqa: S311  no secret
    bench = Bench(service=service, start=service)
    gateways = [Gateway(f"g{at}", chance, (at - 1) * 5 * SECOND) for at in range(3)]
    steady(bench, gateways, 30)
    assert bench.witnesses.service_ahead != 0
    for restarts in (False, True):
        if restarts:
            bench.restart()
            steady(bench, gateways, 30)
        kept = steady(bench, gateways, 60)
        right(kept)
        assert not any(reading.flags for reading in kept)
        assert abs(bench.witnesses.service_ahead - service) <= TOLERANCE
    bench.service = 0
    kept = steady(bench, gateways, 60)
    right(kept)
    assert not any(reading.flags for reading in kept)
    assert bench.witnesses.service_ahead == 0


def test_one_right_gateway_keeps_a_plant_from_moving_the_time_of_others() -> None:
    chance = random.Random(6)  # noqa: S311  no secret
    bench = Bench()
    gateways = [Gateway("good", chance), *(Gateway(f"bad{at}", chance, 8 * HOUR) for at in range(5))]
    right(steady(bench, gateways, 60))
    assert bench.witnesses.service_ahead == 0
    assert bench.witnesses.reference == Reference(0, witnessed=True)


@dataclass
class History:
    """Two gateways to which things happen, beside one to which nothing does."""

    chance: random.Random
    bench: Bench = field(default_factory=Bench)

    def __post_init__(self) -> None:
        self.good = Gateway("good", self.chance)
        self.others = [Gateway(f"g{at}", self.chance, rows=self.chance.choice([1, 1, 5])) for at in range(2)]
        steady(self.bench, [self.good, *self.others], 60)
        self.disturbed = dict.fromkeys((other.name for other in self.others), 0)

    def happen(self) -> None:
        """One thing happens to one gateway, or to the service."""
        gateway = self.chance.choice(self.others)
        what = self.chance.choice(["set", "set", "right", "reboot", "cut", "join", "restart", "nothing"])
        if what == "set":
            gateway.set_clock(self.chance.choice([*WRONG, -TOLERANCE // 2, TOLERANCE // 2]))
        elif what == "right":
            gateway.set_clock(0)
        elif what == "reboot":
            gateway.reboot()
        elif what in {"cut", "join"}:
            gateway.connected = what == "join"
        elif what == "restart":
            self.bench.restart()
        self.disturbed[gateway.name] = self.bench.now

    def second(self) -> None:
        """A second goes by, and what it brings is processed."""
        self.bench.now += SECOND
        right(self.good.tick(self.bench))
        for gateway in self.others:
            kept = gateway.tick(self.bench)
            if len(kept) > gateway.rows:  # it was cut off, and sends all at once
                self.disturbed[gateway.name] = self.bench.now
            assert all(reading.time - reading.received <= NEAR for reading in kept), "never in the future"
            if self.bench.now - self.disturbed[gateway.name] > SETTLES + gateway.rows * SECOND:
                right([reading for reading in kept if reading.live])


@pytest.mark.parametrize("seed", range(40))
def test_in_a_random_history_every_live_reading_is_live_soon_and_none_is_kept_in_the_future(seed: int) -> None:
    """Clocks set, restarts of gateways and of the service, connections lost: a gateway beside them notices nothing."""
    history = History(random.Random(seed))  # noqa: S311  the same history every time
    for _ in range(25):
        history.happen()
        for _ in range(history.chance.randrange(1, 120)):
            history.second()
