"""The benchmark of false alarms beside their budget reads its sets as they are, and counts what it promises."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import budget
from benchmarks.budget import Account, measure, poisson_bound
from benchmarks.healthy_records import healthy_records
from benchmarks.learning_rules import LEARNING


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Three of the five sets, each with a file of its shape that nobody has heard of."""
    random = np.random.default_rng(1)
    files = {
        "batadal/dataset03-other.csv": ["DATETIME,L_T1,P_J1,ATT_FLAG"]
        + [f"{1 + hour // 24:02d}/02/14 {hour % 24:02d},{random.normal():.4f},1.0,0" for hour in range(48)],
        "cranfield/other.csv": ["t_s,x01,x02,fault"] + [f"{t},{random.normal():.4f},7,{t >= 40:d}" for t in range(60)],
        "skab/anomaly-free/other.csv": ["datetime;Current;Pressure"]
        + [f"2020-02-08 13:{t // 60:02d}:{t % 60:02d};{random.normal():.4f};" for t in range(90)],
    }
    for name, lines in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def test_records_are_read_in_the_shape_of_their_set_and_end_before_a_fault(sets: Path) -> None:
    read = {record.name: record for record in healthy_records(sets, days=0)}
    assert {name: record.rows.shape for name, record in read.items()} == {
        "batadal/dataset03-other.csv": (48, 2),
        "cranfield/other.csv": (40, 2),
        "skab/anomaly-free/other.csv": (90, 1),
    }
    assert [record.step_s for record in read.values()] == [3600.0, 1.0, 1.0]


def test_a_folder_without_any_set_and_a_time_nobody_can_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none of batadal/dataset03\*"):
        list(healthy_records(tmp_path, days=0))
    (tmp_path / "cranfield").mkdir()
    (tmp_path / "cranfield" / "a.csv").write_text("t_s,x01\nnoon,1\n")
    with pytest.raises(ValueError, match=r"a\.csv: time 'noon'; expected seconds"):
        list(healthy_records(tmp_path, days=0))


def test_what_a_plain_limit_crosses_is_seen_and_counted_against_what_was_promised(sets: Path) -> None:
    figures = measure(sets, days=0, promised=10.0, kinds=["robust_z", "stuck"], own=True)
    assert figures["records"]["cranfield/other.csv"]["stuck"] == {
        "promised": 10.0, "seen": 1, "ratio": 0.1, "evaluated": 1.0, "within": True,
    }, "the point that is always 7 stands still; by its own limit, so few are enough"  # fmt: skip
    assert figures["kinds"]["stuck"]["promised"] == pytest.approx(30.0)
    assert set(figures) >= {"promised", "seen", "ratio", "within", "tune", "judge"}


def test_records_too_short_to_learn_a_budget_from_promise_nothing_and_find_nothing(sets: Path) -> None:
    figures = measure(sets, days=0, kinds=["stuck"])["kinds"]["stuck"]
    assert (figures["promised"], figures["seen"], figures["evaluated"]) == (0.0, 0, 0.0)


def test_a_promise_is_broken_by_twice_as_many_and_by_more_than_chance_gives() -> None:
    assert [poisson_bound(mean, 0.95) for mean in (0.01, 0.3, 2.0, 600.0)] == [0, 1, 5, 640]
    seen = {(promised, count): Account("ewma", "r", promised, count, 1.0).within for promised in (0.3, 10.0)
            for count in (0, 1, 2, 20, 21)}  # fmt: skip
    assert [pair for pair, within in seen.items() if not within] == [(0.3, 2), (0.3, 20), (0.3, 21), (10.0, 21)]
    assert not Account("ewma", "r", 20.0, 5, 1.0, raised=1.0).within, "a limit raised further than it need be"
    assert Account("ewma", "r", 20.0, 1, 1.0, raised=0.1).within, "the others keep it by their own limits"


def test_every_kind_judges_simulated_plants_and_the_figures_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["budget", "--days", "0.3", "--paces", "60", "--json"])
    assert budget.main() == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed["kinds"]) == set(LEARNING)
    assert list(printed["records"]) == [f"simulated/demo-{plant}-60s" for plant in ("aluminium", "dust", "steel")]
