"""What tests of many packages share: a PostgreSQL, and the state database on both systems it can lie in."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

from ingest.base.config import Secret
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests import migrated
from tests.forked import fork_servers
from tests.servers import PostgreSQL, postgresql

pytest.register_assert_rewrite("tests.conformance")
# Whatever the machine's habit: compiled code is kept. The many services and commands that tests start, and a worker for
# each processor, would compile all of it again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: a good part of what tests do is to wait for servers to start and answer."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is loaded and collected is garbage, so garbage collection is off meanwhile."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


class DoctestsWhereThereAreAny:
    """Files without doctests are not searched for them: each would be loaded, in every worker, and walked through."""

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(self, file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """Leave doctests out of what is collected of a file that has no prompt."""
        found = yield
        if any(isinstance(each, DoctestModule) for each in found) and b">>>" not in file_path.read_bytes():
            return [each for each in found if not isinstance(each, DoctestModule)]
        return found


def pytest_configure(config: pytest.Config) -> None:
    """Doctests lie beside this folder, too: what stands here as a function is asked about files below it alone."""
    config.pluginmanager.register(DoctestsWhereThereAreAny())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Restores umask and working folder after each test: commands that run in the process change both."""
    mask, folder = os.umask(0o022), Path.cwd()
    os.umask(mask)
    try:
        return (yield)
    finally:
        os.umask(mask)
        os.chdir(folder)


LONG: Final = ("deploy", "e2e", "reliability", "dashboards", "benchmarks")
"""Folders of tests that start the service, or a browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: towards the end there are short ones for every worker, and none is waited for alone."""
    items.sort(key=lambda item: not _is_long(item.path))


@cache
def _is_long(file: Path) -> bool:
    return file.relative_to(Path(__file__).parents[1]).parts[:2] in {("tests", name) for name in LONG}


def pytest_collection_finish() -> None:
    """Garbage collection passes over what lasts for the whole run.

    Before it passes over everything it waits until a quarter more has come; meanwhile databases and clients that nobody
    has any more keep their files and sockets open: a whole run could have more than `select` can wait for.
    """
    gc.freeze()
    gc.collect()  # or a quarter is still meant of what there was


@pytest.fixture(scope="session", autouse=True)
def _forked_services() -> Iterator[None]:
    """Tests fork services, from the first that somebody starts; for people benchmarks and the soak start whole ones."""
    with fork_servers():
        yield


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL for the whole run; every test takes databases of its own. To be killed by nobody."""
    # What looks after databases that grow old only gets in the way; a commit is as lasting as ever.
    with postgresql(["autovacuum=off", "checkpoint_timeout=1h", "max_wal_size=4GB"]) as server:
        yield server


@pytest.fixture
def state_at_server(postgresql_server: PostgreSQL, tmp_path: Path) -> StateConfig:
    """Settings of a new, empty database on PostgreSQL."""
    return at_server(postgresql_server, tmp_path)


@pytest.fixture(scope="session")
def databases_at_server(postgresql_server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> migrated.Emptied:
    """Databases on that server as the migrations leave them, for one test after another."""
    return migrated.Emptied(postgresql_server, at_server(postgresql_server, tmp_path_factory.mktemp("migrated")))


@pytest.fixture
def migrated_at_server(databases_at_server: migrated.Emptied, tmp_path: Path) -> Iterator[StateConfig]:
    """Settings of a database on PostgreSQL as the migrations leave it."""
    url = databases_at_server.take()
    yield settings_of(url, tmp_path)
    databases_at_server.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> StateConfig:
    """Settings of a state database as the migrations leave it: the test runs once for each system."""
    if request.param == "sqlite":
        return StateConfig(path=migrated.laid(tmp_path / "state.db"))
    at_server: StateConfig = request.getfixturevalue("migrated_at_server")
    return at_server


@pytest.fixture
def database(state: StateConfig) -> Iterator[Database]:
    """A new, empty state database, once on each system."""
    made = Database(state)
    yield made
    made.close()


def at_server(server: PostgreSQL, folder: Path) -> StateConfig:
    """Settings of a new, empty database on that server; its password goes into the folder."""
    return settings_of(server.database(), folder)


def settings_of(url: str, folder: Path) -> StateConfig:
    """Settings of a database of our role; its password goes into the folder."""
    password = folder / "state_password"
    password.write_text(PostgreSQL.PASSWORD, encoding="utf-8")
    return StateConfig(url=url, password=Secret(file=password))
