"""`yujing init DIR` gives a newcomer a whole installation in one folder, and takes nothing from anybody."""

from __future__ import annotations

import getpass
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.base.config import Secret
from ingest.cli.main import app
from ingest.cli.scaffold import write_folder
from ingest.runtime.settings import Settings
from ingest.runtime.settings.check import check_all
from ingest.runtime.settings.doubts import doubts
from ingest.services.config import TokenConfig
from tests.deploy.written import DEPLOY


def init(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["init", str(folder), *more])


def contents(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_the_files_written_are_valid_at_once_and_listed_with_the_next_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder"
    result = init(folder)
    assert result.exit_code == 0, result.output
    for file in contents(folder):
        assert f"  {file} " in result.output
    assert f"yujing check --config '{folder}/yujing.toml'" in result.output
    monkeypatch.chdir(folder)
    assert doubts(Path("yujing.toml"), *check_all(Path("yujing.toml"))) == []


def test_all_settings_are_the_defaults_but_who_may_do_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    settings, _ = check_all(Path("yujing.toml"))
    assert (
        settings.model_copy(update={name: getattr(Settings(), name) for name in ("mqtt", "api", "calls")}) == Settings()
    )
    assert settings.mqtt == Settings().mqtt.model_copy(
        update={"username": "yujing-ingest", "password": Secret(file=Path("secrets/mqtt_password"))}
    )
    assert settings.api.tokens == (
        TokenConfig(name="admin", role="admin", token=Secret(file=Path("secrets/admin_token"))),
    )


def test_it_is_readable_by_its_owner_alone_and_no_two_folders_share_a_secret(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        write_folder(folder)
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    first, other = map(contents, folders)
    secrets = [name for name in first if name.startswith("secrets/")]
    assert sorted(secrets) == [
        "secrets/admin_token",
        "secrets/gateways/sample-aluminium.GW-01",
        "secrets/mqtt_password",
    ]
    values = [text for written in (first, other) for name in secrets if (text := written[name])]
    assert len(set(values)) == 6
    assert {len(text.strip()) for text in values} == {64}


@pytest.mark.parametrize("there", ["yujing.toml", "secrets/admin_token", "yujing.service"])
def test_nothing_is_overwritten_and_what_is_in_the_way_is_named(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).symlink_to(tmp_path / "nowhere")  # a link that leads nowhere is in the way, too
    result = init(tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path / there}: 已存在 is there already" in result.output
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == [tmp_path / there]
    (tmp_path / there).unlink()
    assert init(tmp_path).exit_code == 0
    before = contents(tmp_path)
    again = init(tmp_path)
    assert again.exit_code == 2
    assert all(f"{tmp_path / file}: " in again.output for file in before)
    assert contents(tmp_path) == before


def test_an_unwritable_folder_is_reported_and_left_without_partial_files(tmp_path: Path) -> None:
    (tmp_path / "mosquitto").write_text("a file where a folder should be")
    result = init(tmp_path)
    assert result.exit_code == 1
    assert "无法写入 cannot be written" in result.output
    assert list(contents(tmp_path)) == ["mosquitto"]
    assert init(Path("/proc/nowhere")).exit_code == 1


def test_a_folder_and_settings_are_not_taken_together(tmp_path: Path) -> None:
    """One writes files, the other makes data: nothing is guessed."""
    result = init(tmp_path / "d", "--config", "other.toml")
    assert result.exit_code == 2
    assert not (tmp_path / "d").exists()


def unit_of(text: str) -> dict[str, list[str]]:
    """Section.key -> its values."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(f"{section}{key}", []).append(value)
    return found


def test_the_unit_runs_this_program_on_this_folder_as_hardened_as_the_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "50% of it"
    write_folder(folder)
    own = unit_of((folder / "yujing.service").read_text())
    shipped = unit_of((DEPLOY / "yujing.service").read_text())
    program, config = own.pop("[Service]ExecStart")[0].split(" run --config ")
    assert Path(program).name == "yujing"
    assert config == f'"{str(folder).replace("%", "%%")}/yujing.toml"'
    assert own.pop("[Service]ReadWritePaths") == [f'"{str(folder).replace("%", "%%")}/data"']
    assert own.pop("[Service]User") == ["yujing" if os.geteuid() == 0 else getpass.getuser()]
    assert own.pop("[Service]ProtectHome")[0] in {"true", "read-only"}
    given_up = {key for key in shipped if key not in own}
    assert given_up == {f"[Service]{key}" for key in (
        "ExecStart", "User", "Group", "ProtectHome", "StateDirectory", "StateDirectoryMode", "LoadCredential",
    )}  # fmt: skip
    assert own == {key: value for key, value in shipped.items() if key not in given_up}
