"""`deploy/yujing.sh`: a command by the documented name has the unit's secrets, and leaves none behind."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from ingest.base.config import Secret
from ingest.domain.model.audit import Act
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.read_only import EngineProgress, engine_at
from tests.deploy.test_commands import YUJING
from tests.deploy.written import DEPLOY
from tests.ingest.storage.journal.entries import filled
from tests.servers import PostgreSQL

SETTINGS = """
[mqtt]
port = 1
[[api.tokens]]
name = "admin"
role = "admin"
token = { file = "/run/credentials/yujing.service/admin_token" }
"""


@pytest.fixture
def machine(tmp_path: Path, installed: Path) -> Path:
    """/etc/yujing with a plant and a secret that only root can read, and an empty /run."""
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / "admin_token").write_text("0123456789abcdef" * 4)
    (tmp_path / "yujing.toml").write_text(SETTINGS)
    shutil.copytree(installed / "plants", tmp_path / "plants")
    return tmp_path


def command(machine: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As an administrator types it in /etc/yujing, with this machine's folders."""
    environment = os.environ | {
        "YUJING_ETC": str(machine),
        "YUJING_USER": getpass.getuser(),
        "YUJING_PROGRAM": str(YUJING),
        "YUJING_RUN": str(machine / "run"),
    }
    return subprocess.run(
        [DEPLOY / "yujing.sh", *words],
        env=environment,
        cwd=machine,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="it is for root, who alone can read the secrets")
def test_a_command_finds_the_units_secrets_and_leaves_none_behind(machine: Path) -> None:
    config = str(machine / "yujing.toml")
    result = command(machine, "check", "--config", config)
    assert result.returncode == 0, result.stderr
    assert "配置有效 valid" in result.stdout
    assert list((machine / "run").iterdir()) == []
    (machine / "secrets" / "admin_token").unlink()
    refused = command(machine, "check", "--config", config)
    assert refused.returncode == 2, "and its exit code is the command's"
    assert "admin_token" in refused.stderr
    assert list((machine / "run").iterdir()) == []


def test_without_it_the_folder_of_the_secrets_is_named(machine: Path) -> None:
    check = ["check", "--config", str(machine / "yujing.toml")]
    alone = subprocess.run([YUJING, *check], capture_output=True, text=True, check=False)
    assert alone.returncode == 2
    given = subprocess.run(
        [YUJING, "--secrets", str(machine / "secrets"), *check], capture_output=True, text=True, check=False
    )
    assert given.returncode == 0, given.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="it is for root, who alone can read the secrets")
def test_the_state_moves_to_postgresql_with_the_units_password(machine: Path, postgresql_server: PostgreSQL) -> None:
    """Not without it, which is named, nor twice. By the page: test_operations.py."""
    filled(machine / "data" / "journal.db", 1).close()
    with closing(Database(machine / "data" / "state.db")) as database:
        act = Act(1, "yujing", "service", "raised", "alarm", "1", "p", {})
        EngineStore(database).commit(1, [], [], acts=[act])
    url = postgresql_server.database()
    state = f'[state]\nurl = "{url}"\npassword = {{ file = "/run/credentials/yujing.service/state_password" }}\n'
    (machine / "new.toml").write_text(SETTINGS + state)

    def copy() -> subprocess.CompletedProcess[str]:
        return command(machine, "state", "copy", "--config", "yujing.toml", "--to", "new.toml")

    without = copy()
    assert without.returncode == 2, without.stderr
    for named in ("new.toml", "state.password", "state_password", "/etc/yujing/secrets"):
        assert named in without.stderr
    secret = machine / "secrets" / "state_password"
    secret.write_text(postgresql_server.PASSWORD)
    secret.chmod(0o400)
    copied = copy()
    assert copied.returncode == 0, copied.stderr
    assert "audit: 1" in copied.stdout
    twice = copy()
    assert (twice.returncode, "not empty" in twice.stderr) == (2, True)
    there = StateConfig(url=url, password=Secret(file=secret))
    assert engine_at(there) == EngineProgress(1, 0)
    assert list((machine / "run").iterdir()) == []


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda script: script.name)
def test_refusals_of_scripts_are_in_chinese_too(script: Path) -> None:
    refusals = re.findall(r'echo "(.+)" >&2', script.read_text(encoding="utf-8"))
    assert refusals
    for words in refusals:
        assert re.search("[\u4e00-\u9fff]+.* [a-z]{2,} [a-z]{2,}", words), words
