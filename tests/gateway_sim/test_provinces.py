"""Stand-ins for provinces take what is right, say what is wrong, and misbehave as they are told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.provinces import STAND_INS
from gateway_sim.provinces.generic import GenericStandIn
from gateway_sim.provinces.hebei import HebeiStandIn
from gateway_sim.provinces.steel import SteelStandIn
from gateway_sim.stand_in import Mode, StandIn

TS = "2026-06-21 08:10:34"


def client(platform: StandIn) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cafile=str(platform.ca)), trust_env=False, timeout=5)


def padded(plain: object, block: int) -> bytes:
    padder = PKCS7(block * 8).padder()
    return padder.update(json.dumps(plain, ensure_ascii=False).encode()) + padder.finalize()


@pytest.fixture
def hebei(tmp_path: Path) -> Iterator[HebeiStandIn]:
    platform = HebeiStandIn(tmp_path / "hebei", slow_s=0.05, unknown=("0" * 19,))
    platform.start()
    yield platform
    platform.stop()


def hebei_sealed(platform: StandIn, plain: object) -> str:
    encryptor = Cipher(TripleDES(platform.issued["key"].encode() * 3), modes.CBC(b"12345678")).encryptor()
    return base64.b64encode(encryptor.update(padded(plain, 8)) + encryptor.finalize()).hex().upper()


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def hebei_post(
    platform: HebeiStandIn, address: str, change: Change = lambda _, __: None, **plain: Any
) -> tuple[int, Mapping[str, Any]]:
    """Send readings or an event; `change` spoils the body or the item in it."""
    enterprise = platform.issued["enterprise"]
    point = f"{enterprise}0101001"
    event = {"ts": TS, "oname": point, "avx": "126.8000", "scd": 4, "threshold": 100, "content": "超限"}
    listed, item = ("rts", {"tnm": point, "ts": TS, "val": "27.20"}) if address == "rtsData" else ("events", event)
    body: dict[str, Any] = {"qybm": enterprise}
    if address == "rtsData":
        body["wgbm"] = f"{enterprise}01"
    change(body, item)
    body.setdefault("data", hebei_sealed(platform, {"qybm": enterprise, "data": {listed: [item]}} | plain))
    with client(platform) as http:
        answer = http.post(f"{platform.url}/api/{address}", json=body)
    return answer.status_code, answer.json()


def test_hebei_takes_readings_and_alarms_and_knows_a_repeat(hebei: HebeiStandIn) -> None:
    for _ in range(2):
        for address in ("rtsData", "eventsData"):
            assert hebei_post(hebei, address) == (200, {"code": 200, "msg": "操作成功", "data": None})
    assert hebei.summary() == {"received": 2, "duplicates": 2, "refused": {}}


def test_hebei_takes_a_video_alarm_with_its_picture(hebei: HebeiStandIn) -> None:
    """Our service sends none; whoever tries another sender against it may."""
    enterprise = hebei.issued["enterprise"]
    data = {"ts": TS, "videoCode": "0" * 20, "alarmType": "SJ02001", "content": "烟火"}
    for image, status in ((b"\x89PNG", 200), (bytes(600 * 1024), 400)):
        plain = {"qybm": enterprise, "data": data | {"content": f"烟火 {len(image)}"}}
        body = {"qybm": enterprise, "img": base64.b64encode(image).decode(), "data": hebei_sealed(hebei, plain)}
        with client(hebei) as http:
            assert http.post(f"{hebei.url}/api/videosData", json=body).status_code == status


@pytest.mark.parametrize(
    ("address", "change", "what", "reason"),
    [
        ("rtsData", lambda b, _: b.pop("wgbm"), "BODY", "expected ['data', 'qybm', 'wgbm']"),
        ("eventsData", lambda b, _: b.update(wgbm="1"), "BODY", "expected ['data', 'qybm']"),
        ("rtsData", lambda b, _: b.update(qybm="1"), "ENTERPRISE", "qybm '1'"),
        ("rtsData", lambda b, _: b.update(wgbm=b["qybm"]), "GATEWAY", "and two digits"),
        ("rtsData", lambda b, _: b.update(data="ab"), "HEX", "in upper case"),
        ("rtsData", lambda b, _: b.update(data="2A"), "BASE64", "of a Base64 text"),
        ("rtsData", lambda b, _: b.update(data=b"AAAA".hex().upper()), "CIPHER", "3 bytes"),
        ("rtsData", lambda b, _: b.update(data=b"AAAAAAAAAAA=".hex().upper()), "CIPHER", "padding is wrong"),
        ("rtsData", lambda _, i: i.update(tnm="1" * 18), "POINT", "[0-9]{19}"),
        ("rtsData", lambda _, i: i.update(tnm="x" + i["tnm"][1:]), "POINT", "[0-9]{19}"),
        ("rtsData", lambda _, i: i.update(val=27.2), "VALUE", "val 27.2"),
        ("rtsData", lambda _, i: i.update(val="27.2"), "VALUE", "val '27.2'"),
        ("rtsData", lambda _, i: i.update(val=None), "VALUE", "val None"),
        ("rtsData", lambda _, i: i.update(ts="2026-06-21T08:10:34Z"), "TIME", "expected a time as"),
        ("rtsData", lambda _, i: i.update(ts="2126-06-21 08:10:34"), "CLOCK", "in the future"),
        ("rtsData", lambda _, i: i.update(more=1), "ITEMS", "rts[0] has"),
        ("eventsData", lambda _, i: i.update(avx="126.8"), "VALUE", "avx '126.8'"),
        ("eventsData", lambda _, i: i.update(scd=5), "SCD", "expected 0 to 4"),
        ("eventsData", lambda _, i: i.update(scd=True), "SCD", "expected 0 to 4"),
        ("eventsData", lambda _, i: i.update(threshold=None), "THRESHOLD", "expected a number"),
        ("eventsData", lambda _, i: i.update(content=""), "CONTENT", "mandatory since V1.1"),
        ("otherData", lambda _, __: None, "PATH", "expected /rabbitmqfcsb/api/rtsData or"),
    ],
)  # fmt: skip
def test_hebei_refuses_what_is_wrong_with_its_reason(
    hebei: HebeiStandIn, address: str, change: Change, what: str, reason: str
) -> None:
    status, answer = hebei_post(hebei, address, change)
    assert (status, answer["code"]) == (400, 500)
    assert answer["msg"].startswith(what)
    assert reason in answer["msg"]
    assert hebei.summary() == {"received": 0, "duplicates": 0, "refused": {what: 1}}


def test_a_report_for_another_enterprise_is_refused(hebei: HebeiStandIn) -> None:
    assert hebei_post(hebei, "rtsData", qybm="012345678912")[1]["msg"].startswith("ENTERPRISE")
    other = {"rts": [{"tnm": "9" * 19, "ts": TS, "val": "1.00"}]}
    assert "it does not begin with" in hebei_post(hebei, "rtsData", data=other)[1]["msg"]
    assert hebei_post(hebei, "rtsData", data={"rts": []})[1]["msg"].startswith("ITEMS")


def test_platforms_misbehave_as_they_are_told_to(hebei: HebeiStandIn) -> None:
    hebei.mode = Mode.ERROR
    assert hebei_post(hebei, "rtsData")[0] == 500
    hebei.mode = Mode.WRONG_ANSWER
    assert hebei_post(hebei, "rtsData") == (200, {"status": "ok"})
    hebei.mode = Mode.SLOW
    assert hebei_post(hebei, "rtsData")[0] == 200
    hebei.mode = Mode.DUPLICATE
    with pytest.raises(httpx.TransportError):
        hebei_post(hebei, "eventsData")
    assert hebei_post(hebei, "eventsData")[0] == 200
    hebei.mode = Mode.PARTIAL
    hebei.unknown = frozenset({f"{hebei.issued['enterprise']}0101001"})
    assert "POINT: unknown point" in hebei_post(hebei, "rtsData")[1]["msg"]
    assert hebei.summary() == {"received": 2, "duplicates": 1, "refused": {"POINT": 1}}


@pytest.fixture
def steel(tmp_path: Path) -> Iterator[SteelStandIn]:
    platform = SteelStandIn(tmp_path / "steel")
    platform.uses = 2
    platform.start()
    yield platform
    platform.stop()


def steel_sign_in(platform: SteelStandIn, http: httpx.Client, **more: str) -> dict[str, Any]:
    secrets = {"appId": platform.issued["appid"], "appSecret": platform.issued["appsecret"], **more}
    answer: dict[str, Any] = http.post(f"{platform.url}/token", json=secrets).json()
    return answer


def steel_post(
    platform: SteelStandIn, http: httpx.Client, token: str, leaf: str = "data", **changes: Any
) -> dict[str, Any]:
    reading = {"bitNo": "B1", "collectTime": TS, "paramValue": 1.0, "deviceType": "13", "lockState": "已锁"}
    alarm = {"bitNo": "B1", "startTime": TS, "endTime": None, "alarmValue": 2, "message": "超限"}
    item = (reading if leaf == "data" else alarm) | changes
    plain = {"dataId": platform.issued["enterprise"], "collectTime": TS, "datas": [item]}
    key, vector = (base64.b64decode(platform.issued[name]) for name in ("key", "iv"))
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    data = base64.b64encode(encryptor.update(padded(plain, 16)) + encryptor.finalize()).decode()
    body = {"dataId": platform.issued["enterprise"], "data": data}
    url = f"{platform.url}/ironWarn/{leaf}/save"
    answer: dict[str, Any] = http.post(url, json=body, headers={"Authorization": token}).json()
    return answer


def test_steel_takes_reports_with_a_token_until_it_is_used_up(steel: SteelStandIn) -> None:
    with client(steel) as http:
        assert steel_post(steel, http, "")["code"] == 401
        assert steel_sign_in(steel, http, appSecret="wrong")["code"] == 5000
        token = steel_sign_in(steel, http)["data"]
        assert steel_post(steel, http, token)["code"] == 2000
        assert steel_post(steel, http, token, "alarm")["code"] == 2000
        assert steel_post(steel, http, token)["code"] == 401
    assert steel.summary() == {"received": 2, "duplicates": 0, "refused": {"TOKEN": 2, "SECRET": 1}}


@pytest.mark.parametrize(
    ("leaf", "changes", "what"),
    [
        ("data", {"deviceType": "03"}, "DEVICE_TYPE"),
        ("data", {"lockState": "locked"}, "LOCK_STATE"),
        ("data", {"paramValue": "1"}, "VALUE"),
        ("data", {"bitNo": ""}, "POINT"),
        ("data", {"collectTime": "2126-01-01 00:00:00"}, "CLOCK"),
        ("alarm", {"alarmValue": 3}, "ALARM_VALUE"),
        ("alarm", {"message": None}, "MESSAGE"),
        ("alarm", {"endTime": "yesterday"}, "TIME"),
    ],
)
def test_steel_refuses_what_is_wrong_with_its_reason(
    steel: SteelStandIn, leaf: str, changes: dict[str, Any], what: str
) -> None:
    with client(steel) as http:
        answer = steel_post(steel, http, steel_sign_in(steel, http)["data"], leaf, **changes)
    assert answer["code"] == 5000
    assert answer["msg"].startswith(what)


@pytest.mark.parametrize("name", list(STAND_INS))
async def test_the_command_stands_in_for_every_profile(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "gateway_sim", "platform", "--dir", str(tmp_path), "--profile", name]
    process = await asyncio.create_subprocess_exec(*command, "--mode", "error", stdout=PIPE)
    try:
        assert process.stdout is not None
        where = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        if where["url"].startswith("tcp://"):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(where["url"].rpartition(":")[2]))
            writer.write(b"##0000QN=20260621081034001;\r\n")
            assert b"QN=20260621081034001;ST=91;CN=9011;" in await asyncio.wait_for(reader.readline(), 20)
            writer.close()
            return
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=where["ca"]), trust_env=False) as http:
            assert (await http.post(where["url"], json={})).status_code == 500
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


GENERIC_ITEM = {"id": "1", "point": "P", "time": TS, "value": 1.0, "valid": True, "status": "good"}


def generic_post(platform: GenericStandIn, *items: dict[str, Any], secret: str | None = None) -> httpx.Response:
    content = {"kind": "readings", "report": str(items), "enterprise": "e", "items": [*items]}
    body = json.dumps(content).encode()
    key = (secret or platform.issued["appsecret"]).encode()
    headers = {
        "content-type": "application/json",
        "X-App-Id": platform.issued["appid"],
        "X-Signature": hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
    with client(platform) as http:
        return http.post(platform.url, content=body, headers=headers)


def test_the_generic_platform_checks_the_signature_and_names_the_items_it_does_not_take(tmp_path: Path) -> None:
    platform = GenericStandIn(tmp_path, unknown=("Q",))
    platform.start()
    try:
        assert generic_post(platform, GENERIC_ITEM, secret="other").status_code == 401
        assert generic_post(platform, GENERIC_ITEM).json()["success"] is True
        wrong = generic_post(platform, {**GENERIC_ITEM, "value": None}).json()
        assert (wrong["success"], wrong["message"][:6]) == (False, "VALUE:")
        platform.mode = Mode.PARTIAL
        answer = generic_post(platform, {**GENERIC_ITEM, "id": "2"}, {**GENERIC_ITEM, "id": "3", "point": "Q"}).json()
        assert answer["rejected"] == [{"id": "3", "message": "unknown point"}]
    finally:
        platform.stop()
    assert [item["id"] for content in platform.received for item in content["items"]] == ["1", "2"]
    assert platform.refused == {"SIGNATURE": 1, "VALUE": 1}
