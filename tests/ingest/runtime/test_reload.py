"""SIGHUP: what of the settings can change while the service runs."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest.base.telemetry import Event, configure_logging, emit, journald_reads
from ingest.runtime.reload import Reloader
from ingest.runtime.settings import Settings, load_in_force

PATIENCE_S = 60.0
GOOD = '[log]\nlevel = "info"\n[intake]\nclock_tolerance_s = 60\n'


@dataclass(frozen=True, slots=True)
class HornBlown(Event):
    """A horn of the test was blown."""

    sound: str


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
    """What was logged on standard error since the last call."""
    return [json.loads(line) for line in capture.readouterr().err.splitlines()]


def write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    file.write_text(text)


def pipe_at(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


async def reread(file: Path, running: Settings) -> None:
    """Request a reload, and wait for its outcome in the log."""
    rereader = Reloader(file, running, PATIENCE_S)
    rereader.request()
    await done(rereader)


async def done(rereader: Reloader) -> None:
    assert rereader._task is not None
    await rereader._task


async def test_the_level_of_the_log_changes_at_once_and_what_needs_a_restart_is_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = load_in_force(file).settings
    write(file, GOOD.replace("info", "error").replace("60", "30"))
    await reread(file, running)
    emit(HornBlown("nobody hears it"))
    assert lines(capsys) == []
    write(file, GOOD.replace("60", "30"))
    await reread(file, running)
    emit(HornBlown("heard"))
    events = lines(capsys)
    assert [event["event"] for event in events] == ["settings_reread", "horn_blown"]
    assert events[0]["restart_for"] == ["intake"]


@pytest.mark.parametrize("text", ["[log\n", '[log]\nlevel = "loud"\n'])
async def test_settings_that_cannot_be_used_change_nothing(
    text: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = load_in_force(file).settings
    configure_logging()
    write(file, text)
    await reread(file, running)
    emit(HornBlown("as before"))
    assert {line["event"] for line in lines(capsys)} == {"settings_not_reread", "horn_blown"}


async def test_a_path_that_hangs_blocks_nothing_and_is_reported_and_a_mended_one_is_read(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Again and again; what a path says after its time changes nothing."""
    running = load_in_force(file).settings
    configure_logging()
    pipe_at(file)
    hasty = Reloader(file, running, 0.05)
    hasty.request()
    await asyncio.sleep(0)  # the loop goes on
    await done(hasty)
    for _ in range(20):
        hasty.request()
        await done(hasty)
    events = lines(capsys)
    assert {(event["event"], event["key"], event["value"]) for event in events} == {
        ("settings_not_reread", "(file)", str(file))
    }
    assert len(events) == 21
    hung = [thread for thread in threading.enumerate() if thread.name == "reread"]
    assert len(hung) == 8, "and not one for each time"
    assert all(thread.daemon for thread in hung), "nobody waits for them at the end"
    pipe = os.open(file, os.O_RDWR)  # whoever waits gets something to read, too late
    os.write(pipe, b'[log]\nlevel = "error"\n')
    os.close(pipe)
    for thread in hung:
        await asyncio.to_thread(thread.join, PATIENCE_S)
    await asyncio.sleep(0)
    assert lines(capsys) == []
    write(file, GOOD)
    await reread(file, running)
    assert [line["event"] for line in lines(capsys)] == ["settings_reread"]


async def test_who_asks_while_the_settings_are_read_has_them_read_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging()
    rereader = Reloader(file, load_in_force(file).settings, PATIENCE_S)
    rereader.request()
    await asyncio.sleep(0)
    write(file, GOOD.replace("60", "30"))
    for _ in range(20):
        rereader.request()
    await done(rereader)
    assert lines(capsys)[-1]["restart_for"] == ["intake"]


def test_lines_bear_their_priority_where_journald_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nowhere else: whoever reads JSON lines from a file would stumble over it."""
    with (tmp_path / "log").open("w+") as file:
        there = os.fstat(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{there.st_dev}:{there.st_ino}")
        configure_logging(file=file)
        emit(HornBlown("here"))
        structlog.get_logger().error("broken")
        file.seek(0)
        written = file.read().splitlines()
        assert [line[:4] for line in written] == ["<6>{", "<3>{"]
        monkeypatch.setenv("JOURNAL_STREAM", "1:1")
        assert not journald_reads(file)
    assert not journald_reads(io.StringIO())
