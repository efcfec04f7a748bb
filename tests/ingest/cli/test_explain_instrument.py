"""`yujing explain point` says when the point's instrument was last calibrated, and when the next calibration is due."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from ingest.cli.main import app
from ingest.domain.cases.days import day_of
from ingest.domain.cases.ledger import LastCheck
from ingest.domain.cases.ledger_due import opened
from ingest.domain.model.instrument import Check
from ingest.storage.state.case_store import CaseStore
from tests import migrated
from tests.small_plant import PLANT, TEXT, small_configuration

HEAD = '\n[[instruments]]\nid = "K-1"\npoints = ["CO-01"]\nserial = "S-7"\nplace = "1号炉前"\n'


def explained(folder: Path, point: str, *more: str) -> str:
    (folder / "yujing.toml").write_text("", encoding="utf-8")
    config = str(folder / "yujing.toml")
    result = CliRunner().invoke(app, ["explain", "point", PLANT, point, *more, "--config", config])
    assert result.exit_code == 0, result.output
    return result.output


def test_from_the_ledger_beside_a_running_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable ledger is reported, and a point without an instrument has none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (instrument,) = small_configuration(tmp_path, text=TEXT + HEAD).instruments[PLANT]
    assert "台账读不到 its ledger cannot be read" in explained(tmp_path, "CO-01")
    database = migrated.opened(tmp_path / "data" / "state.db")
    today = day_of(time.time_ns())
    last = LastCheck(today - dt.timedelta(days=2), passed=True, number="JL-7")
    ledger = replace(opened(instrument, today), last={Check.CALIBRATION: last})
    CaseStore(database).commit(added=[ledger])
    due = instrument.periods[Check.CALIBRATION].after(last.day).isoformat()
    shown = explained(tmp_path, "CO-01")
    words = "".join(shown.split())
    for word in ("S-7", "检定（校准）calibration:有效inorder", f"上次last{last.day.isoformat()}JL-7", f"至due{due}"):
        assert word in words, word
    assert max(map(cell_len, shown.splitlines())) <= 80
    (check,) = json.loads(explained(tmp_path, "CO-01", "--json"))["instrument"]["checks"]
    assert (check["state"], check["last"], check["deadline"]) == ("in-order", last.day.isoformat(), due)
    assert json.loads(explained(tmp_path, "CO-02", "--json"))["instrument"] is None
    database.close()


def test_a_point_and_a_contact_of_its_instrument_say_what_the_contact_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    contact = '\n[[points]]\nid = "CO-01-OK"\nsignal = "STATUS_CONTACT"\ngateway = "GW-01"\n'
    small_configuration(tmp_path, text=TEXT + contact + HEAD + 'status = { failure = "CO-01-OK == 0" }\n')
    for point in ("CO-01", "CO-01-OK"):
        assert "故障failure·CO-01-OK==0" in "".join(explained(tmp_path, point).split())
        (found,) = json.loads(explained(tmp_path, point, "--json"))["instrument"]["contacts"]
        assert found == {"status": "failure", "point": "CO-01-OK", "active": 0}
