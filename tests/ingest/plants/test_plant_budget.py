"""A plant's budget of false alarms is shared out over its rules that learn, and what they come to is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from detectors import Bank, Readings
from detectors.calibration import USUAL_BUDGET
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.explain import explain_point
from ingest.plants.in_force import PlantFiles
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.plant_budget import USUAL_DAILY, share_of
from ingest.plants.saved_files import SavedFiles
from tests.ingest.plants.samples import plant, point

OWN = 'level = 1\nlabel = "名"\nlabel_en = "name"\n'


def learning(name: str, *rules: str) -> str:
    """A point with rules that learn, each given by its kind and further keys."""
    return point(name, "STL_CO", "".join(f"[points.rules.X{at}]\n{rule}\n{OWN}" for at, rule in enumerate(rules)))


def written(folder: Path, *points: str, budget: str = "", name: str = "p") -> None:
    """Write a plant file."""
    text = plant("steel", "".join(points), name=name, enterprise=f"budget = {budget}\n" if budget else "")
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def loaded(folder: Path, *points: str, budget: str = "") -> PlantConfiguration:
    """The configuration of one plant with these points."""
    written(folder, *points, budget=budget)
    return load_configuration(folder, MemoryNumbering(), 1)


def budgets(configuration: PlantConfiguration) -> dict[str, float]:
    """Budgets by the keys of rules that have one."""
    return {
        key: budget
        for table in configuration.tables.values()
        if table.budget is not None
        for key, budget in zip(table.key, table.budget.tolist(), strict=True)
        if np.isfinite(budget)
    }


EWMA, SPIKE, OWN_BUDGET = 'kind = "ewma"', 'kind = "spike"', 'kind = "cusum"\nbudget = 60'


def test_every_rule_that_learns_has_the_same_share_and_a_budget_of_its_own_replaces_it(tmp_path: Path) -> None:
    points = learning("A", EWMA, SPIKE), learning("B", EWMA, OWN_BUDGET, 'kind = "ewma"\non = 3')
    found = loaded(tmp_path, *points, budget="0.3")
    assert budgets(found) == pytest.approx({"p/A/X0": 300, "p/A/X1": 300, "p/B/X0": 300, "p/B/X1": 60})
    (budget,) = found.budgets.values()
    assert (budget.allowed, budget.rules) == (0.3, 4)
    assert [budget.share, budget.expected] == pytest.approx([300, 0.32])
    assert budget.text().en == (
        "budget of false alarms: some 0.32 a day at most of 0.3 (rules that learn: 4); each without its own: "
        "300 on 100 points in 30 days, evaluated after 2 d"
    )
    note = explain_point(tmp_path, "p", "A")
    assert [rule.reason for rule in note.rules] == [rule.reason for rule in found.plants["p"].points[-2].rules]
    assert any(
        "at most 300 findings on 100 points in 30 days; not evaluated before 2 d" in r.reason.en for r in note.rules
    )
    assert any("每 100 个测点 30 天至多报 300 次" in rule.reason.zh for rule in note.rules)


def test_without_a_budget_of_the_plant_each_has_the_usual_one_as_far_as_one_operator_can_answer_all(
    tmp_path: Path,
) -> None:
    """EEMUA 191: some 150 alarms a day for one operator, a fifth of them from rules that learn."""
    assert budgets(loaded(tmp_path, learning("A", EWMA, SPIKE))) == {"p/A/X0": USUAL_BUDGET, "p/A/X1": USUAL_BUDGET}
    assert [share_of(None, rules) for rules in (1, 3_000, 30_000)] == [USUAL_BUDGET, USUAL_BUDGET, USUAL_BUDGET / 10]
    for rules in (1, 7, 3_000, 12_345):
        assert rules * share_of(None, rules) / 3_000 <= USUAL_DAILY * (1 + 1e-9)
        assert rules * share_of(2.5, rules) / 3_000 == pytest.approx(2.5)
    assert loaded(tmp_path, learning("A", 'kind = "ewma"\non = 3')).budgets == {}, "a limit by hand learns nothing"


def loading(load: Callable[[], PlantConfiguration | None]) -> tuple[PlantConfiguration | None, dict[str, float]]:
    """Load; the configuration, and the shares that are logged, by plant."""
    with capture_logs() as logs:
        found = load()
    return found, {log["plant"]: log["share"] for log in logs if log["event"] == "budget_shared"}


def test_shares_change_at_a_reload_only_and_it_is_told_and_what_was_learnt_stays(tmp_path: Path) -> None:
    folder, numbering = tmp_path / "plants", MemoryNumbering()
    folder.mkdir()
    files = PlantFiles(folder, SavedFiles(tmp_path / "kept"), wait_s=0)
    written(folder, learning("A", EWMA), budget="0.1")
    written(folder, learning("A", EWMA), budget="0.1", name="q")
    first, shares = loading(lambda: files.load(numbering, 1))
    assert first is not None
    assert shares == {"p": pytest.approx(300), "q": pytest.approx(300)}
    bank = Bank(first.tables, first.derived)
    at = first.tables["ewma"].point[0]
    minutes = np.arange(4 * 1440, dtype=np.int64) * 60 * 10**9
    values = np.random.default_rng(1).normal(20, 1, len(minutes))
    point_of = np.full(len(minutes), at, np.int32)
    bank.update(Readings(point_of, minutes, values, minutes, point_of), int(minutes[-1]))
    before = bank.spending()
    written(folder, learning("A", EWMA), learning("B", EWMA), budget="0.1")
    second, shares = loading(lambda: files.load(numbering, 2))
    assert second is not None
    assert shares == {"p": pytest.approx(150)}, "the other plant has the shares it had"
    after = bank.successor(second.tables, second.derived).spending()
    rule = second.rule("p", "A", "X0")
    assert rule is not None
    row = after.rule.tolist().index(second.number(rule))
    assert after.budget[row] == pytest.approx(150)
    assert (after.needed_s[row], before.needed_s[0]) == (0.0, 0.0)
    assert loading(lambda: files.load(numbering, 3)) == (None, {})
