"""The connector does as a profile says: what it needs, how often, where to, and what of a report was not taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.delivery.config import ConnectorsConfig
from ingest.delivery.connector import Outcome
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.platform.opening import open_platform
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.fault import InvalidConfig
from tests.ingest.delivery.outbox import PLANT, START, alarm_message, early_warning, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import APPID, APPSECRET, KEY
from tests.ingest.delivery.platform.test_profile_files import COUNTY, variant
from tests.ingest.delivery.receiver import Receiver, Reply, Request


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPSECRET", APPSECRET)
    monkeypatch.setenv("PLATFORM_KEY", KEY)


@pytest.fixture
def platform() -> Iterator[Receiver]:
    with Receiver(lambda _: YES) as started:
        yield started


YES = Reply(200, body=b'{"result": {"state": true}}')


def settings(folder: Path, url: str = "https://p.example/api", **more: Any) -> dict[str, Any]:
    codes = folder / "codes.toml"
    points = ", ".join(f'"{point}" = "12340{at}"' for at, point in enumerate(("CW_IN_P-01", "A", "B"), start=1))
    codes.write_text(f'["{PLANT.id}"]\nenterprise = "1234"\npoints = {{ {points} }}\n', encoding="utf-8")
    return {
        "url": url, "profile": str(COUNTY), "codes": str(codes), "appid": APPID, "appsecret": {"env": "APPSECRET"},
        "key": {"env": "PLATFORM_KEY"}, "interval_s": 30, **more,
    }  # fmt: skip


def config(folder: Path, **more: Any) -> PlatformConfig:
    return PlatformConfig.model_validate(settings(folder, **more))


def faults(config: PlatformConfig) -> Mapping[str, str]:
    with pytest.raises(InvalidConfig) as caught:
        open_platform(config, lambda: START)
    return {fault.key.removeprefix("connectors.platform."): str(fault.expected.en) for fault in caught.value.faults}


async def test_a_profile_says_which_secrets_it_needs_and_all_that_are_missing_are_named_at_once(tmp_path: Path) -> None:
    """It needs no initialisation vector: the protocol fixes it."""
    opened = open_platform(config(tmp_path), lambda: START)
    await opened.close()
    bare = config(tmp_path, appid=None, appsecret=None, key=None, codes=None)
    assert [*faults(bare)] == ["appid", "appsecret", "key", "codes"]
    assert [*faults(PlatformConfig(url="https://p.example/api"))] == ["appid", "appsecret", "key", "iv"]


@pytest.mark.parametrize("interval_s", [5, 31, 301])
def test_readings_go_as_often_as_the_profile_asks_or_the_settings_are_refused(tmp_path: Path, interval_s: int) -> None:
    """At most every 10 s, and within 30 s in an alarm: which may be any time."""
    wrong = faults(config(tmp_path, interval_s=interval_s))
    assert wrong == {"interval_s": "10 to 30 s, the period of county"}


def test_a_mapping_belongs_to_the_default_profile_alone(tmp_path: Path) -> None:
    assert faults(config(tmp_path, mapping="x.toml"))["mapping"].startswith("none: a mapping is for tianjin-dust-sm4")


def test_what_a_profile_has_no_form_for_is_not_put_into_the_outbox(tmp_path: Path) -> None:
    """Nor what happens in plants that are not this platform's; a profile that cannot be read gets all, to wait."""

    def asked(**more: Any) -> list[bool]:
        connectors = ConnectorsConfig.model_validate({"platform": settings(tmp_path, **more)})
        of_plant = [bool(connectors.recipients("alarm", plant, 1)) for plant in (PLANT.id, "other")]
        return [*of_plant, bool(connectors.recipients("readings", PLANT.id)), bool(connectors.warned(early_warning()))]

    assert asked() == [True, True, True, False]
    assert asked(plants=[PLANT.id]) == [True, False, True, False]
    assert asked(profile=str(tmp_path / "none.toml")) == [True, True, True, True]


async def test_what_is_passed_over_is_counted_and_keeps_nothing_waiting(tmp_path: Path, platform: Receiver) -> None:
    connector = open_platform(config(tmp_path, url=platform.url), lambda: START)
    shelved = [alarm_message(1, AlarmEventKind.SHELVED), alarm_message(2, AlarmEventKind.COMMENTED)]
    with capture_logs() as logs:
        assert await connector.deliver(shelved) == [Outcome(1), Outcome(2)]
        assert await connector.deliver([warning_message(3)]) == [Outcome(3)]
    await connector.close()
    assert platform.requests == []
    counted = [(log["kind"], log["reason"], log["items"]) for log in logs if log["event"] == "not_reported"]
    assert counted == [("alarm", "event not taken", 2), ("warning", "kind not taken", 1)]


async def test_a_point_that_readings_leave_out_for_want_of_a_code_is_told_once_and_counted_each_time(
    tmp_path: Path, platform: Receiver
) -> None:
    body = readings_message(1).body
    first = body["readings"][0]
    both = replace(readings_message(1), body={**body, "readings": [first, {**first, "point": "CAST_LEN-01"}]})
    connector = open_platform(config(tmp_path, url=platform.url), lambda: START)
    platform.answer = lambda _: YES
    with capture_logs() as logs:
        for seq in (1, 2):
            assert await connector.deliver([replace(both, seq=seq)]) == [Outcome(seq)]
    await connector.close()
    named = [(log["points"], log["first"]) for log in logs if log["event"] == "points_uncoded"]
    assert named == [(1, f"{PLANT.id} CAST_LEN-01")]
    counted = [(log["reason"], log["items"]) for log in logs if log["event"] == "not_reported"]
    assert counted == [("not in the file of codes", 1)] * 2


async def test_reports_go_to_the_path_of_their_kind_and_no_more_messages_together_than_the_profile_lets(
    tmp_path: Path, platform: Receiver
) -> None:
    connector = open_platform(config(tmp_path, url=platform.url), lambda: START)
    messages = [alarm_message(seq, point=point) for seq, point in enumerate(("CW_IN_P-01", "A", "B"), start=1)]
    assert await connector.deliver(messages) == [Outcome(1), Outcome(2), Outcome(3)]
    await connector.close()
    assert [request.path for request in platform.requests] == ["/hook/alarms"] * 2


async def test_one_item_that_is_refused_by_name_is_tried_alone_and_the_others_are_delivered(
    tmp_path: Path, platform: Receiver
) -> None:
    good, bad = alarm_message(1), alarm_message(2, point="A")

    def partly(_: Request) -> Reply:
        refused = [{"n": str(bad.id), "why": "未知测点"}]
        return Reply(200, body=json.dumps({"result": {"state": True, "bad": refused}}).encode())

    platform.answer = partly
    connector = open_platform(config(tmp_path, url=platform.url), lambda: START)
    assert await connector.deliver([good, bad]) == [
        Outcome(1),
        Outcome(2, "the platform refused it: 未知测点", rejected=True),
    ]
    platform.answer = lambda _: YES
    assert sorted(o.seq for o in await connector.deliver([bad, alarm_message(3, point="B")])) == [2, 3]
    await connector.close()
    assert len(platform.requests) == 3


@pytest.mark.parametrize(
    ("answer", "together"), [("busy", True), ("unknown sender", True), ("dislike", False)], ids=["later", "fatal", "no"]
)
async def test_only_a_report_that_is_disliked_is_sent_in_parts(
    tmp_path: Path, platform: Receiver, answer: str, *, together: bool
) -> None:
    """Where the platform is busy, or the secrets are wrong, parts would fare no better and be more."""
    platform.answer = lambda _: Reply(200, body=json.dumps({"result": {"state": answer}}).encode())
    connector = open_platform(config(tmp_path, url=platform.url), lambda: START)
    messages = [alarm_message(1), alarm_message(2, point="A")]
    for _ in range(2):
        assert all(outcome.error for outcome in await connector.deliver(messages))
    await connector.close()
    assert len(platform.requests) == (2 if together else 3)


def test_a_file_of_ones_own_is_a_profile(tmp_path: Path) -> None:
    own = variant(tmp_path, ('name = "county"', 'name = "own"'))
    assert faults(config(tmp_path, profile=own, interval_s=1)) == {"interval_s": "10 to 30 s, the period of own"}
