"""The rule file: every fault in it is named, and no change of it goes unnoticed."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from ingest.domain.model.fault import InvalidConfig
from ingest.domain.warnings.rules import load_rules

SHIPPED = (resources.files("ingest.domain.warnings") / "rules.toml").read_text(encoding="utf-8")


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('colour = "blue"', 'colour = "purple"', "rules.0.colour", "'blue', 'yellow', 'orange' or 'red'"),
        ("select = { level = 1 }", "select = { level = 3 }", "rules.0.select.level", "1 or 2"),
        ("select = { level = 1 }", "select = { }", "rules.0.select", "at least one of level, red"),
        ("select = { level = 1 }", "select = { weight = 1 }", "rules.0.select.weight", ""),
        ("older_s = 600", "older_s = 0", "rules.3.older_s", "greater than 0"),
        ('id = "L1"', 'id = "l 1"', "rules.0.id", "match"),
        ('id = "L1"', 'id = "L2"', "rules.id", "given once"),
        ('confidence = "engineering default"', 'confidence = "law"', "rules.0.confidence", "'regulation'"),
        ('same = "equipment"', 'same = "plant"', "rules.4.same", "'equipment' or 'signal'"),
        ("count = 2\nsame", "count = 1\nsame", "rules.4", "a count of at least 2"),
        ('reached = "blue"', 'reached = "yellow"', "rules.12", "a colour above yellow"),
        ('version = "2"', "", "version", "a text, in quotes"),
        ("[[rules]]", "[[rules", "(file)", "TOML: "),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    file = written(tmp_path, (old, new))
    with pytest.raises(InvalidConfig) as caught:
        load_rules(file)
    fault = caught.value.faults[0]
    assert (fault.file, fault.key) == (str(file), key)
    assert expected in fault.expected.en


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="a file: No such file"):
        load_rules(tmp_path / "none.toml")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, ('colour = "blue"', 'colour = "purple"'), ("older_s = 600", "older_s = 0"))
    with pytest.raises(InvalidConfig) as caught:
        load_rules(file)
    assert [fault.key for fault in caught.value.faults] == ["rules.0.colour", "rules.3.older_s"]


def test_a_change_shows_in_the_version_also_if_nobody_counted_it_up(tmp_path: Path) -> None:
    ours, theirs = load_rules(), load_rules(written(tmp_path, ("older_s = 600", "older_s = 900")))
    assert ours.version.startswith("2+")
    assert theirs.version.startswith("2+")
    assert ours.version != theirs.version
