"""`yujing influx setup` and what `yujing check` says of the history's server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli import app
from tests.ingest.history.influx_2 import fresh_influx_2_on
from tests.servers import free_port, influxd
from tests.small_plant import write_plant

OPERATOR = "the-token-of-an-operator"


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments], input=typed)


def write(folder: Path, url: str) -> str:
    """Settings with an InfluxDB 2 of that address, and a plant."""
    write_plant(folder)
    file = folder / "yujing.toml"
    file.write_text(
        f'[history]\nkind = "influxdb2"\nurl = "{url}"\norg = "plant"\ntoken = {{ file = "secrets/token" }}\n'
    )
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
    """`check` says that it could not look and goes on; the setup ends with 1."""
    config = write(tmp_path, f"http://127.0.0.1:{free_port()}")
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "token").write_text("t")
    checked = run("check", "--config", config)
    assert checked.exit_code == 0, checked.output
    assert "could not be looked at" in checked.output
    assert "could not be looked at" not in run("check", "--offline", "--config", config).output
    assert run("influx", "setup", "--config", config, "--operator", "-", typed=OPERATOR).exit_code == 1


def test_a_history_in_a_file_needs_no_setup(tmp_path: Path) -> None:
    write_plant(tmp_path)
    (tmp_path / "yujing.toml").write_text("")
    refused = run("influx", "setup", "--config", str(tmp_path / "yujing.toml"))
    assert refused.exit_code == 2
    assert "DuckDB is a file" in refused.output
