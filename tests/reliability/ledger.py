"""Two careless gateways that write down all they send, and a plain model of what each alarm of it must be.

The model knows what was sent and when, and two numbers of the plant file. It uses nothing of the service.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.small_plant import ENTERPRISE, PLANT

TICK_S: Final = 0.25
CALM_S: Final = 2.0  # between two acts
LIMIT: Final = 24.0
DEADBAND: Final = 20.0
SILENCE_S: Final = 6.0
GATEWAY_SILENCE_S: Final = 45.0
HEARTBEAT_S: Final = 30.0  # how seldom the service may note that a gateway is alive
SLACK_S: Final = 60.0  # what kills, starts and a busy machine may delay the word on what time alone brings about
EDGE_S: Final = 1.0  # a gap so near to the watch may be told or not
PATIENCE_S: Final = 300.0  # how long a box stays away to be missed: nobody is missed while the service is down
ECHO_S: Final = 660.0  # how long what the service measures of a gateway may speak of something
OLD_S: Final = 2_400.0
NS: Final = 1_000_000_000
NOW: Final = "now"
FAR_AHEAD_MS: Final = 4_070_908_800_000  # in 2099

PLANT_FILE: Final = ENTERPRISE + "".join(
    f"""
[[gateways]]
id = "GW-0{number}"
name = "{number}号网关"
name_en = "Gateway {number}"
silence_s = {GATEWAY_SILENCE_S}
[[points]]
id = "CO-0{number}"
signal = "STL_CO"
gateway = "GW-0{number}"
silence_s = {SILENCE_S}
disabled_rules = ["STUCK", "PINNED", "PINNED_HH", "FORECAST", "NEIGHBOUR", "HH"]
[points.rules.H]
on = {LIMIT}
off = {DEADBAND}
on_delay_s = 0
"""
    for number in (1, 2)
)


@dataclass(frozen=True, slots=True)
class Line:
    """One reading that was sent: when, under which device time, and in what kind of frame."""

    sent: int  # ns
    time: int  # ns
    value: float
    kind: str = NOW  # or "old", "glitched", "reused"


@dataclass(frozen=True, slots=True)
class Word:
    """An event of an alarm that the service recorded."""

    point: str
    rule: str
    kind: str
    historical: bool
    time: int


@dataclass(frozen=True, slots=True)
class Explained:
    """Something the ledger calls for (`must`) or allows, between two device times in ns."""

    point: str
    rule: str
    kind: str
    first: int
    last: int
    must: bool = True
    historical: bool = False

    def fits(self, word: Word) -> bool:
        """Whether this explains the event."""
        same = (word.point, word.rule, word.kind, word.historical) == (
            self.point,
            self.rule,
            self.kind,
            self.historical,
        )
        return same and self.first <= word.time <= self.last


Missed = Callable[[str], int]
"""How often a point or gateway has been told to be silent so far."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which nothing was sent until these points were found silent, so each must be."""

    began: int  # ns
    subjects: tuple[str, ...]


@dataclass(slots=True)
class Box:
    """A gateway with no store of its own and no manners: it plays acts, a thread each, and keeps its ledger.

    How many acts and frames there are, and what they call for, follows from the deck and the chance alone: on a slow
    machine all of it takes longer.
    """

    number: int
    rng: random.Random
    missed: Missed
    lines: list[Line] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    _client: Client = field(init=False)
    _boot: str = field(init=False, default="")
    _seq: int = field(init=False, default=0)
    _boots: int = field(init=False, default=0)
    _old: int = field(init=False, default=0)
    _since: int = field(init=False, default=0)  # ms; old bursts lie apart however long the acts between them take
    _accepted: int = field(init=False, default=0)
    _sent: int = field(init=False, default=0)

    @property
    def gateway(self) -> str:
        """Its id."""
        return f"GW-0{self.number}"

    @property
    def point(self) -> str:
        """The id of its only point."""
        return f"CO-0{self.number}"

    def connect(self, broker: tuple[str, int]) -> Self:
        """Begin a session that lasts; there is no will, so nothing says that it is gone."""
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_queued_messages_set(0)
        self._client.on_publish = self._was_accepted
        self._client.connect(*broker)
        self._client.loop_start()
        self._since = self._now()
        self._start()
        return self

    def close(self) -> None:
        """Leave once the broker has all of it."""
        while self._accepted < self._sent:
            time.sleep(0.02)
        self._client.disconnect()
        self._client.loop_stop()

    def play(self, deck: Sequence[str], over: Callable[[], bool]) -> None:
        """Every act of the deck, in any order, and then nothing special until all is over."""
        for name in self.rng.sample(deck, len(deck)):
            self._send_for(CALM_S)
            self.acts.append(name)
            getattr(self, f"_{name}")()
        self._send_for(CALM_S)
        while not over():
            self._send_for(TICK_S)

    # The acts.

    def _excursion(self) -> None:
        self._send_for(self.rng.uniform(0.5, 2.0), 80.0)

    def _outage(self) -> None:
        self._stay_away(self.point)

    def _pause(self) -> None:
        """About as long as the point is watched for: who is killed meanwhile, or is quick, may tell it or not."""
        time.sleep(SILENCE_S + self.rng.uniform(-EDGE_S, 3.0))

    def _long_outage(self) -> None:
        """Gone for good, as it seems; what the broker has kept of it says otherwise, to each service that starts."""
        self._stay_away(self.point, self.gateway)

    def _restart(self) -> None:
        self._start()

    def _reused_boot(self) -> None:
        """Its counter begins again under the boot it had, as with a constant name and no memory."""
        went, self._seq = self._seq, 0
        for number in range(min(went, round(SILENCE_S / 2 / TICK_S))):
            self._frame([(self._now(), 6.0 + number % 5 / 8)], "reused")
            time.sleep(TICK_S)
        self._start()

    def _glitch(self) -> None:
        """Its clock shows another century within a frame, and is right again."""
        self._frame([(self._now(), 5.5), (FAR_AHEAD_MS, 5.5)], "glitched")
        time.sleep(TICK_S)

    def _old_boot(self) -> None:
        """Readings of an unknown boot from the better part of an hour ago, at a value that is none of the present."""
        begin, self._old = self._since - round(OLD_S * 1000) - self._old * 300_000, self._old + 1
        for number in range(20):
            self._send(f"old-{self.number}-{self._old}", number + 1, [(begin + number * 1000, 80.0)], "old")

    # What they are made of.

    def _start(self) -> None:
        self._boots += 1
        self._boot, self._seq = f"boot-{self.number}-{self._boots}", 0
        self._status()

    def _send_for(self, seconds: float, value: float = 5.0) -> None:
        for _ in range(math.ceil(seconds / TICK_S)):
            self._frame([(self._now(), value + self._seq % 7 / 8)], NOW)
            time.sleep(TICK_S)

    def _stay_away(self, *subjects: str) -> None:
        """Send nothing until each of these is missed; if one never is, its word will be missing from the account."""
        before = {subject: self.missed(subject) for subject in subjects}
        self.absences.append(Absence(time.time_ns(), subjects))
        deadline = time.monotonic() + PATIENCE_S
        while any(self.missed(gateway) == missed for gateway, missed in before.items()) and time.monotonic() < deadline:
            time.sleep(TICK_S)

    def _frame(self, readings: list[tuple[int, float]], kind: str) -> None:
        self._seq += 1
        self._send(self._boot, self._seq, readings, kind)

    def _send(self, boot: str, seq: int, readings: list[tuple[int, float]], kind: str) -> None:
        sent = time.time_ns()
        self.lines += [Line(sent, at * 1_000_000, value, kind) for at, value in readings]
        times, values = [at for at, _ in readings], [value for _, value in readings]
        frame = {"boot": boot, "seq": seq, "time": times, "values": {self.point: values}}
        self._publish("frame", frame, retain=False)

    def _status(self) -> None:
        self._publish("status", {"online": True}, retain=True)

    def _publish(self, kind: str, content: object, *, retain: bool) -> None:
        self._sent += 1
        self._client.publish(f"yujing/v1/{PLANT}/{self.gateway}/{kind}", json.dumps(content), 1, retain)

    def _was_accepted(self, *_: object) -> None:
        self._accepted += 1

    @staticmethod
    def _now() -> int:
        return time.time_ns() // 1_000_000


DECK: Final = ("excursion", "outage", "restart", "reused_boot", "glitch", "old_boot", "excursion", "outage", "pause")
"""Every way to be careless, and twice what a second time may be told otherwise."""

CALLED_FOR: Final = 2 * 2 + 2 * 2 + 1
"""What a deck calls for at least: a raise and a return of each excursion and outage, and what is of the past."""

CALLED_FOR_FIRST: Final = 2
"""And the first time besides: that a clock was glitched, and that a boot was used again."""


def play(boxes: Iterable[Box], deck: Sequence[str], over: Callable[[], bool]) -> list[threading.Thread]:
    """Let each play in a thread of its own."""
    threads = [threading.Thread(target=box.play, args=(deck, over), name=box.gateway, daemon=True) for box in boxes]
    for thread in threads:
        thread.start()
    return threads


def explain(box: Box, away: Sequence[tuple[int, int]]) -> list[Explained]:
    """All that the ledger of one gateway calls for and allows, the service having been away from (ns) to (ns)."""
    now = sorted((line for line in box.lines if line.kind in {NOW, "glitched"}), key=lambda line: line.time)
    now = [line for line in now if line.time < FAR_AHEAD_MS * 1_000_000]
    return [
        *_limit(box.point, now),
        *_silence(box, box.point, now, away, SILENCE_S, 0),
        *_silence(box, box.gateway, now, away, GATEWAY_SILENCE_S, HEARTBEAT_S),
        *_old(box),
        *_measured(f"{box.gateway}.clock", "AHEAD", [line for line in box.lines if line.kind == "glitched"], away),
        *_measured(f"{box.gateway}.reused", "H", [line for line in box.lines if line.kind == "reused"], away),
    ]


def _limit(point: str, lines: Sequence[Line]) -> list[Explained]:
    """The rule with its deadband, reading by reading."""
    found, raised = [], False
    for line in lines:
        if line.value >= LIMIT if not raised else line.value <= DEADBAND:
            raised = not raised
            found.append(Explained(point, "H", "raised" if raised else "returned", line.time, line.time))
    return found


def _silence(
    box: Box, subject: str, lines: Sequence[Line], away: Sequence[tuple[int, int]], watch_s: float, unsure_s: float
) -> list[Explained]:
    """Every gap longer than the watch, whatever came before it; `unsure_s` of the last sign of life may be unknown.

    Called for is what its gateway waited for. Other gaps may be told or not: the seconds the service was up count.
    """
    found = []
    silence, unsure, slack = round(watch_s * NS), round(unsure_s * NS), round((unsure_s + SLACK_S) * NS)
    edge = round(EDGE_S * NS)
    absences = [absence.began for absence in box.absences if subject in absence.subjects]
    for last, following in itertools.pairwise(lines):
        if following.time - last.time < silence - unsure - edge:
            continue
        must = any(last.sent <= began <= following.sent for began in absences)
        first, back = last.time + silence - unsure - edge, _heard(following, away) + slack
        found.append(Explained(subject, "SILENT", "raised", first, back, must))
        found.append(Explained(subject, "SILENT", "returned", following.time, back, must))
    end = lines[-1].time
    return [*found, Explained(subject, "SILENT", "raised", end, end + 10 * slack, must=False)]


def _heard(line: Line, away: Sequence[tuple[int, int]]) -> int:
    """When the service received it: what is sent during an outage arrives after it."""
    return next((back for begin, back in away if begin <= line.sent < back), line.sent)


def _old(box: Box) -> list[Explained]:
    """Each burst of old readings is one excursion of the past, and nothing of the present."""
    old = sorted(line.time for line in box.lines if line.kind == "old")
    begins = [at for at, before in zip(old, [0, *old], strict=False) if at - before > SILENCE_S * NS]
    return [Explained(box.point, "H", "recorded", at, at + 60 * NS, historical=True) for at in begins]


def _measured(point: str, rule: str, lines: Sequence[Line], away: Sequence[tuple[int, int]]) -> list[Explained]:
    """What the service measures of a gateway: reported with the first of a kind, and for some time after the last."""
    found, quiet_since = [], 0
    for line in lines:
        at = _heard(line, away)
        first = line.sent - quiet_since > ECHO_S * NS
        end = at + round((SLACK_S if first else ECHO_S) * NS)
        found.append(Explained(point, rule, "raised", line.sent - NS, end, must=first))
        found.append(Explained(point, rule, "returned", line.sent, at + round(ECHO_S * NS), must=False))
        quiet_since = line.sent
    return found


def account(explained: Iterable[Explained], words: Iterable[Word]) -> tuple[list[Explained], list[Word]]:
    """Events that were due and are missing, and events that nothing explains; each cause explains one event."""
    waiting, unexplained = sorted(explained, key=lambda explained: (not explained.must, explained.last)), []
    for word in sorted(words, key=lambda word: word.time):
        fitting = next((explained for explained in waiting if explained.fits(word)), None)
        if fitting is None:
            unexplained.append(word)
        else:
            waiting.remove(fitting)
    return [explained for explained in waiting if explained.must], unexplained
