"""Why a default rule is not judged is said in the reader's language, whatever a plant lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.plants.catalogue import load_catalogue
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.web.console.wording import not_evaluated
from ingest.web.texts.needs import need_text
from tests.ingest.plants.samples import plant, point

WORDS = re.compile(r"(?<![\w-])(?!on\b)[a-z]{2,}(?![\w-])")


def test_whatever_the_catalogues_rules_wait_for_is_said_in_chinese(tmp_path: Path) -> None:
    """Of each kind of plant one that has every signal, and one a signal that has no other; no set-point anywhere."""
    for kind, signals in load_catalogue().signals.items():
        have = "range = [0, 100]\n"
        points = {code: point(code, code, have if of.table.kind == "analogue" else "") for code, of in signals.items()}
        files = {f"{kind}-all": "".join(points.values())} | {
            f"{kind}-{number}": text for number, text in enumerate(points.values())
        }
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(plant(kind, text, name=name), encoding="utf-8")
    plants = load_configuration(tmp_path, MemoryNumbering(), 1).plants.values()
    reasons = {why for of in plants for point in of.points for why in point.not_evaluated}
    assert len(reasons) > 10
    assert any("a point of" in why for why in reasons)
    chinese = {why: re.sub("“[a-z_]+”", "", not_evaluated(why, "zh")) for why in reasons}  # codes of phases are quoted
    assert [why for why, text in sorted(chinese.items()) if WORDS.search(text)] == []


@pytest.mark.parametrize(
    "what",
    [
        "setpoint of FLOW-1",
        "a setpoint below 30 ppm",
        "a setpoint above 3 m",
        "one point of STL_CO on its equipment, to know which of CO-1, CO-2",
        "rule H, which is disabled",
        "rule H, which is for other dusts",
        "on for its rule H",
        "setpoint of FLOW-1 for its rule H",
        "another STL_CO on E-1",
        "2 other STL_CO on its equipment, of which it names none",
        "3 other measured value in the plant",
    ],
)
def test_what_a_plants_own_changes_make_a_rule_wait_for_is_said_in_both_languages(what: str) -> None:
    text = need_text(what)
    assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert set(WORDS.findall(text.zh)) <= {"ppm"}
    assert not re.search(r"[\u4e00-\u9fff]", text.en)
