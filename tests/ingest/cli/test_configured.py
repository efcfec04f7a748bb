"""Whoever runs a command leaves nothing behind that the service's user cannot open."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ingest.cli.configured import format_time, parse_time
from ingest.cli.main import app
from ingest.storage.journal.journal import Journal
from tests import migrated

WRITING = [
    ["init"],
    ["state", "repair"],
    ["state", "copy", "--to", "new.toml"],
    ["journal", "trim", "--older-than", "1h"],
    ["quarantine", "retry", "--all"],
    ["quarantine", "drop", "--all", "--yes"],
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data of another user, and we are root, or are taken for it."""
    monkeypatch.chdir(tmp_path)
    for name in ("yujing.toml", "new.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    folder = tmp_path / "data"
    folder.mkdir()
    Journal(folder / "journal.db").close()
    migrated.opened(folder / "state.db").close()
    if os.geteuid() == 0:
        for place in (folder, *folder.iterdir()):
            os.chown(place, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_root_does_not_write_among_files_of_another_user_and_gets_the_right_command(
    data: Path, command: list[str]
) -> None:
    before = {file: file.stat().st_uid for file in data.parent.rglob("*")}
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2, result.output
    assert "belongs to" in result.output
    assert "runuser -u" in result.output
    assert {file: file.stat().st_uid for file in data.parent.rglob("*")} == before


def test_root_may_read_everything(data: Path) -> None:
    result = CliRunner().invoke(app, ["verify"])
    assert "belongs to" not in result.output
    assert result.exit_code == 0, result.output
    owner = data.stat().st_uid
    assert {file.stat().st_uid for file in data.iterdir()} == {owner}


@pytest.fixture(params=["America/New_York", "UTC", "Asia/Shanghai"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in another zone than the plants."""
    with monkeypatch.context() as zone:
        zone.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def test_times_are_those_of_the_plants_wherever_the_machine_stands(elsewhere: None) -> None:
    """What is printed names its zone, and what was printed or shown is read as it was meant."""
    noon = 1_795_406_400_000_000_000
    assert format_time(noon) == "2026-11-23 12:00:00+08:00"
    for text in (
        "2026-11-23T12:00",
        "2026-11-23 12:00:00",
        format_time(noon),
        "2026-11-23T04:00Z",
        "2026-11-22T23:00-05:00",
    ):
        assert parse_time(text, "--from") == noon
    with pytest.raises(typer.BadParameter, match=r"plant time \(\+08:00\)"):
        parse_time("noon", "--from")


@pytest.mark.parametrize("text", ["0001-01-01", "1677-01-01", "2262-06-01", "9999-12-31"])
def test_a_year_that_no_database_holds_is_refused_by_name(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=rf"{text}.*1678 至 2261 年.*years 1678 to 2261"):
        parse_time(text, "--to")
    assert parse_time("1678-01-01", "--from") < 0 < parse_time("2261-12-31", "--to")


@pytest.mark.parametrize(
    "command", [[], ["check"], ["journal"], ["journal", "export"], ["simulate", "platform"], ["replay"]]
)
def test_every_command_tells_its_help_by_either_name(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("-h", "--help"):
        result = CliRunner().invoke(app, [*command, name])
        assert result.exit_code == 0, result.output
        assert "Usage" in result.output + capfd.readouterr().out
