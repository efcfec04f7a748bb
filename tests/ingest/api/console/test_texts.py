"""The catalogue of texts: complete in both languages, nothing missing, nothing left over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import ingest.api
from detectors.detector import Reason
from ingest.api.console.rendering import HOME
from ingest.api.texts import CONFIDENCE, EVENTS, FLAGS, KINDS, STATES, TEXTS, UNJUDGED
from ingest.model.alarm import AlarmEventKind, AlarmState
from ingest.model.flags import Flag
from ingest.model.plant import SERVICE, Confidence, PlantKind

SOURCES = [*(HOME / "templates").iterdir(), *Path(ingest.api.__path__[0]).rglob("*.py")]
KEY = re.compile(r"""["']([a-z]+\.[a-z0-9_]+)["']""")


def used() -> set[str]:
    """Every quoted word that looks like a key, but for file names; keys put together in code are listed here."""
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


def test_every_state_and_word_of_the_model_has_a_text() -> None:
    assert set(STATES) == set(AlarmState)
    assert set(EVENTS) == set(AlarmEventKind)
    assert set(KINDS) == {*get_args(PlantKind), SERVICE}
    assert set(CONFIDENCE) == set(Confidence)
    assert set(FLAGS) == set(Flag)
    assert set(UNJUDGED) == set(Reason)
