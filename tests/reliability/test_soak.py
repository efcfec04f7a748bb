"""The soak keeps its figures, goes on where it was broken off, and hides no failure."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.reliability import soak
from tests.reliability.page import page
from tests.reliability.promise import CannotTest, Figures, Promise, Report, broken


@pytest.fixture(autouse=True)
def _logging_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soak silences its own process, which here has other tests to run."""
    monkeypatch.setattr(soak, "configure_logging", lambda **_: None)
    monkeypatch.setattr(logging, "disable", lambda _level: None)


def promise(name: str, lost: int | None = 0) -> Promise:
    """A promise that needs no servers: so many lost, or None for a test that breaks."""

    def run(count: int, seed: int, folder: Path, report: Report) -> Figures:
        report(count)
        if lost is None:
            raise RuntimeError("the rig fell over")
        if lost < 0:
            raise CannotTest("no tracing here")
        return {"done": count, "lost": lost}

    limits = {"lost": ("=", 0.0)}
    return Promise(name, name.title(), "so", "this", "that", 10, "times", run, limits)


def test_a_failure_stands_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept, failed, crashed and not testable are distinguished, and the exit code shows that something is wrong."""
    made = (promise("kept"), promise("lossy", 3), promise("fallen", None), promise("elsewhere", -1))
    monkeypatch.setattr(soak, "PROMISES", made)
    out, results = tmp_path / "page.md", tmp_path / "results.json"
    assert soak.main(["--out", str(out), "--json", str(results)]) == 1
    rows = {line.split("](#")[1].split(")")[0]: line for line in out.read_text().splitlines() if line.startswith("| [")}
    assert "| kept |" in rows["kept"]
    assert "**failed**" in rows["lossy"]
    assert "lost 3" in rows["lossy"]
    assert "the rig fell over" in rows["fallen"]
    assert "**not tested**" in rows["elsewhere"]


def test_a_soak_goes_on_where_it_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept at the full count is not run again; what failed or was run at a smaller count is."""
    files = ["--out", str(tmp_path / "page.md"), "--json", str(tmp_path / "results.json")]
    monkeypatch.setattr(soak, "PROMISES", (promise("one"), promise("two")))
    assert soak.main([*files, "--only", "one"]) == 0
    assert soak.main([*files, "--only", "two", "--share", "0.5"]) == 0
    monkeypatch.setattr(soak, "PROMISES", (promise("one", 9), promise("two", 9)))
    assert soak.main([*files, "--resume"]) == 1
    states = {name: result["state"] for name, result in json.loads((tmp_path / "results.json").read_text()).items()}
    assert states == {"one": "kept", "two": "failed"}


def test_a_figure_that_is_missing_keeps_no_promise() -> None:
    """A limit is kept by a number within it, not by silence."""
    assert broken(promise("one"), {}) == ["lost = None; expected = 0"]
    assert broken(promise("one"), {"lost": "none"}) != []
    assert broken(promise("one"), {"lost": 0}) == []


def test_the_page_is_the_one_the_soak_would_write() -> None:
    """docs/reliability.md says what docs/reliability.json holds, and nothing else."""
    results = json.loads(soak.RESULTS.read_text(encoding="utf-8"))
    assert soak.PAGE.read_text(encoding="utf-8") == page(soak.PROMISES, results)
