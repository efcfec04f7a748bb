from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from ingest.domain.model.fault import InvalidConfig
from ingest.plants import file_watcher
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import PlantFiles
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.saved_files import SavedFiles

DEADLINE_S = 30
SETTLE_S = 0.05


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def fingerprints(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What each check of the files found, in order."""
    found: list[object] = []
    fingerprint = file_watcher._fingerprint

    def noted(directory: Path) -> object:
        found.append(fingerprint(directory))
        return found[-1]

    monkeypatch.setattr(file_watcher, "_fingerprint", noted)
    return found


@asynccontextmanager
async def watching(
    directory: Path, poll_s: float = 0.1, wait_s: float = 0
) -> AsyncIterator[asyncio.Queue[PlantConfiguration]]:
    """A running watch; its configurations come out of the queue."""
    found: asyncio.Queue[PlantConfiguration] = asyncio.Queue()
    files = PlantFiles(directory, SavedFiles(directory.parent / "kept"), wait_s=wait_s)
    numbering = MemoryNumbering()
    with suppress(InvalidConfig):
        files.load(numbering, 1)
    changes = file_watcher.configurations(
        directory, partial(files.load, numbering), due=lambda: files.due, poll_s=poll_s, settle_s=SETTLE_S
    )

    async def follow() -> None:
        async for configuration in changes:
            found.put_nowait(configuration)

    async with asyncio.timeout(DEADLINE_S):
        task = asyncio.create_task(follow())
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait([task])
    assert task.cancelled()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.02)


def save(file: Path, text: str) -> None:
    """As an editor does: beside it, then renamed onto it."""
    beside = file.with_name(f".{file.name}.swp")
    beside.write_text(text, encoding="utf-8")
    beside.rename(file)


def move(directory: Path, to: Path) -> None:
    directory.rename(to)


def setpoint(configuration: PlantConfiguration) -> float | None:
    point = configuration.find("demo-aluminium", "CW_IN_P-01")
    return point.setpoint if point is not None else None


async def test_a_changed_file_gives_a_new_roster(directory: Path, demo: str) -> None:
    async with watching(directory) as changed:
        (directory / "demo-aluminium.toml").write_text(demo.replace("0.35", "0.41"), encoding="utf-8")
        configuration = await changed.get()
    assert setpoint(configuration) == 0.41
    assert configuration.version == 2


async def test_versions_count_up(directory: Path, demo: str) -> None:
    async with watching(directory) as changed:
        found = []
        for number in ("0.36", "0.37"):
            save(directory / "demo-aluminium.toml", demo.replace("0.35", number))
            found.append(await changed.get())
    assert [(setpoint(configuration), configuration.version) for configuration in found] == [(0.36, 2), (0.37, 3)]


async def test_a_bad_file_is_refused_and_the_repaired_one_accepted(
    directory: Path, demo: str, logs: list[EventDict]
) -> None:
    """The old configuration stays in force meanwhile, and every fault is in the log."""
    file = directory / "demo-aluminium.toml"
    async with watching(directory) as changed:
        bad = demo.replace("91350100M000100Y43", "1").replace('"ALC_CW_IN_P"', '"ALC_CW_P"')
        save(file, bad)
        await until(lambda: sum(entry["event"] == "plant_file_fault" for entry in logs) >= 2)
        save(file, demo.replace("0.35", "0.40"))
        configuration = await changed.get()
    assert setpoint(configuration) == 0.40
    assert configuration.version == 2
    refused = [entry for entry in logs if entry["event"] == "plant_file_refused"]
    assert [(entry["in_force"], entry["faults"], entry["log_level"]) for entry in refused] == [
        ("the last good file", 2, "error")
    ]
    keys = [entry["key"] for entry in logs if entry["event"] == "plant_file_fault"]
    assert keys == ["enterprise.uscc", "points.0.signal (CW_IN_P-01)"]


async def test_an_editors_save_by_rename_is_seen(directory: Path, demo: str) -> None:
    async with watching(directory) as changed:
        for number in (0.42, 0.43):  # the second save replaces a file that was itself put there by a rename
            save(directory / "demo-aluminium.toml", demo.replace("0.35", str(number)))
            assert setpoint(await changed.get()) == number


async def test_a_replaced_directory_is_watched_on(directory: Path, demo: str, tmp_path: Path) -> None:
    """Deployments swap the whole directory; changes after that count as well."""
    async with watching(directory) as changed:
        new = tmp_path / "new"
        new.mkdir()
        (new / "demo-aluminium.toml").write_text(demo.replace("0.35", "0.38"), encoding="utf-8")
        move(directory, tmp_path / "old")
        move(new, directory)
        while setpoint(await changed.get()) != 0.38:
            pass
        save(directory / "demo-aluminium.toml", demo.replace("0.35", "0.39"))
        assert setpoint(await changed.get()) == 0.39


async def test_a_swapped_link_is_seen(directory: Path, demo: str, tmp_path: Path) -> None:
    """Mounted configuration is a link to a directory that changes its target."""
    link = tmp_path / "current"
    link.symlink_to(directory)
    new = tmp_path / "new"
    new.mkdir()
    (new / "demo-aluminium.toml").write_text(demo.replace("0.35", "0.44"), encoding="utf-8")
    async with watching(link) as changed:
        beside = tmp_path / "next"
        beside.symlink_to(new)
        beside.rename(link)
        assert setpoint(await changed.get()) == 0.44


async def test_a_plant_file_may_come_and_go(directory: Path, demo: str) -> None:
    second = directory / "second.toml"
    async with watching(directory) as changed:
        save(second, demo.replace('"demo-aluminium"', '"second"'))
        assert [plant.id for plant in (await changed.get()).enterprises()] == ["demo-aluminium", "second"]
        second.unlink()
        assert [plant.id for plant in (await changed.get()).enterprises()] == ["demo-aluminium"]


async def test_without_a_changed_plant_file_nothing_is_reloaded(directory: Path, fingerprints: list[object]) -> None:
    """Neither another file nor the mere passing of time is a reason."""
    async with watching(directory) as changed:
        await until(lambda: len(fingerprints) >= 2)
        (directory / "notes.txt").write_text("x", encoding="utf-8")
        await until(lambda: len(fingerprints) >= 5)
        assert changed.empty()


@pytest.mark.parametrize("there_at_the_start", [True, False])
async def test_a_directory_that_is_away_for_a_while_is_waited_for(
    directory: Path, demo: str, tmp_path: Path, fingerprints: list[object], there_at_the_start: bool
) -> None:
    """Nothing is loaded meanwhile: what is in force stays so."""
    away = tmp_path / "away"
    if not there_at_the_start:
        move(directory, away)
    async with watching(directory) as changed:
        if there_at_the_start:
            move(directory, away)
        await until(lambda: fingerprints[-2:] == [None, None])
        save(away / "demo-aluminium.toml", demo.replace("0.35", "0.47"))
        move(away, directory)
        configuration = await changed.get()
        assert (setpoint(configuration), configuration.version) == (0.47, 2)


async def test_a_change_before_the_first_check_is_not_missed(directory: Path, demo: str) -> None:
    """What changes between the call and the start of the iteration counts."""
    changes = file_watcher.configurations(
        directory, partial(load_configuration, directory, MemoryNumbering()), poll_s=0.1
    )
    save(directory / "demo-aluminium.toml", demo.replace("0.35", "0.46"))
    async with asyncio.timeout(DEADLINE_S):
        assert setpoint(await anext(changes)) == 0.46
