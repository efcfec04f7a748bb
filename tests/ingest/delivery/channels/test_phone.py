"""Short messages and calls by Alibaba Cloud: signed as it publishes, everybody once, errors that say what to change."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from ingest.delivery.channels.addressed import AliyunConfig, SmsConfig, VoiceConfig
from ingest.delivery.channels.aliyun import Key, signed
from ingest.delivery.connector import Outcome
from ingest.delivery.rejections import TRIES
from tests.ingest.delivery.channels.messages import NUMBER, call_message
from tests.ingest.delivery.outbox import START, alarm_message, early_warning
from tests.ingest.delivery.receiver import Receiver, Reply, Request

ID, SECRET = "LTAI-test-id", "a-secret-that-nobody-may-read"


def test_a_request_is_signed_as_the_published_example() -> None:
    """Alibaba Cloud, *V3 request structure and signature*, fixed parameter example."""
    at = int(dt.datetime(2023, 10, 26, 10, 22, 32, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
    request = signed(
        Key("YourAccessKeyId", "YourAccessKeySecret"),
        "https://ecs.cn-shanghai.aliyuncs.com/",
        "RunInstances",
        "2014-05-26",
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        nonce="3156853299f313e23d1673dc12e1703d",
        now=at,
    )
    assert request.headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


class Provider:
    """The provider, strict: signature, time, nonce, parameters of the action; refuses a number by its `codes`."""

    def __init__(self) -> None:
        self.taken = list[dict[str, str]]()
        self.codes = dict[str, str]()
        self._nonces = set[str]()

    def __call__(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        headers = request.headers
        match = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
            headers["authorization"],
        )
        if match is None or match[1] != ID:
            return self.refuse("InvalidAccessKeyId.NotFound", 404)
        names = match[2].split(";")
        if {name for name in headers if name.startswith("x-acs-")} | {"host"} != set(names) or names != sorted(names):
            return self.refuse("IncompleteSignature", 400)
        given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
        canonical_query = "&".join(f"{quote(k, '~')}={quote(v, '~')}" for k, v in sorted(given.items()))
        body = hashlib.sha256(request.body).hexdigest()
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
        canonical = "\n".join(["POST", path, canonical_query, lines, match[2], body])
        text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        if hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest() != match[3]:
            return self.refuse("SignatureDoesNotMatch", 400)
        at = dt.datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        if abs(at.timestamp() - START / 1e9) > 900 or headers["x-acs-signature-nonce"] in self._nonces:
            return self.refuse("InvalidTimeStamp.Expired", 400)
        self._nonces.add(headers["x-acs-signature-nonce"])
        return self.take(headers["x-acs-action"], given)

    def take(self, action: str, given: dict[str, str]) -> Reply:
        if action == "SendSms":
            needed = {"PhoneNumbers", "SignName", "TemplateCode", "TemplateParam", "OutId"}
            number, values = given["PhoneNumbers"], json.loads(given["TemplateParam"])
        else:
            assert action == "SingleCallByTts"
            needed = {"CalledNumber", "TtsCode", "TtsParam", "PlayTimes", "OutId"}
            number, values = given["CalledNumber"], json.loads(given["TtsParam"])
            assert 1 <= len(given["OutId"]) <= 15
        if set(given) - {"CalledShowNumber"} != needed:
            return self.refuse("MissingParameter", 400)
        if any(not 1 <= len(value) <= 35 for value in values.values()):
            return self.refuse("isv.PARAM_LENGTH_LIMIT")
        if number in self.codes:
            return self.refuse(self.codes[number])
        self.taken.append(given)
        return Reply(body=b'{"Code": "OK", "Message": "OK", "RequestId": "1"}')

    def refuse(self, code: str, status: int = 200) -> Reply:
        return Reply(status, body=json.dumps({"Code": code, "Message": f"{ID} {SECRET}"}).encode())


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Provider, str]]:
    monkeypatch.setenv("ALIYUN_SECRET", SECRET)
    provider = Provider()
    with Receiver(provider) as receiver:
        yield provider, receiver.url.removesuffix("hook")


def given(url: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "phone", "url": url, "access_key_id": ID, "access_key_secret": {"env": "ALIYUN_SECRET"},
        "template": "SMS_1", "timeout_s": 2, **more,
    }  # fmt: skip


async def sent(config: AliyunConfig, *messages: Any) -> list[Outcome]:
    connector = config.open_connector(lambda: START)
    try:
        return [outcome for message in messages for outcome in await connector.deliver([message])]
    finally:
        await connector.close()


async def test_a_short_message_bears_level_text_and_id(provider: tuple[Provider, str]) -> None:
    service, url = provider
    alarm = alarm_message(1)
    config = SmsConfig.model_validate(given(url, sign_name="南安铝业", to=["13800000000", "13900000000"]))
    assert await sent(config, alarm) == [Outcome(1)]
    assert [each["PhoneNumbers"] for each in service.taken] == ["13800000000", "13900000000"]
    first = service.taken[0]
    assert (first["SignName"], first["OutId"]) == ("南安铝业", str(alarm.id))
    values = json.loads(first["TemplateParam"])
    assert values["level"] == "报警 2级 发生"
    assert values["id"] == alarm.body["alarm"]["id"].replace("-", "")
    assert values["text"].startswith("南安铝业有限公司 CW_IN_P-01 结晶器冷却水进水压力")
    assert values["text"].endswith("…")


async def test_a_call_is_made_to_the_person_it_calls(provider: tuple[Provider, str]) -> None:
    service, url = provider
    config = VoiceConfig.model_validate(given(url, template="TTS_1", show_number="057112345678"))
    assert not config.wants("alarm", "p1", 2)
    assert not config.wants_warning(early_warning())
    called = call_message(1, "+8613800000000", what="撤离" * 100)
    assert await sent(config, called) == [Outcome(1)]
    (request,) = service.taken
    assert (request["CalledNumber"], request["CalledShowNumber"], request["PlayTimes"]) == (
        "13800000000",
        "057112345678",
        "2",
    )
    assert request["OutId"] == called.id.hex[:15]
    assert set(json.loads(request["TtsParam"])) == {"level", "text"}
    assert NUMBER not in request["TtsParam"]
    (outcome,) = await sent(config, call_message(2, "manager01"))
    assert outcome == Outcome(2, "the address is no phone number 地址不是电话号码", rejected=True)


async def test_a_number_that_is_refused_keeps_nobody_else_waiting_and_nobody_hears_twice(
    provider: tuple[Provider, str],
) -> None:
    service, url = provider
    config = SmsConfig.model_validate(given(url, sign_name="南安铝业", to=["13800000000", "13900000000"]))
    service.codes["13800000000"] = "isv.BUSINESS_LIMIT_CONTROL"
    connector = config.open_connector(lambda: START)
    for _ in range(2):
        (outcome,) = await connector.deliver([alarm_message(1)])
        assert outcome.retry_after_s == 60
        assert "对该号码发送过于频繁" in str(outcome.error)
    service.codes["13800000000"] = "isv.MOBILE_NUMBER_ILLEGAL"
    for _ in range(TRIES):
        (outcome,) = await connector.deliver([alarm_message(2)])
        assert (outcome.rejected, outcome.partly) == (True, True), "a dead letter: nothing waits behind it"
        assert str(outcome.error).startswith("recipient to.0: isv.MOBILE_NUMBER_ILLEGAL")
    service.taken.pop()
    service.codes.clear()
    assert await connector.deliver([alarm_message(1)]) == [Outcome(1)]
    assert [each["PhoneNumbers"] for each in service.taken] == ["13900000000", "13800000000"]
    await connector.close()


async def test_errors_say_what_to_change_and_show_no_secret(
    provider: tuple[Provider, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, url = provider
    config = SmsConfig.model_validate(given(url, sign_name="南安铝业", to=["13800000000"]))
    connector = config.open_connector(lambda: START)
    for code, words in (
        ("isv.SMS_TEMPLATE_ILLEGAL", "look at template"),
        ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足"),
        ("isv.SOMETHING_NEW", "isv.SOMETHING_NEW"),
        (SECRET, "no Code"),
        (f"x.{ID}", "no Code"),
    ):
        service.codes["13800000000"] = code
        (outcome,) = await connector.deliver([alarm_message(1)])
        assert words in str(outcome.error)
        assert SECRET not in str(outcome.error)
        assert ID not in str(outcome.error)
    await connector.close()
    monkeypatch.setenv("ALIYUN_SECRET", "another")
    (outcome,) = await sent(config, alarm_message(1))
    assert "look at access_key_secret" in str(outcome.error)
