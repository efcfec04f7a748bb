"""SIGHUP: what of the settings can change while the service runs."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest.reread import reread
from ingest.settings import load_in_force
from ingest.telemetry import Event, configure_logging, emit, journald_reads

GOOD = '[log]\nlevel = "info"\n[intake]\nclock_tolerance_s = 60\n'


@dataclass(frozen=True, slots=True)
class HornBlown(Event):
    """A horn of the test was blown."""

    said: str


@pytest.fixture(autouse=True)
def _default_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings in the folder we are in, with a plant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plants").mkdir()
    (tmp_path / "yujing.toml").write_text(GOOD)
    return tmp_path / "yujing.toml"


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged on standard error since the last look."""
    return [json.loads(line) for line in capture.readouterr().err.splitlines()]


def test_the_level_of_the_log_changes_at_once_and_what_needs_a_restart_is_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = load_in_force(file).settings
    file.write_text(GOOD.replace("info", "error").replace("60", "30"))
    reread(file, running)
    emit(HornBlown("nobody hears it"))
    assert lines(capsys) == []
    file.write_text(GOOD.replace("60", "30"))
    reread(file, running)
    emit(HornBlown("heard"))
    told = lines(capsys)
    assert [one["event"] for one in told] == ["settings_reread", "horn_blown"]
    assert told[0]["restart_for"] == ["intake"]


@pytest.mark.parametrize("text", ["[log\n", '[log]\nlevel = "loud"\n'])
def test_settings_that_cannot_be_used_change_nothing(text: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = load_in_force(file).settings
    configure_logging()
    file.write_text(text)
    reread(file, running)
    emit(HornBlown("as before"))
    assert {one["event"] for one in lines(capsys)} == {"settings_not_reread", "horn_blown"}


def test_lines_bear_their_priority_where_journald_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nowhere else: whoever reads JSON lines from a file would stumble over it."""
    with (tmp_path / "log").open("w+") as file:
        there = os.fstat(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{there.st_dev}:{there.st_ino}")
        configure_logging(file=file)
        emit(HornBlown("here"))
        structlog.get_logger().error("broken")
        file.seek(0)
        said = file.read().splitlines()
        assert [line[:4] for line in said] == ["<6>{", "<3>{"]
        monkeypatch.setenv("JOURNAL_STREAM", "1:1")
        assert not journald_reads(file)
    assert not journald_reads(io.StringIO())
