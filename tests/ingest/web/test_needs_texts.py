"""Why a default rule is not evaluated is shown in the reader's language, whatever a plant lacks."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.domain.model.plant import NotEvaluated
from ingest.plants.catalogue import load_catalogue
from ingest.plants.gates import a_point_of
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.web.console.wording import not_evaluated
from tests.ingest.plants.samples import plant, point

WORDS = re.compile(r"(?<![\w-])(?!on\b)[a-z]{2,}(?![\w-])")


def test_whatever_the_rules_of_the_catalogue_wait_for_has_a_chinese_text(tmp_path: Path) -> None:
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
    assert any("a point of" in why.needs.en for why in reasons)
    chinese = [re.sub("“[a-z_]+”", "", not_evaluated(why, "zh")) for why in reasons]  # codes of phases are quoted
    assert [text for text in sorted(chinese) if WORDS.search(text)] == []
    named = not_evaluated(NotEvaluated("L", a_point_of("STL_CO", "A-STL_CO", "NO_SUCH")), "zh")
    assert named == "L 缺少以下任一测点：固定式一氧化碳浓度（STL_CO）、A-STL_CO、NO_SUCH"
