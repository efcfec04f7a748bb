"""Every kind of connector keeps the contract the outbox sender relies on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.base.config import Secret
from ingest.delivery.channels.addressed import EmailConfig
from ingest.delivery.config import ConnectorsConfig
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.webhook.config import WebhookConfig
from ingest.domain.model.notice import Matter
from tests.conformance.connector import ConnectorPromises, HttpFarEnd, Wired
from tests.ingest.delivery.channels.mail_server import MailServer
from tests.ingest.delivery.outbox import START
from tests.ingest.delivery.platform.profiles import APPID, APPSECRET, IV, KEY
from tests.ingest.delivery.platform.test_platform import YES, report_in
from tests.ingest.delivery.receiver import Authority, Receiver, Reply, Request, make_authority

SECRET = "whsec_YSBrZXkgb2YgdGhlIHRlc3RzIG9mIHllYXJseSB1c2U="


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "province")


class TestWebhook(ConnectorPromises):
    @pytest.fixture
    def wired(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        monkeypatch.setenv("HOOK_SECRET", SECRET)
        with Receiver() as receiver:
            config = WebhookConfig(
                name="inspector", url=f"{receiver.url}?tenant=hidden", secret=Secret(env="HOOK_SECRET"), timeout_s=1,
                notices=frozenset(Matter),
            )  # fmt: skip
            far = HttpFarEnd(receiver, lambda request: [request.headers["webhook-id"]])
            yield Wired(config, config.open_connector(lambda: START), far, (SECRET, "tenant=hidden"))


class TestPlatform(ConnectorPromises):
    @pytest.fixture
    def wired(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        for name, value in {"APPSECRET": APPSECRET, "SM4_KEY": KEY, "SM4_IV": IV}.items():
            monkeypatch.setenv(name, value)

        def ids_in(request: Request) -> list[str]:
            return [str(item["eventId"]) for item in report_in(request)["datas"]]

        def refused(text: str) -> Reply:
            return Reply(body=json.dumps({"code": 500, "message": text, "msg": text}).encode())

        with Receiver(tls=authority.server) as receiver:
            config = PlatformConfig(
                url=receiver.url,
                appid=APPID,
                appsecret=Secret(env="APPSECRET"),
                key=Secret(env="SM4_KEY"),
                iv=Secret(env="SM4_IV"),
                ca_file=Path(authority.ca_file),
                timeout_s=1,
            )
            far = HttpFarEnd(receiver, ids_in, YES, refused)
            yield Wired(config, config.open_connector(lambda: START), far, (APPSECRET, APPID, KEY, IV))


def test_every_kind_of_the_registry_has_its_suite_here() -> None:
    assert ConnectorsConfig.tables() == (
        "webhooks", "dingtalk", "wecom", "feishu", "email", "sms", "voice", "platform",
    )  # fmt: skip


class TestRobots(ConnectorPromises):
    @pytest.fixture(params=["dingtalk", "wecom", "feishu"])
    def wired(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        monkeypatch.setenv("ROBOT_TOKEN", "a-token/that-nobody-may-read")
        field = "code" if request.param == "feishu" else "errcode"

        def answer(code: int, text: str) -> Reply:
            return Reply(body=json.dumps({field: code, "errmsg": text}).encode())

        with Receiver() as receiver:
            (config,) = ConnectorsConfig.model_validate(
                {
                    request.param: [
                        {
                            "name": "robot",
                            "url": receiver.url,
                            "token": {"env": "ROBOT_TOKEN"},
                            "timeout_s": 1,
                            "posts_a_minute": 1000,
                            "notices": list(Matter),
                        }
                    ]
                }
            ).receivers()
            far = HttpFarEnd(
                receiver,
                lambda request: request.headers["idempotency-key"].split(","),
                answer(0, "ok"),
                lambda text: answer(424242, text),
            )
            secrets = ("a-token/that-nobody-may-read", "a-token%2Fthat-nobody-may-read")
            yield Wired(config, config.open_connector(lambda: START), far, secrets)


class TestEmail(ConnectorPromises):
    @pytest.fixture
    def wired(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
        with MailServer(account=("yujing", "hunter2")) as server:
            config = EmailConfig(
                name="mail", host="127.0.0.1", port=server.port, tls="none", username="yujing",
                password=Secret(env="MAIL_PASSWORD"), sender="a@plant.example", to=("duty@plant.example",),
                timeout_s=1, notices=frozenset(Matter),
            )  # fmt: skip
            yield Wired(config, config.open_connector(lambda: START), server, ("hunter2", "AHl1amluZwBodW50ZXIy"))


class TestPhone(ConnectorPromises):
    @pytest.fixture(params=["sms", "voice"])
    def wired(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        monkeypatch.setenv("ALIYUN_SECRET", "a-secret-that-nobody-may-read")
        with Receiver() as receiver:
            given = {
                "name": "phone", "url": receiver.url, "access_key_id": "LTAI-id", "template": "T_1", "timeout_s": 1,
                "access_key_secret": {"env": "ALIYUN_SECRET"}, "to": ["13800000000"], "notices": list(Matter),
                **({"sign_name": "企业"} if request.param == "sms" else {}),
            }  # fmt: skip
            (config,) = ConnectorsConfig.model_validate({request.param: [given]}).receivers()

            def ids_in(request: Request) -> list[str]:
                return [request.headers["idempotency-key"]]

            def refused(text: str) -> Reply:
                return Reply(body=json.dumps({"Code": "isv.NO", "Message": text}).encode())

            far = HttpFarEnd(receiver, ids_in, Reply(body=b'{"Code": "OK"}'), refused)
            yield Wired(config, config.open_connector(lambda: START), far, ("a-secret-that-nobody-may-read", "LTAI-id"))
