from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.delivery.channels.config import WeComConfig
from ingest.delivery.config import ConnectorsConfig, open_connectors
from ingest.delivery.webhook.config import WebhookConfig
from ingest.domain.model.fault import InvalidConfig, faults_of
from ingest.domain.model.notice import Matter
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.warning import Colour, Step
from tests.ingest.delivery.outbox import early_warning

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def hook(name: str = "inspector", url: str = "https://inspector.example/hook", **more: Any) -> dict[str, Any]:
    return {"name": name, "url": url, "secret": {"env": "HOOK_SECRET"}, **more}


PLATFORM: dict[str, Any] = {
    "url": "https://platform.example/api",
    "appid": "app-1",
    "appsecret": {"env": "APPSECRET"},
    "key": {"env": "SM4_KEY"},
    "iv": {"env": "SM4_IV"},
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setenv("APPSECRET", "issued-appsecret")
    monkeypatch.setenv("SM4_KEY", "0123456789abcdeffedcba9876543210")
    monkeypatch.setenv("SM4_IV", "00" * 16)


def read(webhooks: list[dict[str, Any]], platform: dict[str, Any] | None = None) -> ConnectorsConfig:
    return ConnectorsConfig.model_validate({"webhooks": webhooks, "platform": platform})


@pytest.mark.parametrize(
    "url",
    [
        "https://inspector.example/hook",
        "https://10.1.2.3:8443/hook?tenant=3",
        "http://127.0.0.1:8080/hook",
        "http://localhost/hook",
        "http://[::1]:8080/hook",
    ],
)
def test_https_is_taken_anywhere_and_http_on_this_machine(url: str) -> None:
    assert read([hook(url=url)]).webhooks[0].url == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://inspector.example/hook", "https (plain http is for this machine only)"),
        ("http://127.0.0.1.example/hook", "https (plain http is for this machine only)"),
        ("http://2130706433/hook", "https (plain http is for this machine only)"),
        ("https://user:hunter2@inspector.example/hook", "a URL without user name or password"),
        ("https://hunter2@inspector.example/hook", "a URL without user name or password"),
        ("https://inspector.example/hook?access_token=hunter2", "a URL without credentials in its query"),
        ("https://inspector.example/hook?KEY=hunter2", "a URL without credentials in its query"),
        ("https://inspector.example/hook#hunter2", "a URL without a fragment"),
        ("ftp://inspector.example/hunter2", "a URL such as https://host:8443/path"),
        ("https:///hunter2", "a URL such as https://host:8443/path"),
        ("https://[hunter2/", "a URL such as https://host:8443/path"),
        ("https://inspector.example:hunter2/", "a URL such as https://host:8443/path"),
        ("inspector.example/hunter2", "a URL such as https://host:8443/path"),
    ],
)
def test_an_unsafe_address_is_refused_and_its_secrets_not_shown(url: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read([hook(url=url)])
    (fault,) = faults_of(Path("settings.toml"), caught.value, ConnectorsConfig)
    assert (fault.key, fault.expected.en) == ("webhooks.0.url", expected)
    assert "hunter2" not in str(fault)


def test_plain_http_to_another_machine_must_be_allowed_by_name() -> None:
    assert read([hook(url="http://10.1.2.3/hook", allow_http=True)]).webhooks[0].url == "http://10.1.2.3/hook"


def test_the_platform_has_no_plain_http_beyond_this_machine() -> None:
    with pytest.raises(ValidationError, match="plain http is for this machine only"):
        read([], {**PLATFORM, "url": "http://platform.example/api"})


@pytest.mark.parametrize(
    ("webhooks", "platform"), [([hook("a"), hook("a")], None), ([hook("platform")], PLATFORM)], ids=["webhooks", "both"]
)
def test_no_two_connectors_share_a_name(webhooks: list[dict[str, Any]], platform: dict[str, Any] | None) -> None:
    with pytest.raises(ValidationError, match="a name that no other connector has"):
        read(webhooks, platform)


def test_a_receiver_gets_the_plants_and_levels_of_its_settings() -> None:
    config = read([hook("all"), hook("one-plant", plants=["p1"]), hook("urgent", levels=[2])], PLATFORM)
    assert config.recipients("alarm", "p1", 2) == ("all", "one-plant", "urgent", "platform")
    assert config.recipients("alarm", "p1", 1) == ("all", "one-plant", "platform")
    assert config.recipients("alarm", "p2", 2) == ("all", "urgent", "platform")
    assert config.recipients("readings", "p1") == ("platform",)
    assert read([hook("all")]).recipients("readings", "p1") == ()


def test_a_receiver_is_reminded_of_what_it_asks_for_and_the_province_of_nothing() -> None:
    """An upgrade sends nobody a kind of message that they do not know."""
    config = read(
        [hook("silent"), hook("checks", notices=["check-due"]), hook("all", notices=list(Matter), plants=["p1"])],
        PLATFORM,
    )
    assert config.notified("p1", Matter.CHECK_DUE) == ("checks", "all")
    assert config.notified("p1", Matter.WORK_NOT_CLOSED) == ("all",)
    assert config.notified("p2", Matter.CHECK_DUE) == ("checks",)


def test_the_province_hears_nothing_of_the_service_itself_and_inspectors_of_all_plants_do() -> None:
    """It is no enterprise, and a full disk no hazard to report; receivers of everything must get it."""
    config = read([hook("all"), hook("one-plant", plants=["p1"])], PLATFORM)
    assert config.recipients("alarm", SERVICE, 2) == ("all",)
    assert config.recipients("readings", SERVICE) == ()


def test_a_receiver_hears_of_warnings_from_its_step_and_colour_on() -> None:
    """A higher tier is notified once the warning has come to it; where nobody is assigned, everyone is."""
    config = read([hook("all"), hook("county", steps=["county"]), hook("grave", colours=["red"])], PLATFORM)
    raised = replace(early_warning(), colour=Colour.ORANGE, peak=Colour.ORANGE)
    assert config.warned(raised) == ("all", "platform")
    assert config.warned(replace(raised, step=Step.COUNTY)) == ("all", "county", "platform")
    assert config.warned(replace(raised, step=Step.CITY)) == ("all", "county", "platform")
    assert config.warned(replace(raised, colour=Colour.BLUE, peak=Colour.RED)) == ("all", "grave", "platform")
    assert config.warned(replace(raised, who=())) == ("all", "county", "platform")
    assert read([hook("elsewhere", plants=["p2"])]).warned(raised) == ()


async def test_open_connectors_bear_the_names_of_the_settings(secrets: None) -> None:
    config = read([hook("a"), hook("b")], PLATFORM)
    connectors = open_connectors(config)
    assert tuple(connector.name for connector in connectors) == config.names() == ("a", "b", "platform")
    for connector in connectors:
        await connector.close()


def test_secrets_that_cannot_be_used_are_named_by_place_and_never_shown(
    secrets: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "short").write_text("hunter2\n")
    (tmp_path / "ca.pem").write_text("no certificate")
    monkeypatch.delenv("HOOK_SECRET")
    monkeypatch.setenv("SM4_KEY", "hunter2")
    webhooks = [
        hook("missing"),
        hook("short", secret={"file": str(tmp_path / "short")}),
        hook("gone", secret={"file": str(tmp_path / "gone")}),
    ]
    with pytest.raises(InvalidConfig) as caught:
        open_connectors(read(webhooks, PLATFORM))
    assert [(fault.file, fault.key, fault.value) for fault in caught.value.faults] == [
        ("environment variable HOOK_SECRET", "connectors.webhooks.missing.secret", "(missing)"),
        (str(tmp_path / "short"), "connectors.webhooks.short.secret", "(hidden)"),
        (str(tmp_path / "gone"), "connectors.webhooks.gone.secret", "(missing)"),
        ("environment variable SM4_KEY", "connectors.platform.key", "(hidden)"),
    ]
    assert "hunter2" not in str(caught.value)


def test_every_secret_and_file_of_a_connector_that_cannot_be_used_is_named_at_once() -> None:
    with pytest.raises(InvalidConfig) as caught:
        open_connectors(
            read([hook(ca_file="nowhere.pem")], PLATFORM | {"mapping": "nowhere", "ca_file": "nowhere.pem"})
        )
    assert [fault.key for fault in caught.value.faults] == [
        *(f"connectors.webhooks.inspector.{key}" for key in ("secret", "ca_file")),
        "platform.mapping",
        *(f"connectors.platform.{key}" for key in ("key", "iv", "appsecret", "ca_file")),
    ]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_a_fault(secrets: None, tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(InvalidConfig, match="PEM certificates") as caught:
        open_connectors(read([hook(ca_file=str(ca_file))]))
    assert caught.value.faults[0].key == "connectors.webhooks.inspector.ca_file"


def test_an_appsecret_that_cannot_stand_in_a_header_is_refused(secrets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPSECRET", "秘密hunter2")
    with pytest.raises(InvalidConfig, match="printable ASCII") as caught:
        open_connectors(read([], PLATFORM))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "good"),
    [
        ({"kinds": ["alarm"], "events": ["escalated", "reminded"]}, False),
        ({"kinds": ["warning"], "events": ["returned"]}, False),
        ({"kinds": [], "events": ["given", "raised"]}, False),
        ({"kinds": [], "events": ["given"], "notices": ["check-due"]}, True),
        ({"kinds": ["alarm"], "events": ["escalated", "raised"]}, True),
        ({"kinds": [], "events": []}, True),  # of calls alone
        ({"events": ["escalated"]}, True),
    ],
)
def test_a_choice_by_which_nothing_would_ever_be_sent_is_a_fault(chosen: dict[str, Any], good: bool) -> None:
    token = {"env": "HOOK_SECRET"}
    receivers: list[tuple[type[WebhookConfig | WeComConfig], dict[str, Any]]]
    receivers = [(WebhookConfig, {"secret": token}), (WeComConfig, {"token": token})]
    for receiver, more in receivers:
        given = {"name": "a", "url": "https://example.cn", **more, **chosen}
        if good:
            receiver.model_validate(given)
            continue
        with pytest.raises(ValidationError, match="at least one event that kinds or notices have"):
            receiver.model_validate(given)


def test_a_reserve_is_a_part_of_the_posts() -> None:
    given = {"name": "a", "token": {"env": "HOOK_SECRET"}}
    assert WeComConfig.model_validate(given | {"posts_a_minute": 2}).posts_a_minute == 2, "the default gives way"
    with pytest.raises(ValidationError, match="less than posts_a_minute"):
        WeComConfig.model_validate(given | {"reserve": 20})
