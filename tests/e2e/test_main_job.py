"""The main job, end to end: real broker, real InfluxDB, the service in its own process, killed in the middle."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from gateway_sim.gateway import Link, ReferenceGateway
from tests.e2e.service import PATIENCE_S, Service
from tests.ingest.delivery.receiver import Receiver
from tests.servers import HTTP, influxd, mosquitto, mosquitto_server
from tests.small_plant import PLANT

SECRET = "whsec_" + base64.b64encode(b"a secret of this test, 32 bytes!").decode()
FRAMES, SAMPLES, KILLS = 120, 10, 3
EPISODES = ((200, 260), (500, 540), (900, 1000))  # samples [from, to) at which CO is high


def settings(influx: str, hook: str, folder: Path) -> str:
    """History in InfluxDB 1.x, one webhook."""
    (folder / "webhook").write_text(SECRET)
    return f"""
[history]
kind = "influxdb1"
url = "{influx}"
database = "yujing"
[[connectors.webhooks]]
name = "inspector"
url = "{hook}"
secret = {{ file = "webhook" }}
"""


COUNT = 'SELECT count("value") FROM "readings"'


def count(influx: str, query: str = COUNT) -> int:
    """Distinct readings InfluxDB holds."""
    answer = HTTP.get(f"{influx}/query", params={"db": "yujing", "q": query}).json()
    series = answer["results"][0].get("series")
    return int(series[0]["values"][0][1]) if series else 0


def verified(receiver: Receiver) -> list[dict[str, Any]]:
    """Every accepted webhook on an alarm once by id, the signatures of all checked by somebody else's code."""
    by_id: dict[str, dict[str, Any]] = {}
    for request in receiver.accepted:
        Webhook(SECRET).verify(request.body, dict(request.headers))
        event = json.loads(request.body)
        assert by_id.setdefault(request.headers["webhook-id"], event) == event, "a retry says the same"
    return [event for event in by_id.values() if event["type"].startswith("cn.yujing.alarm.")]


async def publish(broker: tuple[str, int], service: Service, start_ms: int) -> None:
    """Two minutes of readings, ten a second, while the service is killed again and again."""
    gateway = ReferenceGateway(PLANT, "GW-01", Link(*broker))
    network = asyncio.create_task(gateway.run())
    for number in range(FRAMES):
        samples = range(number * SAMPLES, (number + 1) * SAMPLES)
        high = [any(begin <= s < end for begin, end in EPISODES) for s in samples]
        values = [50.0 + s % 3 if up else 5.0 + s % 3 for s, up in zip(samples, high, strict=True)]
        gateway.publish([start_ms + s * 100 for s in samples], {"CO-01": values})
        await asyncio.sleep(0.01)
        if number in range(20, FRAMES, FRAMES // KILLS):
            await asyncio.to_thread(service.kill)
            await asyncio.to_thread(service.start)
    network.cancel()
    await asyncio.gather(network, return_exceptions=True)
    await until_committed(gateway)


def test_frames_become_stored_readings_and_signed_webhooks_over_three_sigkills(tmp_path: Path) -> None:
    """Nothing is missing and no alarm comes twice."""
    with mosquitto(tmp_path) as broker, influxd(tmp_path) as influx, Receiver() as receiver, ExitStack() as stack:
        HTTP.post(f"{influx}/query", params={"q": "CREATE DATABASE yujing"}).raise_for_status()
        service = stack.enter_context(Service(tmp_path, broker, settings(influx, receiver.url, tmp_path)))
        start_ms = time.time_ns() // 1_000_000 - FRAMES * SAMPLES * 100
        asyncio.run(publish(broker, service, start_ms))
        expected = FRAMES * SAMPLES
        service.until(lambda: count(influx) >= expected, "every reading in InfluxDB")
        wanted = [("raised", start_ms + began * 100) for began, _ in EPISODES]
        wanted += [("returned", start_ms + ended * 100) for _, ended in EPISODES]

        def delivered() -> list[tuple[str, str]]:
            events = [e["data"] for e in verified(receiver) if e["data"]["alarm"]["rule"] == "H"]
            return sorted((e["time"], e["event"]) for e in events)

        service.until(lambda: len(delivered()) >= len(wanted), "every webhook")
        assert service.stop() == 0
        assert count(influx) == expected
        assert count(influx, COUNT + " WHERE point = 'CO-01'") == expected
        assert delivered() == sorted((iso(at), event) for event, at in wanted)
        alarms = {e["data"]["alarm"]["id"] for e in verified(receiver) if e["data"]["alarm"]["rule"] == "H"}
        assert len(alarms) == 1, "nobody acknowledged it: it is one alarm that came back"


def iso(ms: int) -> str:
    """RFC 3339 with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03d}Z"


def test_changed_plant_files_are_taken_up_while_running_and_bad_ones_refused(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker) as service:
        file = tmp_path / "plants" / f"{PLANT}.toml"
        good = file.read_text(encoding="utf-8")
        file.write_text(good.replace('kind = "steel"', 'kind = "sponge"'), encoding="utf-8")
        service.until(lambda: any(e["event"] == "plant_file_fault" for e in service.log()), "the fault to be named")
        (fault,) = [e for e in service.log() if e["event"] == "plant_file_fault"]
        assert "sponge" in fault["value"]
        assert "enterprise.kind" in fault["key"]
        assert {p["id"] for p in service.get("/api/v1/plants")} == {"service", PLANT}, "the old one stays in force"
        service.config.write_text(service.config.read_text() + '[log]\nlevel = "debug"\n')
        os.kill(service.pid, signal.SIGHUP)
        service.until(lambda: any(e["event"] == "settings_reread" for e in service.log()), "the settings to be read")
        added = good + '\n[[points]]\nid = "O2-01"\nsignal = "STL_O2"\ngateway = "GW-01"\n'
        file.write_text(added, encoding="utf-8")
        service.until(
            lambda: "O2-01" in {p["id"] for p in service.get(f"/api/v1/plants/{PLANT}/points")},
            "the new point",
        )
        assert service.stop() == 0


async def until_committed(gateway: ReferenceGateway) -> None:
    """Run the gateway until all it has is on the service's disk."""
    network = asyncio.create_task(gateway.run())
    async with asyncio.timeout(PATIENCE_S):
        await gateway.at_most_waiting(0)
    network.cancel()
    await asyncio.gather(network, return_exceptions=True)


def test_a_broker_outage_is_reported_and_readings_flow_again_by_themselves(tmp_path: Path) -> None:
    with mosquitto_server(tmp_path) as broker, Service(tmp_path, (broker.host, broker.port)) as service:

        def ready() -> tuple[int, str]:
            answer = HTTP.get(f"{service.url}/health/ready", headers=service.headers)
            return answer.status_code, answer.json()["parts"]["broker"]

        def metrics() -> str:
            return HTTP.get(f"{service.url}/metrics", headers=service.headers).text

        service.until(lambda: ready() == (200, "ok"), "the service to be ready")
        broker.kill()
        service.until(lambda: ready()[0] == 503 and ready()[1].startswith("not connected: "), "the service to notice")
        assert "yujing_broker_connected 0.0" in metrics()
        broker.start()
        service.until(lambda: ready() == (200, "ok"), "the service to connect again")
        gateway = ReferenceGateway(PLANT, "GW-01", Link(broker.host, broker.port))
        gateway.publish([time.time_ns() // 1_000_000], {"CO-01": [5.0]})
        asyncio.run(until_committed(gateway))
        exposition = metrics()
        assert "yujing_broker_connected 1.0" in exposition
        assert "yujing_frames_journaled_total 1.0" in exposition
        assert service.stop() == 0


def test_files_of_different_moments_are_refused_before_anything_is_missed(tmp_path: Path) -> None:
    """A state database that is ahead of its journal would let new readings pass unjudged."""
    with mosquitto(tmp_path) as broker:
        with Service(tmp_path, broker) as service:
            gateway = ReferenceGateway(PLANT, "GW-01", Link(*broker))
            gateway.publish([time.time_ns() // 1_000_000], {"CO-01": [5.0]})

            asyncio.run(until_committed(gateway))
            assert service.stop() == 0
        for file in (tmp_path / "data").glob("journal.db*"):
            file.unlink()
        done = service.run("run", "--config", str(service.config))
        assert done.returncode == 1
        events = [json.loads(line) for line in done.stderr.splitlines()]
        assert events[-1]["event"] == "ended", "one format, to the last line"
        assert "journal.db" in events[-1]["error"]
        assert "backup" in events[-1]["error"]
