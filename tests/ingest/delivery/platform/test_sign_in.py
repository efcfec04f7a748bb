"""A platform that gives out tokens: one for all reports, a new one when it is old, and none is ever quoted."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.delivery.connector import Outcome
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.platform.opening import open_platform
from ingest.domain.model.fault import InvalidConfig
from tests.ingest.delivery.outbox import PLANT, START, alarm_message
from tests.ingest.delivery.platform.profiles import APPID, APPSECRET, IV
from tests.ingest.delivery.platform.test_profile_files import variant
from tests.ingest.delivery.receiver import Authority, Receiver, Reply, Request, make_authority

KEY_32 = base64.b64encode(bytes(range(32))).decode()
VECTOR = base64.b64encode(bytes.fromhex(IV)).decode()
ACCEPTED = Reply(200, body=b'{"code": 2000, "msg": "ok"}')
REFUSED = "no token: the platform refused: code = 500, bad ***"
NO_TEXT = "no token: the platform's answer has no text for a header at data"
SECOND = 1_000_000_000


class Platform:
    """Gives out tokens by number, and takes only the newest."""

    def __init__(self) -> None:
        self.given = 0
        self.revoked = False

    def __call__(self, request: Request) -> Reply:
        if request.path.endswith("/token"):
            assert json.loads(request.body) == {"appId": APPID, "appSecret": APPSECRET}
            self.given += 1
            self.revoked = False
            return Reply(200, body=json.dumps({"code": 2000, "data": self.token}).encode())
        if self.revoked or request.headers["authorization"] != self.token:
            return Reply(200, body=json.dumps({"code": 401, "msg": f"old {request.headers['authorization']}"}).encode())
        return ACCEPTED

    @property
    def token(self) -> str:
        return f"token-number-{self.given}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(Platform()) as started:
        yield started


class Clock:
    def __init__(self) -> None:
        self.ns = START

    def __call__(self) -> int:
        return self.ns


def connector(folder: Path, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, **more: Any) -> PlatformConnector:
    for name, value in {"APPSECRET": APPSECRET, "PLATFORM_KEY": KEY_32, "PLATFORM_IV": VECTOR}.items():
        monkeypatch.setenv(name, value)
    codes = folder / "codes.toml"
    points = ", ".join(f'"{point}" = "BIT-{point}"' for point in ("CW_IN_P-01", "A", "B"))
    codes.write_text(f'["{PLANT.id}"]\nenterprise = "GT3505830001"\npoints = {{ {points} }}\n', encoding="utf-8")
    given = {
        "url": url, "profile": "steel-module", "codes": str(codes), "appid": APPID, "appsecret": {"env": "APPSECRET"},
        "key": {"env": "PLATFORM_KEY"}, "iv": {"env": "PLATFORM_IV"}, "timeout_s": 5, **more,
    }  # fmt: skip
    return open_platform(PlatformConfig.model_validate(given), clock)


def signed_in(receiver: Receiver) -> int:
    return sum(request.path.endswith("/token") for request in receiver.requests)


async def test_a_token_serves_all_reports_until_it_is_old(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    platform = connector(tmp_path, receiver.url, clock, monkeypatch)
    several = [alarm_message(1), alarm_message(2, plant="other"), alarm_message(3, point="A")]
    outcomes = {outcome.seq: outcome.error for outcome in await platform.deliver(several)}
    assert outcomes == {1: None, 2: "the file of codes has no point for other CW_IN_P-01", 3: None}
    assert await platform.deliver([alarm_message(4)]) == [Outcome(4)]
    assert signed_in(receiver) == 1
    clock.ns += 1800 * SECOND
    assert await platform.deliver([alarm_message(5)]) == [Outcome(5)]
    assert signed_in(receiver) == 2
    await platform.close()


async def test_a_token_that_is_taken_no_longer_is_renewed_and_the_report_arrives_in_the_same_try(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, since what works once may leave something behind."""
    platform = connector(tmp_path, receiver.url, Clock(), monkeypatch)
    assert isinstance(receiver.answer, Platform)
    for seq in (1, 2):
        assert await platform.deliver([alarm_message(seq)]) == [Outcome(seq)]
        receiver.answer.revoked = True
    assert signed_in(receiver) == 2
    await platform.close()


async def test_a_platform_that_takes_no_token_at_all_gets_each_report_twice_a_try_and_no_more(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither token is told on, though the platform repeats it."""
    platform = connector(tmp_path, receiver.url, Clock(), monkeypatch)
    giving = Platform()

    def never(request: Request) -> Reply:
        given = giving(request)
        giving.revoked = True
        return given

    receiver.answer = never
    (outcome,) = await platform.deliver([alarm_message(1)])
    assert outcome.error == "the platform refused: code = 401, old ***"
    assert [request.path.rpartition("/")[2] for request in receiver.requests] == ["token", "save", "token", "save"]
    await platform.close()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, body=f'{{"code": 500, "msg": "bad {APPSECRET}"}}'.encode()), REFUSED),
        (Reply(200, body=b'{"code": 2000}'), NO_TEXT),
        (Reply(200, body=b'{"code": 2000, "data": "a\\r\\nx: y"}'), NO_TEXT),
        (Reply(403), "no token: HTTP 403 Forbidden (the settings, not the report)"),
        (Reply(reset=True), "connection broken before the answer was complete (reset)"),
    ],
)  # fmt: skip
async def test_without_a_token_nothing_is_sent_and_everything_is_tried_again(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, error: str
) -> None:
    platform = connector(tmp_path, receiver.url, Clock(), monkeypatch)
    good, receiver.answer = receiver.answer, lambda _: reply
    messages = [alarm_message(1), alarm_message(2, point="A")]
    assert {outcome.error for outcome in await platform.deliver(messages)} == {error}
    assert signed_in(receiver) == len(receiver.requests) == 1
    receiver.answer = good
    assert await platform.deliver(messages) == [Outcome(1), Outcome(2)]
    assert len(receiver.requests) == 3, "the report was not at fault: it is sent whole"
    await platform.close()


async def test_reports_under_way_at_once_ask_for_one_token_and_share_its_refusal(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that hangs costs them one timeout, not one each; the next try asks anew."""
    platform = connector(tmp_path, receiver.url, Clock(), monkeypatch)
    good, receiver.answer = receiver.answer, lambda _: Reply(403)
    for times in (1, 2):
        shared = await asyncio.gather(*(platform.deliver([alarm_message(seq)]) for seq in range(1, 6)))
        assert {outcome.error for (outcome,) in shared} == {
            "no token: HTTP 403 Forbidden (the settings, not the report)"
        }
        assert signed_in(receiver) == times
    receiver.answer = good
    await asyncio.gather(*(platform.deliver([alarm_message(seq)]) for seq in range(1, 6)))
    assert signed_in(receiver) == 3
    await platform.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "province")


async def test_a_platform_may_know_us_by_a_certificate_of_our_own(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make_authority(tmp_path, "enterprise")
    authority.server.verify_mode = ssl.CERT_REQUIRED
    authority.server.load_verify_locations(ours.ca_file)
    files = {"tls_cert": tmp_path / "enterprise.pem", "tls_key": tmp_path / "enterprise.pem"}
    with Receiver(Platform(), tls=authority.server) as receiver:
        more = {"ca_file": authority.ca_file}
        known = connector(tmp_path, receiver.url, Clock(), monkeypatch, **files, **more)
        assert await known.deliver([alarm_message(1)]) == [Outcome(1)]
        await known.close()
        unknown = connector(tmp_path, receiver.url, Clock(), monkeypatch, **more)
        (outcome,) = await unknown.deliver([alarm_message(1)])
        assert outcome.error
        await unknown.close()


def test_a_profile_that_needs_a_certificate_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = variant(tmp_path, ("headers = {", "client_certificate = true\nheaders = {"))
    with pytest.raises(InvalidConfig, match=r"connectors\.platform\.tls_cert = \(missing\)"):
        connector(tmp_path, "https://p.example", Clock(), monkeypatch, profile=own, interval_s=30)
    (tmp_path / "no.pem").write_text("no certificate")
    broken = {"tls_cert": tmp_path / "no.pem", "tls_key": tmp_path / "no.pem"}
    with pytest.raises(InvalidConfig, match=r"connectors\.platform\.tls_cert = .*expected a readable PEM certificate"):
        connector(tmp_path, "https://p.example", Clock(), monkeypatch, **broken)
