"""A call, end to end: the service in its own process, killed while it rings; a webhook as the channel."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from gateway_sim.gateway import Link, ReferenceGateway
from tests.e2e.service import Service
from tests.e2e.test_main_job import SECRET, until_committed
from tests.ingest.delivery.receiver import Receiver, Reply
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT

CHANNEL = "a-channels-token-of-this-test"


def settings(hook: str, folder: Path) -> str:
    """Two people, each called twice by one webhook, for whatever there is."""
    (folder / "webhook").write_text(SECRET)
    (folder / "channel").write_text(CHANNEL)
    people = "".join(
        f'[[calls.people]]\nname = "{name}"\nchannels = [{{ connector = "phone", address = "{name}" }}]\n'
        for name in ("甲", "乙")
    )
    return f"""
[[api.tokens]]
name = "phone"
role = "channel"
token = {{ file = "channel" }}
[[connectors.webhooks]]
name = "phone"
url = "{hook}"
secret = {{ file = "webhook" }}
[calls]
ring_s = 1
{people}
[[calls.ladders]]
causes = ["warning", "alarm"]
steps = [{{ people = ["甲"] }}, {{ people = ["乙"], ring_s = 3600 }}]
"""


def rung(receiver: Receiver) -> list[dict[str, Any]]:
    """Every accepted attempt once by id, in order; the signatures are checked by somebody else's code."""
    found: dict[str, dict[str, Any]] = {}
    for request in receiver.accepted:
        Webhook(SECRET).verify(request.body, dict(request.headers))
        event = json.loads(request.body)
        if event["type"] == "cn.yujing.call.ring":
            assert found.setdefault(request.headers["webhook-id"], event) == event, "a retry says the same"
    return [event["data"] for event in found.values()]


async def raise_alarm(broker: tuple[str, int]) -> None:
    """Carbon monoxide is far too high."""
    gateway = ReferenceGateway(PLANT, "GW-01", Link(*broker))
    now_ms = time.time_ns() // 1_000_000
    gateway.publish([now_ms - 200, now_ms - 100, now_ms], {"CO-01": [5.0, 200.0, 201.0]})
    await until_committed(gateway)


def test_people_are_rung_over_sigkills_until_somebody_presses_1(tmp_path: Path) -> None:
    """Begun while the phone is away, gone on after a kill; 乙 is rung in the end, and nothing more after the answer."""
    with mosquitto(tmp_path) as broker, Receiver(lambda _: Reply(503)) as receiver:
        with Service(tmp_path, broker, settings(receiver.url, tmp_path)) as service:
            asyncio.run(raise_alarm(broker))
            service.until(lambda: bool(service.get("/api/v1/calls")["calls"]), "the call to begin")
            service.kill()
            receiver.answer = lambda _: Reply()
            service.start()
            service.until(lambda: any(of["person"]["name"] == "乙" for of in rung(receiver)), "the second person")
            service.kill()
            service.start()
            last = [of for of in rung(receiver) if of["person"]["name"] == "乙"][-1]
            HTTP.post(
                f"{service.url}/api/v1/calls/receipts/phone",
                json={"attempt": last["attempt"], "receipt": "acknowledged"},
                headers={"authorization": f"Bearer {CHANNEL}"},
            ).raise_for_status()
            call = service.get(f"/api/v1/calls/{last['call']}")
            assert (call["state"], call["answered_by"], call["by_way"]) == ("answered", "乙", "phone")
            before = len(rung(receiver))
            service.kill()
            service.start()
            calls = service.get("/api/v1/calls")["calls"]
            assert service.stop() == 0
        assert [of["id"] for of in calls] == [last["call"]], "one thing is called for once"
        assert len(rung(receiver)) == before
        assert len({attempt["id"] for attempt in call["attempts"]}) == len(call["attempts"]) == 3
        assert [attempt["person"] for attempt in call["attempts"]] == ["甲", "甲", "乙"]
