from __future__ import annotations

import asyncio
import datetime as dt
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from gateway_sim.webhook_receiver import TOLERANCE_S, WebhookReceiver, read_key
from tests.servers import HTTP

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = dt.datetime(2026, 11, 23, 8, tzinfo=dt.UTC)
BODY = '{"event":"raised","铝":1}'


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[WebhookReceiver]:
    endpoint = WebhookReceiver(SECRET, report=tmp_path / "report.json", now_s=NOW.timestamp)
    endpoint.start()
    yield endpoint
    endpoint.stop()


def _headers(name: str = "msg_1", at: dt.datetime = NOW, body: str = BODY) -> dict[str, str]:
    """Signed by the reference library."""
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(name, at, body),
    }


def _post(receiver: WebhookReceiver, headers: dict[str, str], body: str = BODY) -> int:
    return HTTP.post(receiver.url, content=body.encode(), headers=headers).status_code


def _report(tmp_path: Path) -> dict[str, int]:
    report: dict[str, int] = json.loads((tmp_path / "report.json").read_text())
    return report


def test_signed_deliveries_are_counted_and_repeats_counted_apart(receiver: WebhookReceiver, tmp_path: Path) -> None:
    assert _report(tmp_path) == {"received": 0, "distinct": 0, "bad_signature": 0}
    assert [_post(receiver, _headers(name)) for name in ("msg_1", "msg_2", "msg_1")] == [200, 200, 200]
    assert _report(tmp_path) == {"received": 3, "distinct": 2, "bad_signature": 0}
    assert receiver.bodies["msg_1"].decode() == BODY


def test_any_of_several_signatures_is_enough(receiver: WebhookReceiver) -> None:
    """A sender that rotates its secret signs with both."""
    headers = _headers()
    headers["webhook-signature"] = "v1a,xyz v1,AAAA " + headers["webhook-signature"]
    assert _post(receiver, headers) == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        (_headers(), BODY + " "),
        (_headers() | {"webhook-id": "msg_2"}, BODY),
        (_headers() | {"webhook-signature": "v1,AAAA"}, BODY),
        (_headers() | {"webhook-signature": "v2" + _headers()["webhook-signature"][2:]}, BODY),
        (_headers() | {"webhook-timestamp": "soon"}, BODY),
        (_headers(at=NOW - dt.timedelta(seconds=TOLERANCE_S + 1)), BODY),
        (_headers(at=NOW + dt.timedelta(seconds=TOLERANCE_S + 1)), BODY),
    ],
    ids=["unsigned", "body", "id", "signature", "version", "no-time", "stale", "future"],
)
def test_forged_or_stale_deliveries_are_refused_and_counted(
    receiver: WebhookReceiver, tmp_path: Path, headers: dict[str, str], body: str
) -> None:
    assert _post(receiver, headers, body) == 401
    assert _report(tmp_path) == {"received": 0, "distinct": 0, "bad_signature": 1}


def test_an_invalid_secret_is_reported() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        read_key("whsec_%%%")


async def test_the_command_prints_its_url(tmp_path: Path) -> None:
    secret, report = tmp_path / "secret", tmp_path / "report.json"
    secret.write_text(SECRET + "\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway_sim", "receiver", "--secret-file", str(secret), "--report", str(report),
        stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["url"]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, content=BODY.encode(), headers=_headers(at=dt.datetime.now(dt.UTC)))
    assert answer.status_code == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert json.loads(report.read_text()) == {"received": 1, "distinct": 1, "bad_signature": 0}
