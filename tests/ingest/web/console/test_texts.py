"""The catalogue of texts: complete in both languages, nothing missing, nothing left over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import ingest.web
from detectors.detector import Reason
from ingest.domain.alarms.benchmarks import BENCHMARKS
from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import SERVICE, Confidence, PlantKind
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Asked, WarningEventKind, WarningState
from ingest.domain.warnings.rules import load_rules
from ingest.plants.catalogue import DIRECTORY, load_catalogue
from ingest.plants.explain import PLANT_FILE
from ingest.web import texts
from ingest.web.console.rendering import HOME
from ingest.web.texts import TEXTS
from ingest.web.texts.sources import known
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn

SOURCES = [*(HOME / "templates").iterdir(), *Path(ingest.web.__path__[0]).rglob("*.py")]
KEY = re.compile(r"""["']([a-z_]+\.[a-z0-9_]+)["']""")


def used() -> set[str]:
    """Every quoted word in the form of a key, but for file names; keys put together in code are listed here."""
    named = {key for file in SOURCES if file.parent.name != "texts" for key in KEY.findall(file.read_text("utf-8"))}
    built = {key for key in TEXTS if key.startswith(("age.", "error."))}
    return {key for key in named if not key.endswith((".html", ".css", ".js", ".svg"))} | built


def test_every_key_in_use_is_in_the_catalogue() -> None:
    prefixes = {key.split(".")[0] for key in TEXTS}
    assert {key for key in used() if key.split(".")[0] in prefixes} - set(TEXTS) == set()


def test_no_text_is_left_over() -> None:
    assert set(TEXTS) - used() == set()


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_is_there_in_both_languages(key: str) -> None:
    text = TEXTS[key]
    assert text.zh.strip()
    assert text.en.strip()
    assert set(re.findall(r"{\w+}", text.zh)) == set(re.findall(r"{\w+}", text.en))
    assert not re.search(r"[\u4e00-\u9fff]", text.en)


def test_no_template_has_words_or_signs_of_one_language() -> None:
    """Both languages read the same templates; only the switch has the name of the other one."""
    chinese = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
    templates = {file.name: file.read_text("utf-8").replace('"中文"', "") for file in (HOME / "templates").iterdir()}
    assert len(templates) > 20
    assert {name: chinese.findall(text) for name, text in templates.items() if chinese.search(text)} == {}


WORDS_OF_THE_MODEL: dict[str, tuple[Mapping[Any, Text], set[Any]]] = {
    "STATES": (texts.STATES, set(AlarmState)),
    "EVENTS": (texts.EVENTS, set(AlarmEventKind)),
    "KINDS": (texts.KINDS, {*get_args(PlantKind), SERVICE}),
    "CONFIDENCE": (texts.CONFIDENCE, set(Confidence)),
    "DEVICE_STATUSES": (texts.DEVICE_STATUSES, set(DeviceStatus)),
    "FLAGS": (texts.FLAGS, set(Flag)),
    "NOT_EVALUATED": (texts.NOT_EVALUATED, set(Reason)),
    "SUPPRESSION_KINDS": (texts.SUPPRESSION_KINDS, set(SuppressionKind)),
    "SUPPRESSION_ENDS": (texts.SUPPRESSION_ENDS, set(SuppressionKind)),
    "SUPPRESSION_STATES": (texts.SUPPRESSION_STATES, set(SuppressionState)),
    "ROLES": (texts.ROLES, set(get_args(ActRole))),
    "ACT_KINDS": (texts.ACT_KINDS, set(get_args(ActKind))),
    "WARNING_STATES": (texts.WARNING_STATES, set(WarningState)),
    "WARNING_ASKED": (texts.WARNING_ASKED, set(Asked)),
    "WARNING_EVENTS": (texts.WARNING_EVENTS, set(WarningEventKind)),
}


@pytest.mark.parametrize("name", WORDS_OF_THE_MODEL)
def test_every_word_of_the_model_has_a_text_in_both_languages(name: str) -> None:
    known, words = WORDS_OF_THE_MODEL[name]
    assert set(known) == words
    assert all(text.zh.strip() and text.en.strip() for text in known.values())
    assert not any(re.search(r"[\u4e00-\u9fff]", text.en.replace("(销警)", "")) for text in known.values())


def test_every_key_and_action_of_the_trail_has_texts_in_both_languages() -> None:
    labels = [*texts.FIELD_LABELS.values(), *(text for of in texts.ACTIONS.values() for text in of.values())]
    assert all(text.zh.strip() and text.en.strip() for text in labels)
    assert not any(re.search(r"[\u4e00-\u9fff]", text.en) for text in labels)


def test_every_source_of_a_number_has_a_chinese_text() -> None:
    """Of the catalogue's rules, of gateways and the service itself, of warnings, and of benchmarks of alarms."""
    catalogue = load_catalogue()
    tables = [catalogue.analogue, catalogue.every, catalogue.gateway, catalogue.service, catalogue.instrument]
    rules = [
        rule
        for table in tables
        for signal in table.values()
        for rule in getattr(signal, "rules", {"": signal}).values()
    ]
    rules += [rule for kind in catalogue.signals.values() for signal in kind.values() for rule in signal.rules.values()]
    sources = {rule.source for rule in rules} | {rule.source for rule in load_rules(None).rules}
    calibrated = [signal.table.calibration for kind in catalogue.signals.values() for signal in kind.values()]
    sources |= {catalogue.calibration.source, *(period.source for period in calibrated if period is not None)}
    sources |= {benchmark.source for benchmark in BENCHMARKS} | {PLANT_FILE}
    assert len(sources) > 70
    assert [source for source in sorted(sources) if not known(source)] == []


def test_no_number_stands_on_what_a_machine_made_up() -> None:
    """A note that nobody vouches for is no source: such a number is an engineering default, and marked as one."""
    texts = [file.read_text(encoding="utf-8") for file in DIRECTORY.glob("*.toml")]
    assert len(texts) >= 5
    assert not any("AI-generated" in text for text in texts)


async def test_provenance_is_for_those_who_supervise_and_in_their_language(hall: StandIn, ask: Ask) -> None:
    """An operator reads how sure a number is."""
    alarm = next(alarm for alarm in hall.book.values() if alarm.plant == STEEL)
    warning = next(event.warning for event in reversed(hall.warned) if event.warning.plant == STEEL)
    pages = (f"/alarms/{alarm.id}/body", f"/plants/{STEEL}/points/CO-01/rules", f"/warnings/{warning.id}/body")
    for page in pages:
        office, plant = [(await ask(who).get(page)).text for who in (INSPECTOR, OPERATOR)]
        assert "工程默认值" in plant
        assert "engineering default" not in plant + office
        assert "数值出处" not in plant
    assert "任何一级报警即为预警" in office
    assert "任何一级报警即为预警" not in plant
