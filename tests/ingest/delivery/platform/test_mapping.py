from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.delivery.errors import Unmappable
from ingest.delivery.platform.mapping import load_mapped
from ingest.delivery.platform.paths import PATHS
from ingest.domain.alarms.report import readings_body
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.flags import Flag
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.warning import Colour, Step, WarningEventKind
from tests.ingest.delivery.outbox import PLANT, START, alarm_message, outbox_point, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import GOLDEN, OLD_MAPPING, changed_copy, profile, report

SECOND = 1_000_000_000


def variant(folder: Path, *changes: tuple[str, str]) -> Path:
    return changed_copy(OLD_MAPPING, folder / "province.toml", *changes)


@pytest.mark.parametrize(
    ("name", "kind", "messages"),
    [
        (
            "alarm.default.json",
            "alarm",
            [alarm_message(1), alarm_message(2, AlarmEventKind.ACKNOWLEDGED, point="CW_OUT_T-01")],
        ),
        (
            "warning.default.json",
            "warning",
            [warning_message(1), warning_message(2, WarningEventKind.ESCALATED, step=Step.COUNTY)],
        ),
        ("readings.default.json", "readings", [readings_message(1), readings_message(2)]),
    ],
)
def test_the_default_profile_gives_exactly_this_report(name: str, kind: MessageKind, messages: list[Message]) -> None:
    for form in (profile(), load_mapped(OLD_MAPPING)):
        made = report(form, kind, messages)
        assert made == json.loads((GOLDEN / name).read_text(encoding="utf-8"))
        assert list(made)[-1] == "datas"


def test_a_batch_keeps_its_id_when_it_is_sent_again() -> None:
    form, message, two = profile(), alarm_message(1), alarm_message(2, point="OTHER")
    first = report(form, "alarm", [message, two])
    again = report(form, "alarm", [replace(message, attempts=7), two])
    assert first == again
    assert report(form, "alarm", [message])["dataId"] != first["dataId"]


@pytest.mark.parametrize(("kind", "part"), list(PATHS))
def test_a_mapping_may_name_exactly_what_our_reports_hold(kind: MessageKind, part: str) -> None:
    """The list of source paths and the bodies our reports make cannot drift apart; lists cannot be named."""
    made = {
        "alarm": alarm_message(1),
        "warning": warning_message(1, WarningEventKind.FEEDBACK),
        "readings": readings_message(1),
    }
    body = dict(made[kind].body)
    if part == "head":
        link = ("connected", "continued") if kind == "readings" else ()
        held = {"enterprise": body["enterprise"], "batch": dict.fromkeys(("id", "count", "time", *link))}
    elif kind != "readings":
        held = {**body, "message": {"id": ""}}
    else:
        held = {**body["readings"][0], "enterprise": body["enterprise"], "message": {"id": ""}}
    assert PATHS[kind, part] == set(leaves(held))


def test_a_warning_that_is_over_has_no_level() -> None:
    """Every colour has its code, and none where nothing is called for any more."""
    for colour, level in (*zip(reversed(Colour), (1, 2, 3, 4), strict=True), (None, None)):
        (item,) = report(profile(), "warning", [warning_message(1, colour=colour)])["datas"]
        assert item["warnLevel"] == level


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, list):
            continue
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_a_plant_that_was_removed_still_reports_its_alarm() -> None:
    message = alarm_message(1)
    orphan = replace(message, body={**message.body, "enterprise": None})
    assert report(profile(), "alarm", [orphan])["enterpriseId"] is None


def test_a_province_has_its_own_names_codes_and_times(tmp_path: Path) -> None:
    file = variant(
        tmp_path,
        ('items = "datas"', 'items = "BJLB"'),
        ('eventType = "event"', 'BJZT = { path = "event", values = { raised = 1, returned = 0 } }'),
        (
            'eventTime = { path = "time", time = "%Y-%m-%d %H:%M:%S" }',
            'BJSJ = { path = "time", time = "%Y%m%d%H%M%S" }',
        ),
        ('isValid = "valid"', 'isValid = { path = "valid", values = { true = "1", false = "0" } }'),
    )
    form = load_mapped(file)
    (item,) = report(form, "alarm", [alarm_message(1)])["BJLB"]
    assert (item["BJZT"], item["BJSJ"]) == (1, "20251123160000")
    items = report(form, "readings", [readings_message(1)])["datas"]
    assert [item["isValid"] for item in items] == ["1", "0"]
    with pytest.raises(Unmappable, match="no code for event = acknowledged"):
        report(form, "alarm", [alarm_message(1, AlarmEventKind.ACKNOWLEDGED)])


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('"alarm.rule"', '"alarm.rul"', "alarm.item.ruleCode", "one of alarm.acknowledged"),
        ('"alarm.rule"', '"alarm"', "alarm.item.ruleCode", "one of alarm.acknowledged"),
        ('"batch.id"', '"message.id"', "alarm.head.dataId", "one of batch.count"),
        ('"gateway"', '"alarm.id"', "readings.item.gatewayId", "one of enterprise.id"),
        ('path = "alarm.raised"', 'path = "alarm.level"', "alarm.item.raisedTime", "a time, one of alarm.acknowledged"),
        ('"alarm.rule"', "{}", "alarm.item.ruleCode", "either a path or a const"),
        ('"alarm.rule"', '{ path = "event", const = 1 }', "alarm.item.ruleCode", "either a path or a const"),
        ('"alarm.rule"', '{ const = 1, time = "%Y" }', "alarm.item.ruleCode", "a path with at most one"),
        ('"alarm.rule"', '{ pth = "event" }', "alarm.item.ruleCode.pth", ""),
        ('items = "datas"', 'items = "dataId"', "alarm", "a head without 'dataId'"),
        ('hex = "upper"', 'hex = "base64"', "envelope.hex", "'upper' or 'lower'"),
        ("[answer]", "[reply]", "answer", "a table with "),
        ("[answer]", "[answer", "(file)", "TOML: "),
    ],
)  # fmt: skip
def test_a_fault_in_a_mapping_is_named_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, expected: str
) -> None:
    file = variant(tmp_path, (old, new))
    with pytest.raises(InvalidConfig) as caught:
        load_mapped(file)
    fault = caught.value.faults[0]
    assert (fault.file, fault.key) == (str(file), key)
    assert fault.expected.en.startswith(expected)


def test_every_unknown_path_is_named_at_once(tmp_path: Path) -> None:
    file = variant(tmp_path, ('"alarm.rule"', '"x"'), ('"alarm.unit"', '"y"'), ('"gateway"', '"z"'))
    with pytest.raises(InvalidConfig) as caught:
        load_mapped(file)
    assert [fault.value for fault in caught.value.faults] == ["'x'", "'y'", "'z'"]


def test_a_mapping_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="No such file"):
        load_mapped(tmp_path / "none.toml")


def test_a_name_with_a_dot_is_refused_in_a_mapping(tmp_path: Path) -> None:
    """It was a name like any other there; in a profile it makes an object within the object."""
    with pytest.raises(InvalidConfig, match=r"alarm\.eventId\.x = 'eventId\.x': expected a name without '\.'"):
        load_mapped(variant(tmp_path, ("eventId =", '"eventId.x" =')))


@pytest.mark.parametrize(
    ("ages", "flags", "connected"),
    [
        ((1, 1), (0, 0), True),
        ((1, 61), (0, 0), False),  # one of two gateways has gone silent
        ((1, 1), (0, Flag.BAD), False),
        ((1, 1), (Flag.UNCERTAIN, Flag.OUT_OF_RANGE), True),
        ((1,), (0,), False),  # the other was never heard
    ],
)
def test_a_report_tells_the_truth_about_the_link_to_the_instruments(
    ages: tuple[int, ...], flags: tuple[int, ...], *, connected: bool
) -> None:
    points = tuple(replace(outbox_point(at, f"P-{at}", "ALC_CW_IN_P", "MPa"), gateway=f"gw-{at}") for at in (0, 1))
    latest = [(points[at], START - age * SECOND, 0.3, flags[at]) for at, age in enumerate(ages)]
    body = readings_body(replace(PLANT, points=points), START, latest)
    made = report(profile(), "readings", [replace(readings_message(1), body=body)])
    assert (made["isConnectDataSource"], made["reportType"]) == (connected, "report")
