"""The service on PostgreSQL: as on a file, and while its server is away it goes on taking in and says what is wrong."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_sim.gateway import Link, ReferenceGateway
from ingest.storage.state.config import StateConfig
from tests.conftest import at_server
from tests.e2e.service import PATIENCE_S, Service
from tests.servers import HTTP, PostgreSQL, mosquitto, postgresql
from tests.small_plant import PLANT


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """A server of this test's own, to be killed."""
    with postgresql() as made:
        yield made


def on(state: StateConfig) -> str:
    """Settings of that database."""
    return f'[state]\nurl = "{state.url}"\npassword = {{ file = "state_password" }}\n'


def ready(service: Service, part: str = "state") -> tuple[int, str]:
    """What the service says of its state database, or of another part."""
    answer = HTTP.get(f"{service.url}/health/ready", headers=service.headers)
    return answer.status_code, answer.json()["parts"][part]


def alarms(service: Service, rule: str = "H") -> list[dict[str, Any]]:
    """Those of a limit, newest first."""
    found: list[dict[str, Any]] = service.get("/api/v1/alarms", plant=PLANT, point="CO-01")["alarms"]
    return [alarm for alarm in found if alarm["rule"] == rule]


async def sent(broker: tuple[str, int], frames: list[tuple[int, float]]) -> None:
    """Publish readings of CO-01 and return once all of them are on the service's disk."""
    gateway = ReferenceGateway(PLANT, "GW-01", Link(*broker))
    network = asyncio.create_task(gateway.run())
    for time_ms, value in frames:
        gateway.publish([time_ms], {"CO-01": [value]})
    async with asyncio.timeout(PATIENCE_S):
        await gateway.at_most_waiting(0)
    network.cancel()
    await asyncio.gather(network, return_exceptions=True)


def test_alarms_survive_the_service_and_its_server_being_killed(server: PostgreSQL, tmp_path: Path) -> None:
    """Started while its server is away it takes in readings, and judges them once the server is back."""
    state = at_server(server, tmp_path)
    now = time.time_ns() // 1_000_000 - 60_000
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker, on(state)) as service:
        assert not (tmp_path / "data" / "state.db").exists()
        asyncio.run(sent(broker, [(now, 5.0), (now + 1000, 50.0)]))
        service.until(lambda: len(alarms(service)) == 1, "the alarm")
        (raised,) = alarms(service)
        path = f"/api/v1/alarms/{raised['id']}/acknowledge"
        answer = HTTP.post(service.url + path, json={"comment": "检查中"}, headers=service.headers)
        answer.raise_for_status()
        service.kill()
        server.kill()
        service.begin()
        asyncio.run(sent(broker, [(now + 2000, 200.0)]))  # returns once it is told to be on disk
        assert [line["event"] for line in service.log() if line["event"].startswith("state_a")][-1] == "state_awaited"
        server.start()
        service.until(service.answers, "the service to be whole")
        service.until(lambda: len(alarms(service, "HH")) == 1, "what was taken in meanwhile to be judged")
        (found,) = alarms(service)
        assert (found["id"], found["state"], found["comment"]) == (raised["id"], "acknowledged", "检查中")
        history = service.get(f"/api/v1/alarms/{raised['id']}")["history"]
        assert [step["event"] for step in history] == ["raised", "acknowledged"]
        stats = service.run("journal", "stats", "--json", "--config", str(service.config))
        assert stats.returncode == 0, stats.stderr
        figures = json.loads(stats.stdout)
        assert figures["readers"]["engine"]["cursor"] > 0, "read from the server, beside the service"
        assert service.stop() == 0


def test_while_its_server_is_away_it_takes_in_readings_and_says_what_is_wrong(
    server: PostgreSQL, tmp_path: Path
) -> None:
    """Nobody has to lend a hand: once the server is back, what waited is judged."""
    now = time.time_ns() // 1_000_000 - 60_000
    with (
        mosquitto(tmp_path) as broker,
        Service(tmp_path, broker, on(at_server(server, tmp_path))) as service,
    ):
        service.until(lambda: ready(service) == (200, "ok"), "the service to be ready")
        server.kill()
        asyncio.run(sent(broker, [(now, 5.0), (now + 1000, 50.0)]))
        service.until(lambda: ready(service)[0] == 503, "the service to notice")
        assert "postgresql://yujing@127.0.0.1" in ready(service)[1]
        service.until(lambda: "nothing is judged" in ready(service, "engine")[1], "the engine to say so, too")
        assert ready(service, "history")[1] == "ok" or "waits for the state database" in ready(service, "history")[1]
        away = HTTP.get(f"{service.url}/api/v1/alarms", headers=service.headers)
        assert (away.status_code, away.json()["detail"]) == (503, "the state database does not answer")
        assert "retry-after" in away.headers
        metrics = HTTP.get(f"{service.url}/metrics", headers=service.headers)
        assert "yujing_broker_connected 1.0" in metrics.text, "what else there is to tell is told"
        server.start()
        service.until(lambda: ready(service) == (200, "ok"), "the service to find it again")
        service.until(lambda: len(alarms(service)) == 1, "the alarm")
        assert service.stop() == 0


def test_a_second_service_on_the_database_does_not_start(state_at_server: StateConfig, tmp_path: Path) -> None:
    state = state_at_server
    (tmp_path / "other").mkdir()
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker, on(state)):
        other = Service(tmp_path / "other", broker, on(state))
        (tmp_path / "other" / "state_password").write_text(PostgreSQL.PASSWORD)
        done = other.run("run", "--new", "--config", str(other.config))
    assert done.returncode == 1
    assert "another session writes here" in done.stderr
