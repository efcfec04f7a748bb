"""Whether a gateway is there: by what it sends, not by what a broker remembers of it. One answer for all who ask."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import Frame, encode_json, encode_status
from ingest.intake.wire.topics import frame_topic, status_topic
from tests.ingest.engine.test_gateway_times import Bench
from tests.movable_clock import SECOND
from tests.small_plant import PLANT

GATEWAY = "GW-01"


class Watched(Bench):
    """A bench with one gateway under observation."""

    def status(self, *, online: bool, retained: bool = False) -> None:
        """Its status, as it sends it or as the broker had kept it."""
        payload = encode_status(online=online)
        self.intake.take([Raw(status_topic(PLANT, GATEWAY), payload, self.clock.wall(), retained=retained)])
        self.engine.process()

    def passes(self, seconds: int) -> None:
        """Nothing happens."""
        for _ in range(seconds):
            self.clock.pass_s(1)
            self.engine.process()

    def restart(self) -> None:
        """Both ends go on from what is on disk."""
        self.clock.pass_s(1)
        self.intake = self.start()
        self.begin()

    def online(self) -> bool:
        """As console and API ask."""
        latest = self.engine.engine_state.latest(self.configuration.gateways[PLANT, GATEWAY].device, self.clock.wall())
        return latest.value == 1.0 and not latest.stale

    def alarms(self) -> set[str]:
        """Rules of the gateway's own point that stand."""
        return {rule for point, rule in self.stands() if point == GATEWAY}


@pytest.fixture
def bench(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_gateway_that_tells_its_status_once_is_online_as_long_as_frames_come(bench: Watched) -> None:
    """What the history is given says so too, every half a minute at least."""
    bench.status(online=True)
    for _ in range(200):
        bench.send(5.0)
        assert bench.online()
    assert not bench.alarms()
    readings = bench.readings(GATEWAY)
    assert {value for value, _, _ in readings} == {1.0}
    assert max(after - before for (_, before, _), (_, after, _) in pairwise(readings)) <= 30 * SECOND
    assert len(readings) < 10
    bench.passes(100)
    assert not bench.online()
    assert "SILENT" in bench.alarms()
    bench.send(5.0)
    assert bench.online()
    assert not bench.alarms()


def test_a_will_that_is_of_a_connection_before_is_outlived_by_the_next_frame(bench: Watched) -> None:
    bench.send(5.0)
    bench.status(online=False)
    assert not bench.online()
    assert "OFFLINE" in bench.alarms()
    bench.send(5.0)
    assert bench.online()
    assert not bench.alarms()


@pytest.mark.parametrize("junk", [b"{}", b"\xff"])
def test_a_gateway_whose_frames_are_refused_is_there(bench: Watched, junk: bytes) -> None:
    bench.intake.take([Raw(frame_topic(PLANT, GATEWAY), junk, bench.clock.wall())])
    bench.engine.process()
    assert bench.online()


def test_what_was_recorded_earlier_is_no_sign_of_life(bench: Watched) -> None:
    """Nor is a frame that the broker had kept."""
    times = [bench.now_ms() - 10_000]
    values: dict[str, list[float | None]] = {"CO-01": [5.0]}
    topic = frame_topic(PLANT, GATEWAY)
    old = encode_json(Frame("b1", 1, times, values, historical=True))
    kept = encode_json(Frame("b1", 2, times, values))
    bench.intake.take([Raw(topic, old, bench.clock.wall()), Raw(topic, kept, bench.clock.wall(), retained=True)])
    bench.engine.process()
    assert not bench.online()
    assert bench.readings(GATEWAY) == []


@pytest.mark.parametrize("rule", ["OFFLINE", "SILENT"])
def test_a_status_that_was_held_for_the_service_while_it_was_away_is_no_sign_of_life(bench: Watched, rule: str) -> None:
    """Nothing distinguishes it from one that was sent just now, so only a frame ends the alarm of a gateway."""
    bench.send(5.0)
    if rule == "OFFLINE":
        bench.status(online=False)
    bench.passes(100)
    assert rule in bench.alarms()
    for _ in range(3):
        bench.restart()
        bench.status(online=True)
        assert rule in bench.alarms()
        assert not bench.online()
        bench.passes(40)
    bench.send(5.0)
    assert bench.online()
    assert not bench.alarms()


def test_the_first_status_of_a_gateway_begins_its_watch(bench: Watched) -> None:
    bench.passes(80)
    bench.status(online=True)
    bench.passes(80)
    assert not bench.alarms()
    bench.passes(11)
    assert bench.alarms() == {"SILENT"}
    bench.status(online=True)
    assert bench.alarms() == {"SILENT"}


@pytest.mark.parametrize("restarts", [True, False])
def test_a_retained_status_of_a_dead_gateway_is_no_sign_of_life(bench: Watched, *, restarts: bool) -> None:
    """The broker sends it whenever somebody subscribes: the silence stays outstanding."""
    bench.status(online=True)
    for _ in range(5):
        bench.send(5.0)
    bench.passes(100)
    assert bench.alarms() == {"SILENT"}
    for _ in range(3):
        if restarts:
            bench.restart()
        bench.status(online=True, retained=True)
        assert bench.alarms() == {"SILENT"}
        assert not bench.online()
        bench.passes(10)


def test_a_retained_status_reports_once_a_gateway_that_left_while_the_service_was_down(bench: Watched) -> None:
    bench.send(5.0)
    for _ in range(3):
        bench.restart()
        bench.status(online=False, retained=True)
        assert "OFFLINE" in bench.alarms()
    assert [value for value, _, _ in bench.readings(GATEWAY)] == [1.0, 0.0]
    bench.send(5.0)
    assert bench.online()
    assert not bench.alarms()
