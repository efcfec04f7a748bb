"""`yujing influx setup` and what `yujing check` says of the history's server."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx_v1 import InfluxV1Store
from tests.ingest.storage.history.influx_2 import fresh_influx_2_on
from tests.ingest.storage.history.made_up import SECOND, configuration, steady
from tests.servers import HTTP, free_port, influxd
from tests.small_plant import write_plant

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
OPERATOR = "the-token-of-an-operator"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments], input=typed)


def write(folder: Path, url: str, history: str = "") -> str:
    """Settings with an InfluxDB 2 of that address, or another history, and a plant."""
    write_plant(folder)
    file = folder / "yujing.toml"
    second = f'kind = "influxdb2"\nurl = "{url}"\norg = "plant"\ntoken = {{ file = "secrets/token" }}'
    file.write_text(f"[history]\n{history or second}\n")
    return str(file)


@pytest.fixture(autouse=True)
def _back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command goes to the folder of its settings."""
    monkeypatch.chdir(tmp_path)


def test_check_says_what_is_missing_and_the_setup_makes_it(tmp_path: Path) -> None:
    """The operator's token comes by standard input or a file, and is in no output."""
    with influxd(tmp_path) as behind, fresh_influx_2_on(behind) as server:
        config = write(tmp_path, server.url)
        (tmp_path / "secrets").mkdir(mode=0o700)
        (tmp_path / "secrets" / "token").write_text("not yet")
        missing = run("check", "--config", config)
        assert "yujing influx setup" in missing.output
        assert "令牌无效" in missing.output

        (tmp_path / "secrets" / "token").unlink()
        refused = run("influx", "setup", "--config", config)
        assert refused.exit_code == 2
        assert "--operator" in refused.output

        set_up = run("influx", "setup", "--config", config, "--operator", "-", typed=f"{OPERATOR}\n")
        assert set_up.exit_code == 0, set_up.output
        assert "服务令牌在 secrets/token" in set_up.output
        assert "yujing influx setup" not in run("check", "--config", config).output

        (tmp_path / "operator").write_text(f"{OPERATOR}\n")
        again = run("influx", "setup", "--config", config, "--operator", os.fspath(tmp_path / "operator"))
        assert (again.exit_code, "无需更改 nothing to change" in again.output) == (0, True)
        secret = (tmp_path / "secrets" / "token").read_text().strip()
        for output in (missing.output, set_up.output, again.output):
            assert OPERATOR not in output
            assert secret not in output


def test_a_server_that_is_not_there_is_no_fault_of_the_settings(tmp_path: Path) -> None:
    """`check` reports that it could not connect and goes on; the setup ends with 1."""
    config = write(tmp_path, f"http://127.0.0.1:{free_port()}")
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "token").write_text("t")
    checked = run("check", "--config", config)
    assert checked.exit_code == 0, checked.output
    assert "could not be looked at" in checked.output
    assert "could not be looked at" not in run("check", "--offline", "--config", config).output
    assert run("influx", "setup", "--config", config, "--operator", "-", typed=OPERATOR).exit_code == 1


def test_rollups_of_what_was_stored_before_are_made_from_now_back(tmp_path: Path) -> None:
    """A server that has no rollups set up, or is not there, ends it; it may be given again."""
    now = time.time_ns()
    start = now - 3 * DAY
    with influxd(tmp_path) as url:
        config = write(tmp_path, url, f'kind = "influxdb1"\nurl = "{url}"')
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        store.write_readings(steady(300, start=start, step=3 * DAY // 300), configuration(), 1)
        assert run("influx", "rollup", "--config", config, "--from", "2026-01-01").exit_code == 1, "no policies yet"
        assert run("influx", "setup", "--config", config).exit_code == 0
        since = datetime.fromtimestamp(start // 10**9, UTC).isoformat()
        rolled = run("influx", "rollup", "--config", config, "--from", since)
        assert rolled.exit_code == 0, rolled.output
        store.close()
        store = InfluxV1Store(InfluxV1Config(url=url))
        kept = store._rollups.current()
        assert kept.hours <= start + 2 * HOUR
        assert kept.minutes <= start + HOUR
        params = {"db": "yujing", "q": "SELECT sum(count) FROM hours.readings"}
        (series,) = HTTP.get(f"{url}/query", params=params).json()["results"][0]["series"]
        assert 285 <= series["values"][0][1] <= 300, "all but the last hour or two"
        store.close()
    assert run("influx", "rollup", "--config", config, "--from", since).exit_code == 1
    write(tmp_path, url)
    refused = run("influx", "rollup", "--config", config, "--from", since)
    assert (refused.exit_code, "only of an InfluxDB 1.x" in refused.output) == (2, True)


def test_a_history_in_a_file_needs_no_setup(tmp_path: Path) -> None:
    write_plant(tmp_path)
    (tmp_path / "yujing.toml").write_text("")
    refused = run("influx", "setup", "--config", str(tmp_path / "yujing.toml"))
    assert refused.exit_code == 2
    assert "DuckDB is a file" in refused.output
