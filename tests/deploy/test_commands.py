"""The command lines that systemd and Docker run exist, and take the settings that are shipped with them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway_sim.certificates import make_certificates
from ingest.cli.main import app
from tests.deploy.written import image_command, unit

YUJING = Path(sys.executable).with_name("yujing")
CONFIG = "/etc/yujing/yujing.toml"
COMMANDS = {
    "systemd": shlex.split(unit()["Service"]["ExecStart"][0]),
    "docker": [*image_command("ENTRYPOINT"), *image_command("CMD")],
}
SETTINGS = {"systemd": "yujing.toml", "docker": "yujing.compose.toml"}


@pytest.fixture(params=COMMANDS)
def where(request: pytest.FixtureRequest) -> str:
    """Who runs the command."""
    return str(request.param)


@pytest.fixture
def config(where: str, installed: Path, tmp_path: Path) -> Path:
    """The shipped settings beside the sample plant and real certificates; only where secrets lie is changed."""
    return placed(installed / SETTINGS[where], tmp_path)


def placed(settings: Path, tmp_path: Path) -> Path:
    text = settings.read_text(encoding="utf-8")
    for secret in re.findall(r"\"/run/(?:secrets|credentials/yujing\.service)/(\w+)\"", text):
        (tmp_path / secret).write_text("0123456789abcdef" * 4, encoding="utf-8")
    (tmp_path / "made").mkdir()
    made = make_certificates(tmp_path / "made")
    shown = {made.ca: ("ca", "ca.pem"), made.server: ("mqtt_cert", "mqtt.pem"), made.key: ("mqtt_key",)}
    for source, names in shown.items():
        for name in names:
            shutil.copy(source, tmp_path / name)
    text = re.sub(r"/run/(?:secrets|credentials/yujing\.service)", str(tmp_path), text)
    (tmp_path / "plants").symlink_to(settings.parent / "plants")
    file = tmp_path / "yujing.toml"
    file.write_text(text, encoding="utf-8")
    return file


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    assert Path(command[0]).name == "yujing"
    return subprocess.run([YUJING, *command[1:]], check=False, capture_output=True, text=True, timeout=180)


def test_the_command_exists_with_its_options(where: str) -> None:
    assert COMMANDS[where][1:] == ["run", "--config", CONFIG]
    result = run([*COMMANDS[where], "--help"])
    assert result.returncode == 0, result.stderr
    assert "--config" in result.stdout


def test_the_shipped_settings_pass_the_check(where: str, config: Path) -> None:
    result = run([str(config) if word == CONFIG else word.replace("run", "check") for word in COMMANDS[where]])
    assert result.returncode == 0, result.stderr
    assert "配置有效 valid: 1 " in result.stdout


def test_the_settings_of_the_unit_pass_the_check_while_it_does_not_run(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are shipped: certificates and plants are beside them, and the secrets where root keeps them."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "nowhere")  # so that it is as before, afterwards
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.chdir(tmp_path)
    config = placed(installed / "yujing.toml", tmp_path)
    shutil.copy(installed / "yujing.toml", config)
    check = ["check", "--config", str(config)]
    result = CliRunner().invoke(app, check)
    assert (result.exit_code, "/run/credentials/yujing.service/admin_token" in result.output) == (2, True)
    result = CliRunner().invoke(app, ["--secrets", str(tmp_path), *check])
    assert (result.exit_code, "配置有效 valid: 1 " in result.output) == (0, True), result.output
    (tmp_path / "admin_token").unlink()
    result = CliRunner().invoke(app, ["--secrets", str(tmp_path), *check])
    assert (result.exit_code, f"{tmp_path}/admin_token" in result.output) == (2, True)


def test_the_check_notices_a_missing_secret(where: str, config: Path) -> None:
    """So the test above would fail if the settings named a secret that nobody hands over."""
    (config.parent / "admin_token").unlink()
    result = run([COMMANDS[where][0], "check", "--config", str(config)])
    assert result.returncode == 2
    assert "admin_token" in result.stderr


def test_the_unit_hands_over_every_secret_the_settings_name(installed: Path) -> None:
    lines = (installed / "yujing.toml").read_text(encoding="utf-8").splitlines()
    live = "\n".join(line for line in lines if not line.startswith("#"))
    named = set(re.findall(r"/run/credentials/yujing\.service/(\w+)", live))
    handed = {line.split(":")[0] for line in unit()["Service"]["LoadCredential"]}
    assert handed == named
