"""Missing data is reported: an empty folder is never taken for a plant where all is well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from ingest.cli.main import app
from ingest.runtime.installation import DataMissing, require_data, require_installation
from ingest.storage.journal.journal import Journal
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.installation import InstallationStore
from tests import migrated
from tests.small_plant import write_plant


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Journal, Database]]:
    folder.mkdir(exist_ok=True)
    journal, database = Journal(folder / "journal.db"), migrated.opened(folder / "state.db")
    try:
        yield journal, database
    finally:
        database.close()
        journal.close()


def use(journal: Journal, database: Database) -> None:
    """What every service does soon after its start."""
    journal.number_points([("p", "P1")])
    EngineStore(database).commit(0, [], [], b"")


def start(folder: Path, *, new: bool = False) -> str:
    """A service that starts on the data and uses it; the installation's id."""
    with opened(folder) as (journal, database):
        store = InstallationStore(database)
        installation = require_installation(journal, store, new=new)
        use(journal, database)
        assert journal.installation() == store.read() == installation
        return installation


def lose(folder: Path, name: str) -> None:
    for file in folder.glob(f"{name}.db*"):
        file.unlink()


def test_an_empty_folder_is_refused_until_somebody_says_that_it_is_right(tmp_path: Path) -> None:
    for _ in range(2):  # the files that the first try has made do not make it right
        with pytest.raises(DataMissing, match="is the disk mounted"):
            start(tmp_path)
    made = start(tmp_path, new=True)
    assert start(tmp_path) == start(tmp_path, new=True) == made


def test_a_state_database_that_is_lost_is_named_and_begun_anew_only_on_request(tmp_path: Path) -> None:
    made = start(tmp_path, new=True)
    lose(tmp_path, "state")
    for _ in range(2):
        with pytest.raises(DataMissing, match=r"state is empty, though journal is not: .* backup"):
            start(tmp_path)
    assert start(tmp_path, new=True) == start(tmp_path) == made


def test_a_journal_that_is_lost_is_never_begun_anew_beside_its_state(tmp_path: Path) -> None:
    """It gives points their numbers: others would go on with the memory of these."""
    start(tmp_path, new=True)
    lose(tmp_path, "journal")
    for new in (False, True, False):
        with pytest.raises(DataMissing, match=r"journal is empty, though state is not: .* backup"):
            start(tmp_path, new=new)
    lose(tmp_path, "state")
    start(tmp_path, new=True)


def test_a_state_database_in_which_another_service_writes_is_not_to_be_moved_away(tmp_path: Path) -> None:
    """A journal's path with a typo beside the state of a service that runs: that one is named, and nothing else."""
    start(tmp_path, new=True)
    state, names = StateConfig(path=tmp_path / "state.db"), ("journal", "state")
    opened = "from ingest.storage.state.database import Database; d = Database(pathlib.Path(sys.argv[1]))"
    writes = f"import sys, pathlib; {opened}; print(); input()"
    command = [sys.executable, "-u", "-c", writes, str(state.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StateUnavailable, match="another process writes here"):
            require_data(tmp_path / "jurnal.db", state, new=True, names=names)
        other.communicate("\n", timeout=60)
    with pytest.raises(DataMissing, match="restore both from one backup"):
        require_data(tmp_path / "jurnal.db", state, new=True, names=names)


def test_files_of_two_installations_are_refused_whatever_is_asked_for(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    start(here, new=True)
    start(there, new=True)
    lose(here, "state")
    for file in there.glob("state.db*"):
        file.rename(here / file.name)
    for new in (False, True):
        with pytest.raises(DataMissing, match="of installation"):
            start(here, new=new)


def test_data_of_a_version_without_marks_goes_on_wherever_its_first_start_is_cut_off(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, database):
        use(journal, database)
    with opened(tmp_path) as (journal, _):
        journal.mark("cut off")
    assert start(tmp_path) == start(tmp_path) == "cut off"


@pytest.mark.parametrize("lost", ["state", "journal"])
def test_half_of_the_data_of_a_version_without_marks_is_refused(tmp_path: Path, lost: str) -> None:
    with opened(tmp_path) as (journal, database):
        use(journal, database)
    lose(tmp_path, lost)
    with pytest.raises(DataMissing, match=f"{lost} is empty"):
        start(tmp_path)


def test_data_made_in_advance_is_started_on_without_asking_again(tmp_path: Path) -> None:
    with opened(tmp_path) as (journal, database):
        made = require_installation(journal, InstallationStore(database), new=True)
    assert start(tmp_path) == made


def test_the_command_says_what_is_missing_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_plant(tmp_path)
    (tmp_path / "yujing.toml").write_text("[api]\nport = 0\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    for _ in range(2):
        result = CliRunner().invoke(app, ["run"])
        assert result.exit_code == 1
        for words in ("journal.db", "state.db", "yujing init", "yujing run --new", "数据盘未挂载"):
            assert words in result.output
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written where a disk should be mounted"
    assert CliRunner().invoke(app, ["init"]).exit_code == 0


@pytest.mark.parametrize("emptied", [True, False])
@pytest.mark.parametrize("lost", ["state", "journal"])
def test_a_start_without_half_of_its_data_writes_nothing_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, *, emptied: bool
) -> None:
    """Nor into a file that holds nothing any more."""
    monkeypatch.chdir(tmp_path)
    write_plant(tmp_path)
    (tmp_path / "yujing.toml").write_text("[api]\nport = 0\n", encoding="utf-8")
    start(tmp_path / "data", new=True)
    lose(tmp_path / "data", lost)
    if emptied:
        (tmp_path / "data" / f"{lost}.db").touch()
    for new in ([], ["--new"]) if lost == "journal" else ([],):
        result = CliRunner().invoke(app, ["run", *new])
        assert (result.exit_code, f"{lost}.db is empty" in result.output) == (1, True)
        written = [file for file in (tmp_path / "data").glob(f"{lost}.db*") if file.suffix != ".lock"]
        assert sum(file.stat().st_size for file in written) == 0
        assert len(written) == emptied
        assert not [*(tmp_path / "data").glob("*.ballast")]


def test_repeated_first_starts_are_reported(tmp_path: Path) -> None:
    with capture_logs() as first:
        start(tmp_path, new=True)
    with capture_logs() as second:
        start(tmp_path, new=True)
    with capture_logs() as third:
        start(tmp_path)
    assert [event["event"] for event in first] == ["installation_begun"]
    assert [event["event"] for event in second] == ["installation_there"]
    assert "take --new (or init) out" in second[0]["expected"]
    assert third == []
