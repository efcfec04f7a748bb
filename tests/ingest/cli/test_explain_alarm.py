"""`yujing explain alarm` says what an alarm's newest raise stood on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from ingest.cli.main import app
from ingest.domain.model.contribution import Contribution, PointAspect
from ingest.domain.model.text import Text
from ingest.storage.state.engine_store import EngineStore
from tests import migrated
from tests.ingest.cli.test_main import write
from tests.ingest.storage.state.test_store import event


def test_an_alarm_is_explained_with_the_points_that_contributed_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within 80 columns, and as JSON as everywhere; of an alarm of a single point no points are named."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    parts = (Contribution("IN-01", Text("进水", "Inlet"), 62.4), Contribution("OUT-01", Text("出水", "Outlet"), 9.0))
    drift = (Contribution("CO-03", Text("缓慢漂移", "slow drift"), 88.0, PointAspect.DRIFT),)
    single, group, rare = event("CO-01"), event("CO-02"), event("CO-03")
    rare = replace(rare, alarm=replace(rare.alarm, contributions=drift))
    group = replace(group, alarm=replace(group.alarm, contributions=parts, title=Text("失配", "apart")))
    database = migrated.opened(tmp_path / "data" / "state.db")
    EngineStore(database).commit(1, [single, group, rare], [])

    def explained(alarm: UUID, *options: str) -> str:
        arguments = ["explain", "alarm", str(alarm), *options, "--config", write(tmp_path, "")]
        result = CliRunner().invoke(app, arguments)
        known = {each.alarm.id for each in (single, group, rare)}
        assert result.exit_code == (0 if alarm in known else 2), result.output
        return result.output

    shown = explained(group.alarm.id)
    assert [line.strip() for line in shown.splitlines() if line.strip()[:1].isdigit()] == [
        "62.4 % IN-01 进水 Inlet",
        "9.0 % OUT-01 出水 Outlet",
    ]
    assert "触发值 value 25.5 · 限值 limit 24 ppm" in shown
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert "贡献" not in explained(single.alarm.id)
    assert [part["share"] for part in json.loads(explained(group.alarm.id, "--json"))["contributions"]] == [62.4, 9.0]
    assert "\n   88.0 % 缓慢漂移 slow drift\n  各方面占该测点评分的百分比" in explained(rare.alarm.id)
    assert "no such alarm" in explained(UUID(int=7))
    database.close()
