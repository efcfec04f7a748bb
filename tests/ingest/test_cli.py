"""The command line says what is wrong and what to do, and keeps its exit codes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from ingest.cli import app
from tests.small_plant import TEXT, write_plant


@pytest.fixture(autouse=True)
def _back_where_we_were(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The command goes to the folder of its settings and logs to its own output; the next test begins as this one."""
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def write(folder: Path, text: str) -> str:
    """A settings file."""
    (folder / "yujing.toml").write_text(text, encoding="utf-8")
    return str(folder / "yujing.toml")


def test_the_simulators_plants_are_valid_and_wholly_judged(tmp_path: Path) -> None:
    with as_file(files("gateway_sim") / "plants") as plants:
        shutil.copytree(plants, tmp_path / "plants")
    result = run("check", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    assert "3 家企业 plants" in result.output
    assert "0 条未评估" in result.output


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    write_plant(tmp_path, TEXT.replace('"350583"', '"35"').replace("STL_CO", "STL_C0").replace("100Y43", "100Y44"))
    result = run("check", "--config", write(tmp_path, '[mqtt]\nport = "eighteen"\n[api]\nprot = 80\n'))
    assert result.exit_code == 2
    for word in ("mqtt.port", "eighteen", "api.prot", "enterprise.region", "enterprise.uscc", "STL_C0"):
        assert word in result.output, word


def test_a_secret_that_is_not_there_is_named_by_its_place(tmp_path: Path) -> None:
    write_plant(tmp_path)
    token = '[[api.tokens]]\nname = "a"\nrole = "admin"\ntoken = { file = "nowhere" }'
    result = run("check", "--config", write(tmp_path, token))
    assert result.exit_code == 2
    assert "nowhere" in result.output


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path, command: str) -> None:
    write_plant(tmp_path)
    (tmp_path / "cert.pem").write_text("no certificate")
    for key, text in (("tls_ca", "nowhere.pem"), ("tls_cert", "cert.pem")):
        result = run(command, "--config", write(tmp_path, f'[mqtt]\n{key} = "{text}"\n'))
        assert result.exit_code == 2, result.output
        assert f"mqtt.{key}" in result.output
        assert text in result.output


def test_what_waits_for_a_number_of_the_plant_is_shown_and_no_fault(tmp_path: Path) -> None:
    write_plant(tmp_path, TEXT + '\n[[points]]\nid = "P-01"\nsignal = "STL_CW_P"\ngateway = "GW-01"\nrange = [0, 1]\n')
    result = run("check", "--config", write(tmp_path, ""))
    assert result.exit_code == 0, result.output
    assert "未评估 not evaluated" in result.output
    assert "needs setpoint" in result.output


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    write_plant(tmp_path)
    inline = '[[api.tokens]]\nname = "a"\nrole = "admin"\ntoken = "hunter2-hunter2-hunter2"\n'
    result = run("check", "--config", write(tmp_path, inline))
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "api.tokens.0.token" in result.output


@pytest.mark.parametrize("text", ["", "[mqtt", "\udcff"], ids=["no plants", "broken TOML", "not UTF-8"])
def test_the_service_does_not_start_on_what_it_cannot_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "yujing.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run("run", "--config", str(tmp_path / "yujing.toml"))
    assert result.exit_code == 2
    assert "expected" in result.output


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    write_plant(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("run", "--config", write(tmp_path, f"[api]\nport = {port}\n"))
    assert result.exit_code == 1
    assert str(port) in result.output


@pytest.mark.parametrize("text", ["5", "x", "-1s", "0s"])
def test_a_time_is_a_number_and_a_unit(text: str) -> None:
    result = run("demo", "--for", text, "--port", "0")
    assert result.exit_code == 2


def test_the_version_is_told() -> None:
    assert run("version").output.startswith("yujing 0.")


@pytest.mark.parametrize("command", [["replay"], ["simulate", "platform"]])
def test_the_simulators_commands_are_reached_through_yujing(command: list[str]) -> None:
    help_ = [sys.executable, "-m", "ingest.cli", *command, "--help"]
    told = subprocess.run(help_, capture_output=True, text=True, check=True)
    assert "Usage" in told.stdout
