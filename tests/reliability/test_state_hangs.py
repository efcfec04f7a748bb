"""A PostgreSQL that holds its sessions and answers nothing is told, and costs no restart, no reading and no alarm."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.conftest import at_server
from tests.e2e.service import TOKEN
from tests.hanging import hanging
from tests.reliability.kept import in_journal
from tests.reliability.launched import Launched
from tests.reliability.test_state_server import FRAME, PACE_S, PATIENCE_S, alarm_events
from tests.reliability.traffic import Traffic, Wave, flowing
from tests.servers import HTTP, PostgreSQL, mosquitto, postgresql

HANGS_S: Final = 22.0
"""Longer than an engine may make no progress (15 s) before systemd hears nothing more."""

READINGS: Final = int(600 / PACE_S) * FRAME  # more than are sent


class Supervised:
    """A service under a supervisor that listens as systemd does."""

    def __init__(self, service: Launched, heard: socket.socket, browser: httpx.Client) -> None:
        self.service = service
        self._heard = heard
        self._browser = browser

    def until_alive(self) -> None:
        """Return once the service says anew that it makes progress."""
        self._heard.setblocking(False)
        try:
            while True:
                self._heard.recv(4096)
        except BlockingIOError:
            self._heard.settimeout(PATIENCE_S)
        while self._heard.recv(4096) != b"WATCHDOG=1":
            pass

    def parts(self) -> tuple[int, dict[str, str]]:
        """What `/health/ready` answers."""
        answer = HTTP.get(f"{self.service.url}/health/ready", headers=self.service.headers)
        return answer.status_code, answer.json()["parts"]

    def status(self, path: str) -> int:
        """The status of an answer."""
        return HTTP.get(self.service.url + path, headers=self.service.headers).status_code

    def page(self, path: str) -> str:
        """A page of the console, as somebody sees it who is signed in."""
        if not self._browser.cookies:
            self._browser.post("/signin", data={"token": TOKEN})
        return self._browser.get(path).text

    def events(self, name: str) -> int:
        """How often its log has an event."""
        return sum(line["event"] == name for line in self.service.log())


@contextmanager
def supervised(folder: Path, broker: tuple[str, int], settings: str) -> Iterator[Supervised]:
    """A service that notifies a socket of ours, which lies in `folder`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard, pytest.MonkeyPatch.context() as environment:
        heard.bind(str(folder / "notify"))
        environment.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        environment.setenv("WATCHDOG_USEC", "60000000")
        with (
            Launched(folder, broker, settings, fresh=True) as service,
            httpx.Client(base_url=service.url, trust_env=False, timeout=PATIENCE_S) as browser,
        ):
            yield Supervised(service, heard, browser)


@pytest.mark.timeout(600)
def test_a_server_that_hangs_twice_and_over_a_restart_costs_nothing(tmp_path: Path) -> None:
    """Under load: readings go on being committed, it is said what is wrong, and all is judged once afterwards."""
    wave = Wave(time.time_ns() // 1_000_000 - READINGS - 600_000)
    with postgresql() as server, mosquitto(tmp_path, ["max_queued_messages 0"]) as broker:
        state = at_server(server, tmp_path)
        settings = f'[state]\nurl = "{state.url}"\npassword = {{ file = "state_password" }}\n'
        database = str(state.url).rpartition("/")[2]
        with supervised(tmp_path, broker, settings) as it, Traffic(broker, wave) as traffic:
            with flowing(traffic, FRAME, PACE_S):
                for _ in range(2):
                    judged_until(it, server, database, traffic.sent)
                    with hanging(server):
                        hangs(it, traffic)
                    it.service.until(lambda: it.parts()[0] == 200, "the service to be whole again")
                judged_until(it, server, database, traffic.sent)
                with hanging(server):
                    it.service.kill()
                    it.service.begin()
                    it.service.until(lambda: it.events("state_awaited") > 0, "the service to say what it waits for")
                    taken_in(it, traffic)
                    it.until_alive()
                it.service.until(it.service.answers, "the service to be whole")
            traffic.settle(PATIENCE_S)
            sent = traffic.sent
            judged_until(it, server, database, sent)
            assert sorted(alarm_events(server, database).elements()) == sorted(wave.events(sent)), "each told once"
            assert it.events("part_stuck") == 0
            assert it.service.stop() == 0
        journal = in_journal(tmp_path, wave, sent)
    assert (journal.lost, journal.twice, journal.wrong, journal.strange) == (0, 0, 0, 0)


def hangs(it: Supervised, traffic: Traffic) -> None:
    """What holds while the server has said nothing for `HANGS_S`."""
    began = time.monotonic()
    it.service.until(lambda: it.parts()[0] == 503, "the service to notice")
    it.service.until(lambda: "no answer within" in it.parts()[1]["state"], "it to say why")
    it.service.until(lambda: "nothing is judged" in it.parts()[1]["engine"], "the engine to say so, too")
    assert "目前不做评估" in it.page("/gateways")
    assert "状态库没有应答，请稍后再试。" in it.page("/alarms")
    while time.monotonic() - began < HANGS_S:
        assert it.status("/api/v1/alarms") == 503
        assert it.status("/metrics") == 200
        taken_in(it, traffic)
        time.sleep(0.2)  # what is asked for without a pause takes a whole processor
    it.until_alive()
    assert it.service.alive()


def taken_in(it: Supervised, traffic: Traffic) -> None:
    """Return once what was sent until now is on the service's disk."""
    frames = traffic.tally().frames
    it.service.until(
        lambda: (tally := traffic.tally()).frames - tally.uncommitted >= frames, "readings to be committed"
    )


def judged_until(it: Supervised, server: PostgreSQL, database: str, readings: int) -> None:
    """Return once the first `readings` of the wave were judged."""
    wanted = len(Wave(0).events(readings))
    it.service.until(lambda: alarm_events(server, database).total() >= wanted, "every alarm's event")
