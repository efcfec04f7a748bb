"""The first hour by the book: its commands are carried out as they are written, but for folders and ports."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.runtime.settings import load_settings
from ingest.runtime.settings.check import check_all
from ingest.runtime.settings.doubts import doubts
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.server_check import lacking
from tests.deploy.written import ROOT
from tests.servers import HTTP, LOOPBACK, influxd_server, mosquitto_server

PAGE = (ROOT / "docs" / "first-hour.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(?P<kind>\w+)(?: (?P<name>\w+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def block(kind: str, name: str | None = None) -> str:
    """The commands or settings of that name on the page, all that bear it."""
    return "".join(found["text"] for found in FENCE.finditer(PAGE) if (found["kind"], found["name"]) == (kind, name))


def carry_out(commands: str, home: Path) -> str:
    """What they print. The first that fails ends it."""
    environment = os.environ | {"HOME": str(home), "SOURCES": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}:/usr/sbin:{environment['PATH']}"
    result = subprocess.run(
        ["bash", "-euc", commands], check=False, capture_output=True, text=True, timeout=120, cwd=home, env=environment
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a newcomer, checked; `make install` was carried out by whoever runs the tests."""
    commands = block("sh")
    assert commands.count("make install ") == 1
    home = tmp_path_factory.mktemp("home")
    output = carry_out(re.sub(r"make install .*|export (?:PATH|SOURCES)=.*|yujing --version", "", commands), home)
    assert "配置有效 valid: 1 " in output
    assert "0 处存疑 doubtful" in output
    return home / "yujing"


@pytest.fixture
def own_folder(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test is."""
    shutil.copytree(begun, tmp_path / "yujing")
    monkeypatch.chdir(tmp_path / "yujing")
    return tmp_path / "yujing"


def test_a_newcomers_settings_are_valid_and_their_token_is_nobody_elses(own_folder: Path) -> None:
    token = own_folder / "secrets/admin_token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert len(token.read_text()) == 65


@pytest.fixture(params=["of the system, by the recipe", "by the profile in the folder"])
def broker(request: pytest.FixtureRequest, own_folder: Path, tmp_path: Path) -> Iterator[int]:
    """A broker with the passwords and the access list of the folder, on another port: this."""
    if "recipe" in request.param:
        etc = tmp_path / "etc"
        (etc / "conf.d").mkdir(parents=True)
        commands = block("sh", "broker").replace("/etc/mosquitto", str(etc))
        carry_out(commands.replace("-o mosquitto", f"-o {getpass.getuser()}"), own_folder)
        config = etc / "conf.d" / "yujing.conf"
    else:
        config = own_folder / "mosquitto/mosquitto.conf"
        made_for = re.findall(r"(?m)^acl_file (.+)/mosquitto/acl$", config.read_text())[0]
        config.write_text(config.read_text().replace(made_for, str(own_folder)))
    lines = [line for line in config.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == f"listener 1883 {LOOPBACK}"
    with mosquitto_server(tmp_path, lines[1:]) as server:
        yield server.port


def test_a_broker_with_the_folders_passwords_takes_a_gateway_by_its_own_alone(broker: int, own_folder: Path) -> None:
    gateway = (own_folder / "secrets/gateways/sample-aluminium.GW-01").read_text().strip()
    for user, password, taken in (
        ("sample-aluminium/GW-01", gateway, True),
        ("yujing-ingest", (own_folder / "secrets/mqtt_password").read_text().strip(), True),
        ("sample-aluminium/GW-01", "guessed", False),
        ("sample-aluminium/GW-02", gateway, False),
    ):
        sent = subprocess.run(
            ["mosquitto_pub", "-h", LOOPBACK, "-p", str(broker), "-u", user, "-P", password, "-q", "1",
             "-t", "yujing/v1/sample-aluminium/GW-01/frame", "-m", "{}"],
            check=False, capture_output=True, timeout=60,
        )  # fmt: skip
        assert (sent.returncode == 0) == taken, (user, sent.stderr)


def test_the_user_by_the_recipe_may_write_its_own_database_and_nothing_else(own_folder: Path, tmp_path: Path) -> None:
    server = influxd_server(tmp_path)
    (config,) = tmp_path.rglob("influxdb.conf")
    config.write_text(config.read_text().replace("[http]\n", "[http]\n  auth-enabled = true\n"))
    file = own_folder / "yujing.toml"
    in_its_place = re.compile(r"^\[history\]\n(?:.+\n)*", re.MULTILINE)
    assert len(in_its_place.findall(file.read_text())) == 1
    settings = block("toml", "influx").replace("http://127.0.0.1:8086", server.url)
    file.write_text(in_its_place.sub(settings, file.read_text()))
    with server:
        carry_out(block("sh", "influx"), own_folder)
        user, admin = (
            (name, (own_folder / f"secrets/influxdb_{of}").read_text().strip().removeprefix("admin:"))
            for name, of in (("yujing", "password"), ("admin", "admin"))
        )
        made = HTTP.post(f"{server.url}/query", data={"q": "CREATE DATABASE other"}, auth=admin, timeout=60)
        assert made.status_code == 200, made.text
        for database, who, status in (
            ("yujing", user, 204),
            ("other", user, 403),
            ("yujing", ("yujing", "x"), 401),
        ):
            answer = HTTP.post(f"{server.url}/write?db={database}", content="m v=1", auth=who, timeout=60)
            assert answer.status_code == status, answer.text
        history = load_settings(file).history
        assert isinstance(history, InfluxV1Config)
        assert [*lacking(history)] == []
        assert doubts(file, *check_all(file)) == []
