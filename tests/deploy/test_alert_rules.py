"""The alert rules that are shipped: whoever evaluates them can read them, and every series they ask for is there."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from ingest.base.telemetry import REGISTRY, Event, event_types
from ingest.intake.sources import mqtt
from ingest.runtime import live, outbox_gauges, register_gauges, service
from ingest.runtime.counters import expose_counters, labels
from ingest.runtime.registers import RegisterFigures
from ingest.runtime.settings import Settings
from tests.deploy.written import DEPLOY

LOADED = mqtt, service
"""What a service has loaded when it starts, and with it every event."""

RULES = DEPLOY / "prometheus" / "yujing.rules.yml"


def exposed() -> set[str]:
    """The names of all series a service has that has just started."""
    settings = Settings.model_validate(
        {
            "mqtt": {"tls_ca": "ca.pem"},
            "connectors": {"webhooks": [{"name": "h", "url": "http://127.0.0.1:1/", "secret": {"file": "none"}}]},
        }
    )
    expose_counters(settings)
    counted = set(re.findall(r"^(yujing_\w+?)(?:\{|\s)", generate_latest(REGISTRY).decode(), re.MULTILINE))
    gauges = [
        Path(str(module.__file__)).read_text(encoding="utf-8") for module in (live, outbox_gauges, register_gauges)
    ]
    return counted | set(re.findall(r'"(yujing_\w+)"', "".join(gauges)))


def asked() -> dict[str, set[str]]:
    """The series each rule asks for."""
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: set(re.findall(r"yujing_\w+", rule["expr"])) for rule in group["rules"]}


def test_every_rule_can_be_read_by_whoever_evaluates_it(tmp_path: Path) -> None:
    def read(file: Path) -> int:
        return subprocess.run(["vmalert", "-dryRun", f"-rule={file}"], capture_output=True, check=False).returncode

    assert read(RULES) == 0
    broken = tmp_path / "broken.yml"
    broken.write_text(RULES.read_text(encoding="utf-8").replace("[5m])", "[5m)"), encoding="utf-8")
    assert read(broken) != 0


def test_every_rule_asks_for_what_there_is_from_the_start() -> None:
    """A rise from nothing to 1 would be no rise: `increase` of a series that was not there is 0."""
    there = exposed()
    missing = {alert: gone for alert, names in asked().items() if (gone := names - there)}
    assert missing == {}


def test_a_rule_on_a_register_names_states_that_there_are() -> None:
    """A word that no gauge has for its label would never be found, and nobody would be told."""
    selectors = re.findall(r'(yujing_\w+)\{(\w+)=~?"([^"]+)"\}', RULES.read_text(encoding="utf-8"))
    chosen = {(name, label, word) for name, label, words in selectors for word in words.split("|")}
    figures = RegisterFigures(Counter(), Counter(), Counter(), Counter())
    there = {
        (gauge.name, label, word)
        for gauge in register_gauges.register_gauges({}, figures, {}, {"hook": 0})
        for sample in gauge.samples
        for label, word in sample.labels.items()
    }
    registers = {name for name, _, _ in there}
    of_registers = {each for each in chosen if each[0] in registers}
    assert len(of_registers) >= 7
    assert of_registers <= there


def test_every_event_of_the_service_is_counted_from_nought() -> None:
    """Those with labels for each value there may be, of certificates and connectors as the settings have them."""
    counters = {f"yujing_{re.sub('(?<=[a-z0-9])(?=[A-Z])', '_', kind.__name__).lower()}_total" for kind in events()}
    assert counters - exposed() == set()
    assert len(counters) > 100


def test_labels_are_declared_for_every_event_that_has_any() -> None:
    assert {kind for kind in events() if kind.labels} == set(labels(Settings()))


def events() -> set[type[Event]]:
    """Those of the service, all of whose parts are loaded with its root (`service`)."""
    return {kind for kind in event_types() if kind.__module__.startswith("ingest.")}
