from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.platform import PlatformStandIn, Refusal, is_uscc
from gateway_sim.stand_in import Mode

USCC = "91350583MA000D010F"
CONTENT = {"dataId": "d1", "enterpriseId": USCC, "collectTime": "2026-11-23 08:00:00", "datas": []}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformStandIn]:
    stand_in = PlatformStandIn(tmp_path / "platform")
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(platform: PlatformStandIn) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(platform.ca))
    with httpx.Client(verify=context, trust_env=False, timeout=5) as client:
        yield client


def _sealed(platform: PlatformStandIn, plain: bytes, *, pad: bool = True) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize() if pad else plain
    issued = platform.credentials
    encryptor = Cipher(algorithms.SM4(issued.key), modes.CBC(issued.iv)).encryptor()
    return (encryptor.update(padded) + encryptor.finalize()).hex()


def _body(platform: PlatformStandIn, content: object = None) -> dict[str, Any]:
    plain = json.dumps(CONTENT if content is None else content, ensure_ascii=False).encode()
    return {"appid": platform.credentials.appid, "data": _sealed(platform, plain)}


def _post(client: httpx.Client, platform: PlatformStandIn, body: object, **headers: str) -> dict[str, Any]:
    all_headers = {"appsecret": platform.credentials.appsecret, "content-type": "application/json", **headers}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer: dict[str, Any] = client.post(platform.url, content=content, headers=all_headers).json()
    return answer


def test_a_right_message_is_taken_and_a_repeat_acknowledged(client: httpx.Client, platform: PlatformStandIn) -> None:
    assert _post(client, platform, _body(platform)) == {"code": 0, "msg": "ok"}
    repeat = _post(client, platform, _body(platform))
    assert repeat["code"] == 0
    assert "duplicate" in repeat["msg"]
    assert platform.received == [CONTENT]
    assert platform.summary() == {"received": 1, "duplicates": 1, "refused": {}}


def test_upper_case_hex_is_hex_too(client: httpx.Client, platform: PlatformStandIn) -> None:
    body = _body(platform)
    assert _post(client, platform, body | {"data": body["data"].upper()})["code"] == 0


Make = Callable[[PlatformStandIn], Any]

WARNING = {
    "eventId": "9ad81587-72f6-57f3-8c38-e5d0658491fc",
    "warningId": "506d14e4-31de-569e-bd22-78e262bd4226",
    "eventType": "raised",
    "eventTime": "2026-11-24 16:00:00",
    "warnLevel": 2,
    "highestLevel": 2,
    "status": "open",
    "askedStep": "enterprise",
}


def _warning(**changes: object) -> Make:
    return lambda p: _body(p, CONTENT | {"reportType": "warning", "datas": [WARNING | changes]})


def test_a_pushed_warning_is_taken(client: httpx.Client, platform: PlatformStandIn) -> None:
    assert _post(client, platform, _warning()(platform))["code"] == 0
    over = _warning(warnLevel=None, status="over-awaiting-feedback", eventType="ended")(platform)
    assert _post(client, platform, over)["msg"].startswith("ok")


def _without(name: str) -> Make:
    return lambda p: _body(p, {key: value for key, value in CONTENT.items() if key != name})


@pytest.mark.parametrize(
    ("make", "code", "reason"),
    [
        (lambda _: b"{", Refusal.BODY, "body: not JSON"),
        (lambda _: b"[]", Refusal.BODY, "body: expected a JSON object"),
        (lambda _: b"\xff", Refusal.UTF8, "body: not UTF-8"),
        (lambda _: b'{"appid":"a","appid":"b","data":""}', Refusal.BODY, "a key stands twice"),
        (lambda _: {"data": "00"}, Refusal.BODY, "body has ['data']: expected appid and data"),
        (lambda p: _body(p) | {"extra": 1}, Refusal.BODY, "expected appid and data"),
        (lambda p: _body(p) | {"appid": "other"}, Refusal.APPID, "appid: wrong"),
        (lambda p: _body(p) | {"appid": 1}, Refusal.APPID, "appid: wrong"),
        (lambda p: _body(p) | {"data": ""}, Refusal.DATA, "data: expected a text"),
        (lambda p: _body(p) | {"data": {}}, Refusal.DATA, "data: expected a text"),
        (lambda p: _body(p) | {"data": "zz"}, Refusal.HEX, "data: expected HEX"),
        (lambda p: _body(p) | {"data": "abc"}, Refusal.HEX, "data: expected HEX"),
        (lambda p: _body(p) | {"data": "ab" * 17}, Refusal.CIPHER, "17 bytes; expected whole blocks of 16"),
        (lambda p: _body(p) | {"data": _sealed(p, b"\x00" * 16, pad=False)}, Refusal.CIPHER, "padding is wrong"),
        (lambda p: _body(p) | {"data": _sealed(p, '{"a":"铝"}'.encode("gbk"))}, Refusal.UTF8, "plaintext: not UTF-8"),
        (lambda p: _body(p) | {"data": _sealed(p, b"hello")}, Refusal.JSON, "plaintext: not JSON"),
        (lambda p: _body(p, [CONTENT]), Refusal.JSON, "plaintext: expected a JSON object"),
        (_without("dataId"), Refusal.DATA_ID, "dataId: expected a text"),
        (lambda p: _body(p, CONTENT | {"dataId": 7}), Refusal.DATA_ID, "dataId: expected a text"),
        (_without("enterpriseId"), Refusal.ENTERPRISE, "enterpriseId None"),
        (lambda p: _body(p, CONTENT | {"enterpriseId": USCC[:-1] + "A"}), Refusal.ENTERPRISE, "unified social credit"),
        (_without("collectTime"), Refusal.TIME, "expected one of collectTime"),
        (lambda p: _body(p, CONTENT | {"collectTime": ""}), Refusal.TIME, "expected one of collectTime"),
        (lambda p: _body(p, CONTENT | {"reportType": "warning"}), Refusal.WARNING, "expected a list of warnings"),
        (_warning(warningId="17"), Refusal.WARNING, "datas[0].warningId '17'"),
        (_warning(warnLevel=5), Refusal.WARNING, "datas[0].warnLevel 5: expected one of (1, 2, 3, 4, None)"),
        (_warning(warnLevel=None), Refusal.WARNING, "an open warning has a level"),
        (_warning(warnLevel=1), Refusal.WARNING, "warnLevel 1 is graver than highestLevel 2"),
        (_warning(eventType="inputs-changed"), Refusal.WARNING, "datas[0].eventType 'inputs-changed'"),
        (_warning(askedStep="village"), Refusal.WARNING, "datas[0].askedStep 'village'"),
        (_warning(eventTime="2026-11-24T08:00:00Z"), Refusal.WARNING, "datas[0].eventTime"),
    ],
)
def test_a_wrong_message_is_refused_with_its_reason(
    client: httpx.Client, platform: PlatformStandIn, make: Make, code: Refusal, reason: str
) -> None:
    answer = _post(client, platform, make(platform))
    assert answer["code"] == code
    assert reason in answer["msg"]
    assert platform.received == []
    assert platform.refused == {code.name: 1}


@pytest.mark.parametrize("secret", ["", "wrong", "é"])
def test_a_wrong_secret_is_refused(client: httpx.Client, platform: PlatformStandIn, secret: str) -> None:
    headers = {"appsecret": secret.encode(), "content-type": "application/json"}
    answer = client.post(platform.url, json=_body(platform), headers=headers).json()  # type: ignore[arg-type]
    assert answer == {"code": Refusal.APPSECRET, "msg": "header appsecret: missing or wrong"}


def test_method_path_and_content_type_are_checked(client: httpx.Client, platform: PlatformStandIn) -> None:
    assert client.get(platform.url).json()["code"] == Refusal.METHOD
    assert client.post(platform.url + "/x").json()["code"] == Refusal.PATH
    answer = _post(client, platform, _body(platform), **{"content-type": "text/plain"})
    assert answer["code"] == Refusal.CONTENT_TYPE


def test_a_platform_that_is_down_refuses_closes_or_hangs(client: httpx.Client, platform: PlatformStandIn) -> None:
    platform.mode = Mode.REFUSE
    assert client.post(platform.url).status_code == 503
    platform.mode = Mode.CLOSE
    with pytest.raises(httpx.TransportError):
        client.post(platform.url)
    platform.mode = Mode.HANG
    with pytest.raises(httpx.ReadTimeout):
        client.post(platform.url, timeout=0.2)
    platform.mode = Mode.UP
    assert _post(client, platform, _body(platform))["code"] == 0


def test_only_its_own_authority_vouches_for_it(platform: PlatformStandIn) -> None:
    with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.ConnectError):
        stranger.post(platform.url)


def test_issued_secrets_are_readable_by_the_owner_only(platform: PlatformStandIn) -> None:
    issued = platform.credentials
    assert platform.files["appsecret"].read_text() == issued.appsecret
    assert bytes.fromhex(platform.files["key"].read_text()) == issued.key
    for file in (*platform.files.values(), platform.ca.with_name("server.key")):
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000802100433B", "914403001922038216", USCC])
def test_known_codes_have_a_right_check_character(code: str) -> None:
    assert is_uscc(code)
    assert not is_uscc(code[:-1] + ("0" if code[-1] != "0" else "1"))


@pytest.mark.parametrize("command", [("gateway_sim", "platform"), ("ingest", "simulate", "platform")])
async def test_the_command_says_where_everything_is_and_ends_whole(tmp_path: Path, command: Sequence[str]) -> None:
    """Whichever of the two: what `yujing simulate` has started ends with it, and leaves its report."""
    report = tmp_path / "report.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, "--dir", str(tmp_path / "p"), "--report", str(report),
        stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    where = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    secret = (tmp_path / "p" / "appsecret").read_text(encoding="utf-8")
    assert where["appsecret"] == str(tmp_path / "p" / "appsecret")
    async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=where["ca"]), trust_env=False) as client:
        answer = await client.post(where["url"], json={}, headers={"appsecret": secret})
    assert answer.json()["code"] == Refusal.BODY
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert json.loads(report.read_text()) == {"received": 0, "duplicates": 0, "refused": {"BODY": 1}}
