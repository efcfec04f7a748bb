"""The state database is a file or a PostgreSQL database, never both; no address contains a password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.base.config import Secret
from ingest.domain.model.fault import InvalidConfig
from ingest.runtime.settings import load_settings
from ingest.runtime.settings.check import check_all
from ingest.storage.state.config import StateConfig, server_of
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateAway, StateUnavailable
from ingest.storage.state.read_only import engine_at
from tests.authority import Authority


def faults(tmp_path: Path, text: str) -> str:
    """The faults of settings with this table."""
    file = tmp_path / "yujing.toml"
    file.write_text(f"[state]\n{text}", encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_settings(file)
    return str(caught.value)


def test_a_file_is_the_default() -> None:
    config = StateConfig()
    assert (config.server, config.folder) == (None, Path("data"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://yujing:hunter2@db.example.cn/yujing",
        "postgresql://yujing:hun@ter2/x@db.example.cn/yujing",
        "postgresql://yujing@db.example.cn/yujing?password=hunter2",
        "postgres://yujing:hunter2@[::1]:5432/yujing",
    ],
)
def test_an_address_with_a_password_is_refused_and_the_password_not_shown(tmp_path: Path, url: str) -> None:
    message = faults(tmp_path, f'url = "{url}"')
    assert "state.url" in message
    assert "without a password" in message or "USER@HOST" in message
    assert "hun" not in message
    assert "ter2" not in message


def test_not_even_where_no_address_belongs(tmp_path: Path) -> None:
    file = tmp_path / "yujing.toml"
    file.write_text('state = "postgresql://yujing:hunter2@db/yujing"', encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        load_settings(file)
    assert "hunter2" not in str(caught.value)


def test_a_file_and_a_server_are_too_much(tmp_path: Path) -> None:
    assert "not both" in faults(tmp_path, 'path = "s.db"\nurl = "postgresql://yujing@localhost/yujing"')


def test_what_belongs_to_a_server_needs_one(tmp_path: Path) -> None:
    assert "state.sslmode = 'require': expected only together with url" in faults(
        tmp_path, 'sslmode = "require"\npassword = { env = "P" }'
    )


@pytest.mark.parametrize(
    "url",
    [
        "mysql://yujing@db/yujing",
        "postgresql://db/yujing",
        "postgresql://yujing@/yujing",
        "postgresql://yujing@db",
        "postgresql://yujing@db/a/b",
        "postgresql://yujing@db:port/yujing",
        "postgresql://yujing@db/yujing?sslmode=disable",
    ],
)
def test_an_address_that_says_too_little_or_too_much_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="USER@HOST:PORT/DATABASE"):
        server_of(url)


@pytest.mark.parametrize(
    ("url", "given", "tls"),
    [
        ("postgresql://yujing@127.0.0.1/yujing", {}, "disable"),
        ("postgresql://yujing@[::1]/yujing", {}, "disable"),
        ("postgresql://yujing@%2Frun%2Fpostgresql/yujing", {}, "disable"),
        ("postgresql://yujing@db.example.cn/yujing", {"ca_file": "ca.pem"}, "verify-full"),
        ("postgresql://yujing@db.example.cn/yujing", {"sslmode": "disable"}, "disable"),
        ("postgresql://yujing@127.0.0.1/yujing", {"sslmode": "verify-full", "ca_file": "ca.pem"}, "verify-full"),
    ],
)
def test_another_machine_is_reached_by_verified_tls_unless_set_otherwise(
    url: str, given: dict[str, Any], tls: str
) -> None:
    config = StateConfig.model_validate({"url": url, **given})
    assert config.tls == tls
    assert config.folder is None, "no disk of ours"


def test_another_machine_without_an_authority_is_refused() -> None:
    with pytest.raises(ValidationError, match="the certificate of the authority"):
        StateConfig(url="postgresql://yujing@db.example.cn/yujing")


def test_the_driver_is_loaded_only_where_it_is_used() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import ingest.cli.main, sys; print('psycopg' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout == "False\n"


def test_the_check_reads_password_and_certificate_and_connects_to_nothing(tmp_path: Path) -> None:
    """Nobody listens at that address."""
    (tmp_path / "plants").mkdir()
    file = tmp_path / "yujing.toml"
    text = f"""
plants = "{tmp_path}/plants"
[state]
url = "postgresql://yujing@192.0.2.1/yujing"
password = {{ file = "{tmp_path}/password" }}
ca_file = "{tmp_path}/ca.pem"
"""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfig) as caught:
        check_all(file)
    assert {fault.key for fault in caught.value.faults if fault.key.startswith("state")} == {
        "state.password",
        "state.ca_file",
    }
    (tmp_path / "password").write_text("x")
    (tmp_path / "ca.pem").write_bytes(Authority(tmp_path / "theirs").ca.read_bytes())
    with pytest.raises(InvalidConfig) as caught:
        check_all(file)
    assert [fault.key for fault in caught.value.faults if fault.key.startswith("state")] == []


def test_a_password_that_cannot_be_read_is_a_server_that_is_away(tmp_path: Path) -> None:
    """So that the service takes in readings meanwhile; but who only asks begins nothing without it."""
    config = StateConfig(url="postgresql://yujing@127.0.0.1/yujing", password=Secret(file=tmp_path / "gone"))
    with pytest.raises(StateAway, match=r"state\.password.*gone"):
        Database(config)
    with pytest.raises(StateUnavailable, match="gone") as asked:
        engine_at(config)
    assert not isinstance(asked.value, StateAway)
