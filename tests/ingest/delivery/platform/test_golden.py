"""Every byte of a request is fixed by a file: what a province's platform takes today it takes tomorrow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ingest.delivery.platform.codes import IssuedCodes
from ingest.delivery.platform.mapping import load_mapped
from ingest.delivery.platform.profile import Issued
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.warning import Step, WarningEventKind
from tests.ingest.delivery.outbox import PLANT, alarm_message, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import (
    APPID,
    APPSECRET,
    GOLDEN,
    OLD_MAPPING,
    TIANJIN,
    as_http,
    profile,
    protocol,
    report,
)

MESSAGES: dict[MessageKind, list[Message]] = {
    "alarm": [alarm_message(1), alarm_message(2, AlarmEventKind.ACKNOWLEDGED, point="CW_OUT_T-01")],
    "warning": [warning_message(1), warning_message(2, WarningEventKind.ESCALATED, step=Step.COUNTY)],
    "readings": [readings_message(1), readings_message(2)],
}


@pytest.mark.parametrize("kind", list(MESSAGES))
@pytest.mark.parametrize("old", [False, True], ids=["profile", "mapping"])
def test_the_dust_platform_of_tianjin_gets_the_bytes_it_always_got(kind: MessageKind, *, old: bool) -> None:
    """The files were made by the code before there were profiles; a mapping file of that time gives them, too."""
    form = load_mapped(OLD_MAPPING) if old else profile()
    wrapped = protocol(form).wrap(kind, MESSAGES[kind])
    assert wrapped.post is not None
    assert as_http(wrapped.post) == (GOLDEN / f"{TIANJIN}.{kind}.http").read_bytes()
    assert wrapped.left_out == {}


NIST_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
HEBEI = "hebei-dust-v1.1"
HEBEI_CODES = IssuedCodes(
    {
        PLANT.id: {
            "enterprise": "012345678912",
            "gateway": "01234567891201",
            "points": {f"D-{at}": f"012345678912010{at}001" for at in (1, 2, 6)},
        }
    }
)


def hebei(kind: MessageKind, messages: Sequence[Message]) -> bytes:
    sender = protocol(profile(HEBEI), HEBEI_CODES, Issued(key=b"ab23dcef", vector=b"12345678"))
    post = sender.wrap(kind, messages).post
    assert post is not None
    return as_http(post)


def reading(point: str, value: float | None, *, valid: bool = True) -> dict[str, Any]:
    return {"point": point, "signal": "DUST_DP", "gateway": "gw", "time": "2026-06-21T00:10:34Z", "value": value,
            "valid": valid, "status": "good"}  # fmt: skip


def test_the_dust_platform_of_hebei_gets_the_published_readings_to_the_byte() -> None:
    """The file is the example of 1052666/1052-OS (docs/dust-explosion-nodered-v1.1-guide.md), sealed by `openssl enc`.

    Key and vector are those printed there. What is invalid has no field there, and is left out.
    """
    message = readings_message(1)
    rows = [reading("D-1", 27.2), reading("D-2", 50.54), reading("D-6", 7777.0, valid=False), reading("D-6", None)]
    message = replace(message, body={**message.body, "readings": rows})
    assert hebei("readings", [message]) == (GOLDEN / f"{HEBEI}.readings.http").read_bytes()


def hebei_alarm(kind: AlarmEventKind = AlarmEventKind.RAISED, **more: Any) -> Message:
    message = alarm_message(1, kind)
    title = {"zh": "粉尘浓度超上上限报警，请立即联锁除尘并检查清扫", "en": "dust"}
    alarm = {
        **message.body["alarm"],
        "point": "D-6",
        "rule": "HH",
        "value": 126.8,
        "limit": 100.0,
        "title": title,
        **more,
    }
    return replace(message, body={**message.body, "time": "2026-06-21T00:10:35Z", "alarm": alarm})


def test_the_dust_platform_of_hebei_gets_the_published_alarm_to_the_byte() -> None:
    """The same source; the limit is written 100 there and 100.0 here, which is the same number in JSON."""
    assert hebei("alarm", [hebei_alarm()]) == (GOLDEN / f"{HEBEI}.alarm.http").read_bytes()


@pytest.mark.parametrize(
    ("kind", "more", "scd"),
    [
        (AlarmEventKind.RETURNED, {}, 0),
        (AlarmEventKind.RESET, {}, 0),
        (AlarmEventKind.RAISED, {"rule": "H"}, 3),
        (AlarmEventKind.RAISED, {"rule": "L"}, 2),
        (AlarmEventKind.RAISED, {"rule": "LL"}, 1),
        (AlarmEventKind.RAISED, {"rule": "ON", "level": 1}, 3),
        (AlarmEventKind.RAISED, {"rule": "COUNT", "level": 2}, 4),
        (AlarmEventKind.RAISED, {"rule": "STUCK"}, None),
        (AlarmEventKind.LATCHED, {}, None),
        (AlarmEventKind.ACKNOWLEDGED, {}, None),
        (AlarmEventKind.RAISED, {"value": None}, None),
    ],
)
def test_hebei_has_one_code_for_alarm_and_clear(kind: AlarmEventKind, more: dict[str, Any], scd: int | None) -> None:
    """A latched alarm is cleared when it is reset; a fault of an instrument is no alarm of a detector."""
    content = report(profile(HEBEI), "alarm", [hebei_alarm(kind, **more)], HEBEI_CODES)
    assert content is None if scd is None else content["data"]["events"][0]["scd"] == scd


STEEL = "steel-module"
STEEL_CODES = IssuedCodes(
    {PLANT.id: {"enterprise": "GT3210840001", "points": {point: f"BIT-{point}" for point in ("P", "I", "C", "T")}}}
)


def test_the_steel_module_gets_device_types_and_the_state_of_each_interlock() -> None:
    """The file: this plaintext, sealed by `openssl enc -aes-256-cbc` under the key of NIST SP 800-38A, F.2.5.

    Enterprise id, device types and words of states are those of xuyuting1213/data_show; the rest is our default.
    """
    message = readings_message(1)
    rows = [
        {**reading("P", 185.5), "signal": "STL_BF_TOP_P"},
        {**reading("I", 1.0), "signal": "STL_BF_RELIEF_INTLK"},
        {**reading("C", 12.0), "signal": "STL_CO"},
        {**reading("T", 40.0), "signal": "STL_CW_OUT_T"},
        {**reading("C", 9988.0, valid=False), "signal": "STL_CO"},
    ]
    message = replace(message, body={**message.body, "readings": rows})
    issued = Issued(APPID, APPSECRET, bytes.fromhex(NIST_256), bytes(range(16)))
    post = protocol(profile(STEEL), STEEL_CODES, issued).wrap("readings", [message]).post
    assert post is not None
    assert as_http(post) == (GOLDEN / f"{STEEL}.readings.http").read_bytes()
    at = {"collectTime": "2026-06-21 08:10:34"}
    assert report(profile(STEEL), "readings", [message], STEEL_CODES) == {
        "dataId": "GT3210840001",
        "collectTime": "2025-11-23 16:00:01",
        "isConnectDataSource": True,
        "datas": [
            {"bitNo": "BIT-P", **at, "paramValue": 185.5, "deviceType": "01"},
            {"bitNo": "BIT-I", **at, "paramValue": 1.0, "deviceType": "01", "lockState": "未锁"},
            {"bitNo": "BIT-C", **at, "paramValue": 12.0, "deviceType": "13"},
            {"bitNo": "BIT-T", **at, "paramValue": 40.0},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(("rule", "number"), [("LL", -2), ("L", -1), ("H", 1), ("HH", 2), ("STUCK", 0)])
def test_the_steel_module_numbers_the_four_limits(rule: str, number: int) -> None:
    alarm = hebei_alarm(rule=rule, point="P")
    (item,) = report(profile(STEEL), "alarm", [alarm], STEEL_CODES)["datas"]
    assert (item["alarmValue"], item["status"], item["bitNo"]) == (number, 0, "BIT-P")


def test_the_generic_form_is_signed_over_the_very_bytes_of_its_body() -> None:
    """The file bears the signature that `openssl dgst -sha256 -hmac` makes of its body."""
    post = protocol(profile("generic-json")).wrap("alarm", [alarm_message(1)]).post
    assert post is not None
    assert as_http(post) == (GOLDEN / "generic-json.alarm.http").read_bytes()
    assert json.loads(post.body) == report(profile("generic-json"), "alarm", [alarm_message(1)])
