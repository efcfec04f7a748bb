"""While nothing arrives the engine waits until time alone changes something, and no longer."""

from __future__ import annotations

import random
from pathlib import Path

from ingest.domain.model.flags import Flag
from ingest.domain.model.suppression import SuppressionKind
from ingest.domain.model.warning import EarlyWarning
from ingest.domain.warnings.config import AcknowledgeTimes, WarningsConfig
from ingest.engine.commands import Suppress
from ingest.engine.engine import Engine
from ingest.engine.order import Policy
from tests.ingest.engine.bench import begun
from tests.ingest.engine.warned import DUTY, OPERATOR, QUIET, SECOND, START, Bench
from tests.small_plant import PLANT

SPAN_S = 900
STEP_S = 0.2

Script = dict[int, dict[str, float]]


def script(seed: int) -> Script:
    """What each gateway sends at which second: both fall silent at times, and what they show is often too much."""
    chance, sent = random.Random(seed), Script()  # noqa: S311  not a secret
    for point in ("CO-01", "CO-02"):
        second = chance.randrange(1, 20)
        while second < SPAN_S:
            for _ in range(chance.randrange(1, 30)):
                sent.setdefault(second, {})[point] = chance.choice((8.0, 8.0, 30.0, 200.0))
                second += 1
            second += chance.randrange(5, 200)
    return sent


class Noted(Bench):
    """Notes when the engine sends something: what became due bears its own moment, however late it is sent."""

    def __init__(self, folder: Path) -> None:
        self.noted: list[tuple[str, int]] = []
        impatient = AcknowledgeTimes(red=40, orange=50, yellow=60, blue=70)
        super().__init__(folder, QUIET, WarningsConfig(duty=DUTY, ack_s=impatient))

    def start(self) -> Engine:
        """The same, with somebody who wants everything."""

        def alarm(kind: str, _plant: str, level: int | None) -> tuple[str, ...]:
            self.noted.append((f"{kind} {level}", self.clock.time))
            return ()

        def warning(early_warning: EarlyWarning) -> tuple[str, ...]:
            self.noted.append((f"warning {early_warning.peak} {early_warning.step}", self.clock.time))
            return ()

        terms = Policy(alarm, warnings=self.config.policy(), warned=warning)
        self.engine = begun(self.clock, self.journal, self.database, self.configuration, terms)
        return self.engine


def run(folder: Path, sent: Script, *, sleeps: bool) -> tuple[list[str], list[tuple[str, int]]]:
    """Every step of alarms and warnings, and what was sent when, ns."""
    folder.mkdir()
    bench = Noted(folder)
    clock, cycles = bench.clock, 0
    for second in range(1, SPAN_S):
        until = START + second * SECOND + second * 7919 % 1000 * SECOND // 1000  # not in step with any tick
        while True:
            step_s = bench.engine.idle_s() if sleeps else STEP_S
            if clock.time + step_s * SECOND >= until:
                break
            clock.time += int(step_s * SECOND)
            bench.engine.process()
            cycles += 1
        if second in sent:
            clock.time = until - SECOND
            bench.read(sent[second], int(Flag.HISTORICAL) if second % 7 == 0 else 0)
        if second % 120 == 0:
            clock.time = until
            ends = until + 61 * SECOND
            bench.submit(Suppress(SuppressionKind.SHELVED, PLANT, "CO-01", "H", "维护", ends, OPERATOR)).exception()
    assert not sleeps or cycles < 2.5 * SPAN_S, "a tick a second, and what was due"
    events = bench.alarms.events_after(0, limit=10_000)
    steps = [f"{event.kind} {event.alarm.point} {event.alarm.rule}" for event in events]
    steps += [f"{event.kind} {event.warning.peak}" for event in bench.events()]
    bench.close()
    return sorted(steps), sorted(bench.noted)


def test_an_engine_that_sleeps_until_something_is_due_reports_the_same_at_the_same_moments(tmp_path: Path) -> None:
    """Silences, excursions that settle, shelving that ends, deadlines: as by an engine that runs all the time."""
    sent = script(0)
    (awake, looked), (slept, woken) = (run(tmp_path / str(way), sent, sleeps=way) for way in (False, True))
    assert slept == awake
    assert {step.split()[0] for step in awake} >= {"raised", "returned", "recorded", "unshelved", "escalated"}
    assert [what for what, _ in woken] == [what for what, _ in looked]
    late = {(what, (at - then) / SECOND) for (what, at), (_, then) in zip(woken, looked, strict=True)}
    assert not {shift for shift in late if abs(shift[1]) > STEP_S}
