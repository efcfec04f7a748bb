"""What `docs/extending.md` says is enough: each toy has no more than it names, is small, and passes its suite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest.base.config import Secret, chosen_by_kind, tables_of
from ingest.base.pace import PaceConfig
from ingest.delivery.config import ConnectorsConfig, open_connectors
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.config import SourceConfig
from ingest.intake.sources.feed import Feed
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.registry import SOURCES, open_source
from ingest.intake.sources.source import Source
from ingest.intake.wire.format import FrameFormat
from ingest.runtime.settings import Settings
from ingest.runtime.settings.settings import files_of
from ingest.storage.history.registry import KINDS, StoreKind, open_store
from ingest.storage.history.store import HistoryStore
from tests.conformance.connector import ConnectorPromises, HttpFarEnd, Wired
from tests.conformance.frame_format import FrameFormatPromises
from tests.conformance.history_phases import HistoryPhases
from tests.conformance.history_store import HistoryQueries, HistoryWrites, Kept
from tests.conformance.journal import JournalPromises
from tests.conformance.source import TOPIC, SourcePromises
from tests.conformance.toys.chat_robot import ChatRobotConfig
from tests.conformance.toys.csv_format import CsvFormat
from tests.conformance.toys.folder_source import FolderConfig, FolderSource
from tests.conformance.toys.sqlite_history import SqliteConfig, SqliteStore
from tests.ingest.delivery.outbox import START, early_warning
from tests.ingest.delivery.receiver import Receiver

TOYS = Path(__file__).parent / "toys"


@pytest.mark.parametrize("toy", sorted(TOYS.glob("*.py")), ids=lambda toy: toy.stem)
def test_a_toy_is_one_small_file(toy: Path) -> None:
    assert len(toy.read_text(encoding="utf-8").splitlines()) <= 80


def test_every_file_and_name_of_the_page_on_extending_is_there() -> None:
    """Paths between backticks, but for those of what is still to be written (`<kind>`); and the suites by name."""
    root = TOYS.parents[2]
    page = (root / "docs" / "extending.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:[a-z_]+/)+[\w.]*)`", page))
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (root / path).exists()] == []
    for suite in (
        ConnectorPromises,
        FrameFormatPromises,
        HistoryWrites,
        HistoryPhases,
        HistoryQueries,
        JournalPromises,
        SourcePromises,
    ):
        assert f"`{suite.__name__}`" in page
    assert {path.name for path in TOYS.glob("*.py")} == set(re.findall(r"Toy: `(.+?)`", page))


class TestChatRobot(ConnectorPromises):
    @pytest.fixture
    def wired(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
        monkeypatch.setenv("CHAT_TOKEN", "a token of the tests")
        with Receiver() as receiver:
            config = ChatRobotConfig(name="night-shift", url=receiver.url, token=Secret(env="CHAT_TOKEN"), timeout_s=1)
            far = HttpFarEnd(receiver, lambda request: [request.headers["idempotency-key"]])
            yield Wired(config, config.open_connector(lambda: START), far, ("a token of the tests",))


async def test_one_line_in_the_registry_of_connectors_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """With it, `[[connectors.chat_robots]]` is read, named, written to, opened, and off by itself if it has a fault."""

    class WithToy(ConnectorsConfig):
        chat_robots: tuple[ChatRobotConfig, ...] = ()

    monkeypatch.setenv("CHAT_TOKEN", "a token of the tests")
    robot = {"name": "night-shift", "url": "https://chat.example/", "token": {"env": "CHAT_TOKEN"}}
    config = WithToy.model_validate({"chat_robots": [robot]})
    assert WithToy.tables() == (*ConnectorsConfig.tables(), "chat_robots")
    assert config.names() == config.recipients("alarm", "p", 2) == config.warned(early_warning()) == ("night-shift",)
    assert config.recipients("readings", "p") == ()
    (connector,) = open_connectors(config)
    assert connector.name == "night-shift"
    await connector.close()
    with pytest.raises(ValidationError, match="a name that no other connector has"):
        WithToy.model_validate({"chat_robots": [robot, robot]})


class TestCsvFormat(FrameFormatPromises):
    @pytest.fixture
    def fmt(self) -> FrameFormat:
        return CsvFormat()


def _raised(error: BaseException) -> None:
    raise error


@dataclass
class Share:
    """A folder that gateways write to."""

    folder: Path
    sent: int = 0

    def source(self, handover: Handover, *, known: bool, failed: Callable[[BaseException], None] = _raised) -> Source:
        feed = Feed(handover, Clock(), known, lambda _topic, _size: True, failed, PaceConfig().reads())
        return open_source(FolderConfig(path=self.folder), feed, {**SOURCES, FolderConfig: FolderSource})

    def send(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.sent += 1
            part = self.folder / "part"
            part.write_bytes(TOPIC.encode() + b"\n" + payload)
            part.rename(self.folder / f"{self.sent}.frame")

    def leave(self) -> None:
        self.folder.rename(self.folder.with_name("unmounted"))

    def come_back(self) -> None:
        self.folder.with_name("unmounted").rename(self.folder)

    def settle(self, source: Source) -> None:
        """It is done when it returns."""

    def heard(self) -> bytes | None:
        file = self.folder / "p.g.committed"
        return file.read_bytes() if file.exists() else None


class TestFolderSource(SourcePromises):
    @pytest.fixture
    def far(self, tmp_path: Path) -> Share:
        folder = tmp_path / "share"
        folder.mkdir()
        return Share(folder)


def test_a_line_in_the_registry_of_sources_and_a_table_are_enough(tmp_path: Path) -> None:
    """With them the settings choose the toy; the broker is taken where no other is named, and two are one too many."""

    class WithToy(Settings):
        folder: FolderConfig | None = None

    table = {"path": tmp_path}
    chosen = WithToy.model_validate({"folder": table})
    assert (chosen.source, chosen.source_table) == (FolderConfig(path=tmp_path), "folder")
    assert chosen.source.address == str(tmp_path)
    assert WithToy().source == WithToy().mqtt
    with pytest.raises(ValidationError, match=r"one source of readings: \[mqtt\] is given, too"):
        WithToy.model_validate({"mqtt": {"port": 1884}, "folder": table})


def test_a_secret_of_any_source_is_checked_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its key is called."""

    class LockedConfig(FolderConfig):
        passphrase: Secret

    class WithToy(Settings):
        locked: LockedConfig | None = None

    settings = WithToy.model_validate({"locked": {"path": tmp_path, "passphrase": {"env": "PASSPHRASE"}}})
    ((table, fault),) = files_of(settings, tmp_path / "yujing.toml")
    assert (table, fault.key, fault.value) == ("locked", "locked.passphrase", "(hidden)")
    monkeypatch.setenv("PASSPHRASE", "open sesame")
    assert not [*files_of(settings, tmp_path / "yujing.toml")]


def test_every_source_of_the_settings_is_in_the_registry() -> None:
    found = {Settings.model_fields[table].annotation for table in tables_of(Settings, SourceConfig)}
    assert found == {*SOURCES}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    again = partial(SqliteStore, SqliteConfig(path=tmp_path / "toy.db"))
    store = again()
    yield Kept(
        store,
        store.count_readings,
        lambda: len(store.ask("SELECT id FROM kept WHERE kind = '(alarm)'")),
        lambda: len(store.ask("SELECT id FROM kept WHERE kind = '(warning)'")),
        lambda: [raised for (raised,) in store.ask("SELECT value FROM kept WHERE kind = '(slot)' ORDER BY time")],
        again,
    )
    store.close()


class TestSqliteWrites(HistoryWrites):
    """In its file."""


class TestSqliteQueries(HistoryQueries, HistoryPhases):
    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Callable[[], HistoryStore]:
        (tmp_path / "broken.db").write_bytes(b"no database" * 1000)
        return partial(SqliteStore, SqliteConfig(path=tmp_path / "broken.db"))


def test_one_line_in_the_registry_of_histories_is_enough(tmp_path: Path) -> None:
    """With it, `history.kind` chooses the toy."""
    kinds = {**KINDS, "sqlite": StoreKind(SqliteConfig, f"{SqliteStore.__module__}:SqliteStore")}
    history = chosen_by_kind({name: kind.config for name, kind in kinds.items()}, default="duckdb")
    found = TypeAdapter(history).validate_python({"kind": "sqlite", "path": tmp_path / "toy.db"})
    assert isinstance(found, SqliteConfig)
    with closing(open_store(found, kinds)) as store:
        assert isinstance(store, SqliteStore)
