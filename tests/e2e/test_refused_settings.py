"""A fault in the settings or a file they name hides no plant: that part is off or as it was, and reported."""

from __future__ import annotations

import socket
from importlib import resources
from pathlib import Path

import httpx

from tests.e2e.service import Service
from tests.servers import HTTP, mosquitto
from tests.small_plant import PLANT

MORE = """
[[api.tokens]]
name = "visitor"
role = "operator"
token = { file = "visitor" }
[[connectors.webhooks]]
name = "phone"
url = "https://127.0.0.1:9/alarms"
secret = { file = "phone" }
[[api.tokens]]
name = "guest"
role = "operator"
token = { file = "guest" }
[warnings]
rules = "rules.toml"
[[warnings.duty]]
name = "南安"
step = "county"
[journal]
retention_h = 30
"""
RULES = (resources.files("ingest.domain.warnings") / "rules.toml").read_text(encoding="utf-8")
TYPOS = {
    'name = "guest"\nrole = "operator"': 'name = "guest"\nrole = "wizard"',
    'step = "county"': 'step = "contry"',
    "[mqtt]\nhost": "[mqtt]\nhots",
    "retention_h = 30": 'retention_h = "30',
}
GOOD = {
    "guest": "a guest's token, long enough",
    "visitor": "a visitor's token, long enough",
    "phone": "whsec_" + "QUJDREVGR0g" * 4,
    "rules.toml": RULES,
}
BAD = {"visitor": "short", "phone": "no secret", "rules.toml": "version = "}


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def ready(service: Service) -> httpx.Response:
    return HTTP.get(f"{service.url}/health/ready", headers=service.headers)


def settings_are(service: Service) -> str:
    """The faults of the settings; the service as a whole is not ready while nobody takes its webhooks."""
    state: str = ready(service).json()["parts"]["settings"]
    return state


def asked(service: Service, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return HTTP.get(f"{service.url}/api/v1/plants", headers=headers).status_code


def test_a_restart_with_parts_of_the_settings_broken_watches_every_plant(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with mosquitto(tmp_path) as broker, Service(tmp_path, broker, MORE) as service:
        service.until(lambda: settings_are(service) == "ok", "the service to be ready")
        assert asked(service, GOOD["visitor"]) == 200
        write(tmp_path, BAD)
        good = bad = service.config.read_text(encoding="utf-8")
        for right, wrong in TYPOS.items():
            assert right in bad
            bad = bad.replace(right, wrong)
        service.config.write_text(bad, encoding="utf-8")
        assert service.stop() == 0
        service.start()
        assert PLANT in {plant["id"] for plant in service.get("/api/v1/plants")}
        service.until(lambda: ready(service).json()["parts"]["broker"] == "ok", "the broker, where it was")
        words = settings_are(service)
        assert ready(service).status_code == 503
        assert words.startswith("7 faults")
        assert "phone" not in words
        assert {asked(service, token) for token in (GOOD["visitor"], BAD["visitor"], GOOD["guest"])} == {401}
        service.until(
            lambda: any(
                (alarm["plant"], alarm["point"]) == ("service", "SETTINGS")
                for alarm in service.get("/api/v1/alarms")["alarms"]
            ),
            "the alarm of the service",
        )
        metrics = HTTP.get(f"{service.url}/metrics", headers=service.headers).text
        assert "yujing_settings_refused 7.0" in metrics
        refused = {event["key"] for event in service.log() if event["event"] == "setting_refused"}
        assert refused == {
            "api.tokens.visitor.token", "connectors.webhooks.phone.secret", "(file)", "api.tokens.guest.role",
            "warnings.duty.南安.step", "mqtt.hots", "journal",
        }  # fmt: skip
        held = {event["table"] for event in service.log() if event["event"] == "settings_held"}
        assert held == {"journal", "mqtt"}
        write(tmp_path, GOOD)
        service.config.write_text(good, encoding="utf-8")
        assert service.stop() == 0
        service.start()
        service.until(lambda: settings_are(service) == "ok", "the mended settings to be in use")
        assert asked(service, GOOD["visitor"]) == 200
        service.until(lambda: stepped(service, "returned", 0), "the alarm to return: what stands is not raised again")
        assert service.stop() == 0
        begun = len(service.log())
        history = tmp_path / "data" / "history.duckdb"
        kept = history.read_bytes()
        history.write_bytes(b"no database " * 1000)
        with socket.create_server(("127.0.0.1", service.port)):  # its console's address is somebody else's
            service.begin()
            service.until(
                lambda: stepped(service, "raised", begun), "the alarm of a service that watches and has no console"
            )
        service.until(service.answers, "the console, once its address is free")
        service.until(lambda: "history.duckdb" in ready(service).json()["parts"]["history"], "the history to be missed")
        history.write_bytes(kept)
        service.until(lambda: ready(service).json()["parts"]["history"] == "ok", "the history to be in use again")
        service.until(lambda: settings_are(service) == "ok", "no fault to be left")


def stepped(service: Service, step: str, since: int) -> bool:
    steps = [event for event in service.log()[since:] if event["event"] == "alarm_step"]
    return any((event["point"], event["step"]) == ("SETTINGS", step) for event in steps)
