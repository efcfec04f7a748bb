"""A notice, end to end: the service in its own process, killed before and after sending; the receiver away."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from tests.e2e.service import Service
from tests.e2e.test_main_job import SECRET
from tests.ingest.delivery.receiver import Receiver, Reply
from tests.servers import HTTP, free_port
from tests.small_plant import PLANT, TEXT, write_plant

HEAD = '\n[[instruments]]\nid = "HEAD-1"\npoints = ["CO-01"]\nname = "1号探头"\nserial = "K-101"\n'


def settings(hook: str, folder: Path) -> str:
    """One webhook that is to be reminded, and rounds of the automations that follow each other quickly."""
    (folder / "webhook").write_text(SECRET)
    return f"""
[cases]
look_every_s = 0.2
[[connectors.webhooks]]
name = "safety"
url = "{hook}"
secret = {{ file = "webhook" }}
notices = ["check-due", "checks-unrecorded"]
"""


def verified(receiver: Receiver) -> list[dict[str, Any]]:
    """Every accepted notice once by id, in order; the signatures are checked by somebody else's code."""
    found: dict[str, dict[str, Any]] = {}
    for request in receiver.accepted:
        Webhook(SECRET).verify(request.body, dict(request.headers))
        event = json.loads(request.body)
        if event["type"].startswith("cn.yujing.notice."):
            assert found.setdefault(request.headers["webhook-id"], event) == event, "a retry says the same"
    return [event["data"] for event in found.values()]


def notices_given(service: Service) -> float | None:
    """How many notices are outstanding, by the metrics; None: not known yet."""
    text = HTTP.get(f"{service.url}/metrics", headers=service.headers).text
    values = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("yujing_notices_standing{")]
    return sum(values) if values else None


def came(service: Service) -> bool:
    """Whether the only notice there is was delivered, as the API says."""
    (notice,) = service.get("/api/v1/notices")["notices"]
    return all(sent["delivered"] for sent in notice["sent"])


def calibrate(service: Service) -> None:
    """Somebody enters a calibration of today, with its certificate."""
    proof = HTTP.post(
        f"{service.url}/api/v1/evidence",
        data={"plant": PLANT},
        files={"file": ("检定证书.pdf", b"%PDF-1.7 a certificate", "application/pdf")},
        headers=service.headers,
    )
    proof.raise_for_status()
    (instrument,) = service.get("/api/v1/instruments")["instruments"]
    ledger = service.get(f"/api/v1/instruments/{instrument['id']}")
    entered = {
        "version": ledger["version"],
        "day": dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date().isoformat(),
        "outcome": "passed",
        "person": "省计量院",
        "number": "JL-1",
        "evidence": [proof.json()["id"]],
    }
    path = f"{service.url}/api/v1/instruments/{instrument['id']}/calibrate"
    HTTP.post(path, json=entered, headers=service.headers).raise_for_status()


def test_a_notice_is_delivered_once_and_withdrawn_once_over_three_sigkills(tmp_path: Path) -> None:
    """Given while nobody takes it, delivered after a kill, withdrawn by a certificate; nothing again after the last."""
    with Receiver(lambda _: Reply(503)) as receiver:
        broker = ("127.0.0.1", free_port())
        write_plant(tmp_path, TEXT + HEAD)
        with Service(tmp_path, broker, settings(receiver.url, tmp_path), plant="") as service:
            service.until(lambda: bool(receiver.requests), "the first try")
            service.kill()
            receiver.answer = lambda _: Reply()
            service.start()
            service.until(lambda: len(verified(receiver)) == 1, "the notice to be delivered")
            (listed,) = service.get("/api/v1/notices")["notices"]
            service.until(
                lambda: bool(service.get("/api/v1/notices")["notices"][0]["sent"][0]["delivered"]), "its record"
            )
            calibrate(service)
            service.until(lambda: len(verified(receiver)) == 2, "it to be withdrawn")
            service.kill()
            service.start()
            service.until(lambda: notices_given(service) == 0, "a look after the restart")
            service.kill()
            service.start()
            service.until(lambda: notices_given(service) == 0, "another one")
            assert service.stop() == 0
    given, ended = verified(receiver)
    assert (given["event"], ended["event"]) == ("given", "ended")
    assert given["notice"]["id"] == ended["notice"]["id"] == listed["id"]
    assert given["notice"]["matter"] == "checks-unrecorded"
    assert ended["notice"]["ended"] is not None
