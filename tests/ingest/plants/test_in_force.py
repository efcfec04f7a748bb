"""One bad file takes nothing from the other plants; nothing that is watched vanishes by a file that is half there."""

from __future__ import annotations

import os
import random
import re
import stat
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from ingest.domain.model.fault import InvalidConfig
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.in_force import PlantFiles
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.saved_files import SavedFiles
from tests.ingest.plants.samples import plant, point

WAIT_S: Final = 60.0
BROKEN: Final = "bogus = 1\n"


def text(name: str, *points: str) -> str:
    """A sound plant file with these points."""
    return plant("steel", "".join(point(name_of_point, "STL_CO") for name_of_point in points), name=name)


class House:
    """A folder of plant files, what is kept of it, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.plants, self.kept = folder / "plants", folder / "kept"
        self.plants.mkdir()
        self.now = 0.0
        self.version = 0
        self.configuration: PlantConfiguration | None = None
        self.restart()

    def restart(self) -> None:
        self.files = PlantFiles(self.plants, SavedFiles(self.kept), wait_s=WAIT_S, now=lambda: self.now)

    def write(self, name: str, content: str) -> None:
        (self.plants / f"{name}.toml").write_text(content, encoding="utf-8")

    def load(self) -> dict[str, set[str]]:
        """The points watched after one more load, by plant."""
        self.version += 1
        self.configuration = self.files.load(MemoryNumbering(), self.version) or self.configuration
        assert self.configuration is not None
        return {
            enterprise.id: {p.id for p in enterprise.points if not p.is_device}
            for enterprise in self.configuration.enterprises()
        }

    def held(self) -> dict[str, bool]:
        """Plants whose files are refused, and whether they are watched."""
        return {held_back.plant: held_back.watched for held_back in self.files.refused}


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    made.write("a", text("a", "P1", "P2"))
    made.write("b", text("b", "Q1"))
    return made


def test_a_start_with_a_refused_file_watches_its_plant_by_the_last_good_one(house: House) -> None:
    assert house.load() == {"a": {"P1", "P2"}, "b": {"Q1"}}
    house.write("a", BROKEN + text("a", "P1", "P2", "P3"))
    house.write("b", text("b", "Q1", "Q2"))
    for _ in range(3):
        house.restart()
        assert house.load() == {"a": {"P1", "P2"}, "b": {"Q1", "Q2"}}
        assert house.held() == {"a": True}
    house.write("a", text("a", "P1", "P2", "P3"))
    assert house.load()["a"] == {"P1", "P2", "P3"}
    assert house.held() == {}


def test_a_plant_that_never_had_a_valid_file_is_reported_as_not_monitored_and_hinders_no_other(house: House) -> None:
    house.write("a", BROKEN)
    with capture_logs() as logs:
        assert house.load() == {"b": {"Q1"}}
    assert house.held() == {"a": False}
    assert house.files.unwatched == ["a"]
    assert [log["in_force"] for log in logs if log["event"] == "plant_file_refused"] == ["nothing"]
    fault = next(log for log in logs if log["event"] == "plant_file_fault")
    assert (fault["key"], fault["value"]) == ("bogus", "1")
    assert re.search("之一 one of enterprise, ", fault["expected"]), "in both languages"


def test_a_start_at_which_no_plant_could_be_watched_is_refused_with_every_fault(house: House) -> None:
    house.write("a", BROKEN)
    house.write("b", BROKEN)
    with pytest.raises(InvalidConfig) as refused:
        house.load()
    assert {Path(fault.file).name for fault in refused.value.faults} == {"a.toml", "b.toml"}


def test_the_kept_files_are_readable_by_the_service_alone(house: House) -> None:
    house.load()
    assert sorted(file.name for file in house.kept.iterdir()) == ["a.toml", "b.toml"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in house.kept.iterdir()} == {0o600}


def test_a_kept_file_that_was_damaged_does_not_keep_the_others_from_being_watched(house: House) -> None:
    house.load()
    (house.kept / "a.toml").write_bytes(b"\xff\x00")
    house.write("a", BROKEN)
    house.restart()
    assert house.load() == {"b": {"Q1"}}
    assert house.held() == {"a": False}


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
def test_what_is_no_file_is_refused_and_holds_up_nobody(house: House, kind: str) -> None:
    file = house.plants / "c.toml"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(file)
    assert house.load() == {"a": {"P1", "P2"}, "b": {"Q1"}}
    assert house.held() == {"c": False}


def test_a_renamed_point_has_not_vanished_but_a_rule_that_went_with_it_has(house: House) -> None:
    house.load()
    renamed = text("a", "P1", "P9").replace('id = "P9"', 'id = "P9"\nwas = "P2"')
    less = renamed.replace('was = "P2"', 'was = "P2"\ndisabled_rules = ["SILENT"]')
    house.write("a", less)
    assert house.load()["a"] == {"P1", "P2"}
    assert [held.vanished for held in house.files.held] == [("P2/SILENT",)]
    for _ in range(2):
        house.write("a", renamed)
        assert house.load()["a"] == {"P1", "P9"}
        assert house.files.held == ()
        house.restart()


def test_a_point_renamed_to_another_point_of_the_file_has_vanished(house: House) -> None:
    house.load()
    house.write("a", text("a", "P1").replace('id = "P1"', 'id = "P1"\nwas = "P2"'))
    assert house.load()["a"] == {"P1", "P2"}
    assert [held.vanished for held in house.files.held] == [("P2",)]


def test_a_plants_folder_that_is_not_there_removes_nothing(house: House) -> None:
    """A folder that is not mounted, or whose name has a typo, does not mean that nothing is monitored."""
    house.load()
    house.plants.rename(house.plants.with_name("away"))
    for _ in range(2):
        assert house.load() == {"a": {"P1", "P2"}, "b": {"Q1"}}
        assert house.held() == {"a": True, "b": True}
        house.now += 10 * WAIT_S
        house.restart()


def test_a_point_that_vanishes_is_watched_until_the_file_has_stayed_so(house: House) -> None:
    """Over a restart too; a copy that goes on in the meantime leaves no trace."""
    house.load()
    house.write("a", text("a", "P1"))
    assert house.load()["a"] == {"P1", "P2"}
    house.now += WAIT_S - 1
    house.restart()
    assert house.load()["a"] == {"P1", "P2"}
    house.write("a", text("a", "P1", "P2", "P3"))
    assert house.load()["a"] == {"P1", "P2", "P3"}
    house.write("a", text("a", "P1", "P2"))
    assert house.load()["a"] == {"P1", "P2", "P3"}
    assert house.files.due == house.now + WAIT_S
    assert [held_back.vanished for held_back in house.files.held] == [("P3",)]
    house.now = house.files.due
    assert house.load()["a"] == {"P1", "P2"}
    assert house.files.held == ()


def test_every_cut_of_a_file_that_is_copied_in_pieces_leaves_every_point_watched(house: House) -> None:
    """Byte by byte, and whole at last."""
    house.load()
    whole = text("a", "P1", "P2", "P3")
    for end in range(0, len(whole), 7):
        house.write("a", whole[:end])
        assert house.load()["a"] >= {"P1", "P2"}
    house.write("a", whole)
    assert house.load()["a"] == {"P1", "P2", "P3"}


def test_a_rule_that_vanishes_with_the_end_of_its_file_waits_as_a_point_does(house: House) -> None:
    own = "[points.rules.H]\non = 30\n"
    house.write("a", text("a", "P1", "P2") + own)
    house.load()
    house.write("a", text("a", "P1", "P2"))
    house.load()
    assert [held_back.vanished for held_back in house.files.held] == [("(the end of the file)",)]
    house.now += WAIT_S
    house.load()
    assert house.files.held == ()


def test_a_removed_plant_goes_after_the_wait_and_comes_back_at_once(house: House) -> None:
    house.load()
    (house.plants / "b.toml").unlink()
    assert set(house.load()) == {"a", "b"}
    house.now += WAIT_S
    assert set(house.load()) == {"a"}
    assert not (house.kept / "b.toml").exists()
    house.write("b", text("b", "Q1"))
    assert set(house.load()) == {"a", "b"}


class Plain:
    """What should be in force, by plain loops."""

    def __init__(self) -> None:
        self.force: dict[str, set[str]] = {}
        self.there: dict[str, set[str] | None] = {}  # None: broken
        self.since: dict[str, float] = {}

    def put(self, name: str, points: set[str] | None) -> None:
        self.there[name] = points
        self.since.pop(name, None)

    def load(self, now: float) -> dict[str, set[str]]:
        for name, wanted in self.there.items():
            now_in_force = self.force.get(name, set())
            if wanted is None or wanted == now_in_force:
                self.since.pop(name, None)
            elif wanted >= now_in_force or now - self.since.setdefault(name, now) >= WAIT_S:
                self.since.pop(name, None)
                self.force[name] = wanted
        return {name: points for name, points in self.force.items() if points}


@pytest.mark.parametrize("seed", range(8))
def test_any_history_of_edits_and_restarts_watches_what_a_plain_model_says(tmp_path: Path, seed: int) -> None:
    """Sound text is in force at once unless something vanished; then, and when it is broken or gone, the last is."""
    rng = random.Random(seed)  # noqa: S311
    house, plain = House(tmp_path), Plain()
    house.write("c", text("c", "Z"))
    plain.put("c", {"Z"})
    for _ in range(40):
        name = rng.choice("ab")
        act = rng.choice(["write", "write", "break", "remove", "restart", "wait", "look"])
        if act == "write":
            points = {f"P{n}" for n in range(4) if rng.random() < 0.6} or {"P0"}
            plain.put(name, points)
            house.write(name, text(name, *sorted(points)))
        elif act == "break":
            plain.put(name, None)
            house.write(name, BROKEN)
        elif act == "remove":
            plain.put(name, set())
            (house.plants / f"{name}.toml").unlink(missing_ok=True)
        elif act == "restart":
            house.restart()
            plain.since.clear()
        elif act == "wait":
            house.now += WAIT_S
        assert house.load() == plain.load(house.now)
