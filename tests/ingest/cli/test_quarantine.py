"""`yujing quarantine`: seen without harm, tried again, or gone for good, and only what was meant."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ingest.domain.model.batch import empty_batch
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import HISTORY_REJECTED, Journal
from ingest.storage.journal.records import Quarantined
from tests.deploy.written import blocks
from tests.ingest.cli.conftest import Run
from tests.ingest.storage.journal.entries import batch


@pytest.fixture
def quarantine(journal: Journal) -> Journal:
    """Four of them: ids 1 to 4."""
    journal.quarantine(
        [
            Quarantined(0, 10**18, "yujing/v1/p/g/frame", "schema", "seq is \x1b[31mmissing", 2, b'{"a": "\x1b[2J"}'),
            Quarantined(0, 10**18, "yujing/v1/p/g/frame", "unknown-point", "CO-99", 5, b"\x82\xa4boot"),
            Quarantined(0, 10**18, "yujing/v1/pp/g/frame", "schema", "", 0, "{}\u202e".encode()),
            Quarantined(0, 10**18, "history", HISTORY_REJECTED, "400", 1, b"line"),
        ]
    )
    return journal


def ids(journal: Journal) -> list[int]:
    """What is left."""
    return [quarantined.id for quarantined in journal.quarantined(limit=99)][::-1]


def test_the_list_shows_what_was_asked_for_and_counts(run: Run, quarantine: Journal) -> None:
    result = run("quarantine", "list")
    assert result.exit_code == 0, result.output
    assert "schema: 2" in result.stdout
    assert "\x1b" not in result.stdout
    listing = json.loads(run("quarantine", "list", "--json", "--reason", "schema", "--plant", "p").stdout)
    assert listing["counts"] == {"schema": 1}
    assert [message["id"] for message in listing["messages"]] == [1]


def test_a_message_is_shown_whole_and_harmless(run: Run, quarantine: Journal) -> None:
    text = run("quarantine", "show", "1").stdout
    assert r'{"a": "\x1b[2J"}' in text
    assert r"seq is \x1b[31mmissing" in text
    assert "00000000  82 a4 62 6f 6f 74" in run("quarantine", "show", "2").stdout
    assert r"{}\u202e" in run("quarantine", "show", "3").stdout
    assert run("quarantine", "show", "9").exit_code == 2


def test_what_is_marked_is_taken_again_by_intake_and_the_rest_by_the_history(run: Run, quarantine: Journal) -> None:
    assert run("quarantine", "retry", "2").exit_code == 0
    assert [quarantined.id for quarantined in quarantine.to_retry(10)] == [2]
    assert run("quarantine", "retry", "--all").exit_code == 0
    assert [quarantined.id for quarantined in quarantine.to_retry(10)] == [1, 2, 3]
    assert [quarantined.id for quarantined in quarantine.to_retry(2)] == [1, 2]
    assert [quarantined.id for quarantined in quarantine.to_retry(10, history=True)] == [4]


def test_what_was_taken_leaves_and_what_is_refused_again_comes_back_with_its_reason(quarantine: Journal) -> None:
    refused = Quarantined(0, 5, "yujing/v1/p/g/frame", "range", "seq is wrong", 2, b'{"a": "\x1b[2J"}')
    quarantine.append(Commit(empty_batch(), 0, quarantined=[refused], retried=[1, 2]))
    assert ids(quarantine) == [3, 4, 5]
    assert quarantine.quarantined(limit=1)[0].reason == "range"
    quarantine.quarantine([], retried=[4])
    assert ids(quarantine) == [3, 5]


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_no_selection_never_means_everything(run: Run, quarantine: Journal, command: str) -> None:
    for arguments in ((), ("--all", "--reason", "schema"), ("1", "77")):
        assert run("quarantine", command, *arguments).exit_code == 2
    assert ids(quarantine) == [1, 2, 3, 4]
    assert quarantine.to_retry(10) == []


def test_dropping_asks_first_and_is_recorded(run: Run, quarantine: Journal, tmp_path: Path) -> None:
    refused = run("quarantine", "drop", "--reason", "schema", typed="n\n")
    assert refused.exit_code == 2
    assert "2 条 messages" in refused.stderr
    assert run("quarantine", "drop", "--reason", "schema").exit_code != 0, "nobody there to answer"
    assert ids(quarantine) == [1, 2, 3, 4]
    assert run("quarantine", "drop", "--reason", "schema", typed="y\n").exit_code == 0
    assert run("quarantine", "drop", "2", "--yes").exit_code == 0
    left = [json.loads(file.read_bytes())[0] for file in sorted(tmp_path.rglob("audit-waiting/*.json"))]
    assert [(act["role"], act["action"], act["detail"]["messages"]) for act in left] == [
        ("shell", "dropped", 2),
        ("shell", "dropped", 1),
    ], "the service takes it into the audit trail"
    assert ids(quarantine) == [4]


def test_what_was_dropped_is_in_no_file_any_more(run: Run, quarantine: Journal, tmp_path: Path) -> None:
    """Neither in the journal nor in its log, also while the service runs."""
    secret = b"what nobody should have sent " * 400
    quarantine.quarantine([Quarantined(0, 10**18, "yujing/v1/p/g/frame", "schema", "", 0, secret)])
    assert run("quarantine", "drop", "5", "--yes").exit_code == 0
    left = [file.name for file in tmp_path.rglob("journal.db*") if b"nobody should have sent" in file.read_bytes()]
    assert (ids(quarantine), left) == ([1, 2, 3, 4], [])


def test_the_commands_of_the_operations_page_maintain_journal_and_quarantine(
    run: Run, journal: Journal, tmp_path: Path
) -> None:
    """Every command of its chapter, as it stands there."""
    journal.number_points([("sample-aluminium", "CW_IN_P-01")])  # after the three of the fixture
    journal.append(Commit(batch(10, 1_795_500_000 * 10**9, 3), 10))
    reasons = ("unknown-point", "schema") * 9
    journal.quarantine(
        [
            Quarantined(0, 10**18, "yujing/v1/p/g/frame", reason, "", 1, b"%d" % number)
            for number, reason in enumerate(reasons)
        ]
    )
    output = ""
    for line in blocks("Journal and quarantine")[0].splitlines():
        _yujing, *words = shlex.split(line, comments=True)
        result = run(*words, typed="y\n")
        assert result.exit_code == 0, (line, result.output)
        output += result.stdout
    assert "unknown-point: 9" in output
    assert len((tmp_path / "co.csv").read_text(encoding="utf-8").splitlines()) == 11
    assert [quarantined.id for quarantined in journal.to_retry(99)] == [17]
    assert {quarantined.reason for quarantined in journal.quarantined(limit=99)} == {"unknown-point"}
