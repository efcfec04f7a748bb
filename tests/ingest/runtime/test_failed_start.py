"""A service that cannot be built or started lets go of everything: files, locks, addresses, threads."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingest.base.telemetry import REGISTRY
from ingest.engine.engine import Engine
from ingest.intake.intake import Intake
from ingest.intake.sources.mqtt import MqttSource
from ingest.runtime import opening, receiving, service, serving
from ingest.runtime.live import ServiceMetrics
from ingest.runtime.service import Service
from ingest.runtime.settings import InForce, Settings
from ingest.storage.history import duck, duck_file
from ingest.storage.history.writer import HistoryWriter
from ingest.storage.journal import connection, journal
from ingest.storage.state import database
from ingest.web import server
from ingest.web.app import build_api
from tests.migrated import laid
from tests.small_plant import write_plant


class Injected(Exception):
    """What stands for anything that may go wrong."""


BUILDERS: tuple[Callable[..., Any], ...] = (
    Service._build,
    opening.open_data,
    opening.open_history,
    opening.plant_files,
    opening.first_configuration,
    receiving.receiving,
    serving.ports_of,
    serving.ServedApi.__init__,
    server.ApiServer.__init__,
    journal.Journal.__init__,
    connection.open_writer,
    database.Database.__init__,
    duck.DuckDBStore.__init__,
    duck_file.DuckFile.__init__,
)
"""Whatever opens something, or calls what does, while a service is built."""


OURS = {"partial", "closed_on_failure"}
"""What sees to it, and no stage."""


def stages() -> Iterator[tuple[dict[str, Any], str]]:
    """Every name that one of the builders may call: where it is looked up, and the name."""
    for builder in BUILDERS:
        code, names = builder.__code__, builder.__globals__
        yield from ((names, name) for name in code.co_names if callable(names.get(name)) and name not in OURS)


def _file(fd: Path) -> str | None:
    try:
        return f"{fd.name} {fd.readlink() if fd.is_symlink() else ''}"
    except FileNotFoundError:  # closed meanwhile, as the one is by which this folder is read
        return None


def held() -> set[object]:
    """Open files with what they are, threads, and metrics of services, of this process."""
    fds = Path("/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd")
    files = filter(None, map(_file, fds.iterdir()))
    metrics = (collector for collector in REGISTRY._collector_to_names if isinstance(collector, ServiceMetrics))
    return {*files, *threading.enumerate(), *metrics}


@pytest.fixture
def in_force(tmp_path: Path) -> InForce:
    """Settings with files of every kind that a service may hold, beside each other."""
    return InForce(
        Settings.model_validate(
            {
                "plants": write_plant(tmp_path),
                "journal": {"path": tmp_path / "journal.db", "reserve_mb": 0},
                "state": {"path": tmp_path / "state.db"},
                "history": {"kind": "duckdb", "path": tmp_path / "history.duckdb"},
                "mqtt": {"port": 1},
                "api": {"port": 0},
            }
        )
    )


@pytest.fixture(autouse=True)
def _one_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API opens nothing, is asked nothing here, and takes longer to build than all the rest."""
    monkeypatch.setattr(server, "build_api", _application)


@cache
def _kept() -> list[Any]:
    return []


def _application(*parts: Any, **options: Any) -> Any:
    if not _kept():
        _kept().append(build_api(*parts, **options))
    return _kept()[0]


class Fails:
    """Stands for a function or a class that cannot do its work."""

    def __call__(self, *_: Any, **__: Any) -> None:
        raise Injected

    def __getattr__(self, _name: str) -> None:
        raise Injected


async def test_whichever_part_cannot_be_built_nothing_stays_open(
    in_force: InForce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next try finds every file free, as the one after a mended fault does."""
    laid(in_force.settings.state.path)
    Service(in_force, new=True)._opened.close()  # what is loaded at the first use is
    gc.collect()  # what tests before have left
    before, failed = held(), set[str]()
    for names, name in stages():
        with monkeypatch.context() as patched:
            patched.setitem(names, name, Fails())
            try:
                built = Service(in_force, new=True)
            except Injected as error:  # it holds on to the frames, so that nothing is closed by chance
                assert held() - before == set(), name
                failed.add(name)
                del error
            else:  # called later, if at all
                built._opened.close()
                del built
    assert {
        "require_installation",
        "Database",
        "open_history",
        "Engine",
        "ServedApi",
        "migrate",
        "DuckMaintenance",
    } < failed
    assert len(failed) > 40


@pytest.mark.parametrize("part", [Engine, HistoryWriter, Intake, MqttSource, InForce, "expose_counters", "settle_heap"])
async def test_whichever_part_cannot_be_started_nothing_stays_open(
    in_force: InForce, monkeypatch: pytest.MonkeyPatch, part: type | str
) -> None:
    gc.collect()
    before = held()
    if isinstance(part, str):
        monkeypatch.setattr(service, part, Fails())
    else:
        monkeypatch.setattr(part, "keep" if part is InForce else "start", Fails())
    built = Service(in_force, new=True)
    with pytest.raises(Injected):
        await built.run(asyncio.Event())
    assert isinstance(built._source, MqttSource)
    built._source._client._reset_sockets(sockpair_only=True)  # paho does so only when nobody has it any more
    assert held() - before == set()
