"""The provincial platform receives everything, also what happened while it could not be reached."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway_sim.gateway import Link, ReferenceGateway
from gateway_sim.platform import PlatformStandIn
from gateway_sim.stand_in import Mode
from tests.e2e.service import Service
from tests.e2e.test_main_job import until_committed
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT


def settings(platform: PlatformStandIn) -> str:
    """The platform, with readings once a second."""
    files = {name: str(file) for name, file in platform.files.items()}
    return f"""
[connectors.platform]
url = "{platform.url}"
appid = "{platform.credentials.appid}"
appsecret = {{ file = "{files["appsecret"]}" }}
key = {{ file = "{files["key"]}" }}
iv = {{ file = "{files["iv"]}" }}
ca_file = "{platform.ca}"
interval_s = 1
timeout_s = 2
"""


def items(platform: PlatformStandIn, *kinds: str) -> list[dict[str, Any]]:
    """What the platform decrypted and took, of these kinds."""
    return [item for content in platform.received if content["reportType"] in kinds for item in content["datas"]]


@pytest.mark.parametrize("down", [Mode.CLOSE, Mode.REFUSE, Mode.HANG])
def test_alarms_and_readings_reach_the_platform_once_it_is_back(tmp_path: Path, down: Mode) -> None:
    platform = PlatformStandIn(tmp_path / "platform")
    platform.start()
    platform.mode = down
    try:
        with mosquitto(tmp_path) as broker, Service(tmp_path, broker, settings(platform)) as service:

            def failures() -> bool:
                exposition = HTTP.get(f"{service.url}/metrics", headers=service.headers).text
                return 'yujing_delivery_failed_total{connector="platform"}' in exposition

            def publish(value: float) -> None:
                gateway = ReferenceGateway(PLANT, "GW-01", Link(*broker))
                gateway.publish([time.time_ns() // 1_000_000], {"CO-01": [value]})
                asyncio.run(until_committed(gateway))

            publish(170.0)
            publish(5.0)
            service.until(failures, "a try to fail")
            assert platform.received == []
            platform.mode = Mode.UP
            wanted = {("H", "raised"), ("HH", "raised"), ("H", "returned"), ("HH", "returned")}

            def delivered() -> set[tuple[str, str]]:
                ours = [item for item in items(platform, "alarm") if item["quotaId"] == "CO-01"]
                return {(item["ruleCode"], item["eventType"]) for item in ours}

            service.until(lambda: delivered() == wanted, "all four events")
            readings = ("report", "continues")
            service.until(lambda: any(i["quotaId"] == "CO-01" for i in items(platform, *readings)), "readings")
            events = [item["eventId"] for item in items(platform, "alarm")]
            assert len(events) == len(set(events)), "each event once"
            assert service.stop() == 0
    finally:
        platform.stop()
