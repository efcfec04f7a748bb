"""`yujing audit`: who did what, and whether the trail is whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.domain.model.audit import Act
from ingest.runtime.audit_trail import keep_head
from ingest.storage.state import audit
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.audit_heads import AuditHeads
from tests import migrated
from tests.ingest.cli.conftest import Run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state database with three acts, one of them with words that would trouble a terminal."""
    (tmp_path / "yujing.toml").write_text("", encoding="utf-8")
    file = tmp_path / "data" / "state.db"
    database = migrated.opened(file)
    with database.write() as connection:
        audit.append(
            connection,
            [
                Act(10**18, "张三", "operator", "acknowledged", "alarm", "a1", "p", {"comment": "已到现场"}),
                Act(10**18 + 1, "张三", "operator", "commented", "alarm", "a1", "p", {"comment": "\x1b[2J\u202e"}),
                Act(10**18 + 2, "李监察", "inspector", "closed", "hazard", "h1", "q", {}),
            ],
        )
    database.close()
    return file


def test_the_list_shows_who_did_what_and_troubles_no_terminal(run: Run, state: Path) -> None:
    text = run("audit", "list").stdout
    assert "李监察" in text
    assert not {"\x1b", "\u202e"} & set(text)
    acts = json.loads(run("audit", "list", "--json", "--plant", "p", "--limit", "1").stdout)
    assert [(act["seq"], act["action"]) for act in acts] == [(2, "commented")]
    acts = json.loads(run("audit", "list", "--json", "--subject", "h1").stdout)
    assert [act["actor"] for act in acts] == ["李监察"]
    acts = json.loads(run("audit", "list", "--json", "--actor", "张三", "--since", "2001-09-09T00:00Z").stdout)
    assert [act["seq"] for act in acts] == [2, 1]
    assert run("audit", "list", "--until", "soon").exit_code == 2


def test_an_intact_trail_is_reported_with_its_newest_hash(run: Run, state: Path) -> None:
    result = run("audit", "verify")
    newest = json.loads(run("audit", "list", "--json", "--limit", "1").stdout)[0]["hash"]
    assert (result.exit_code, "3" in result.stdout, newest in result.stdout) == (0, True, True)


def test_a_row_that_was_changed_behind_the_services_back_is_named(run: Run, state: Path) -> None:
    with closing(sqlite3.connect(state)) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = '李四' WHERE seq = 2")
    result = run("audit", "verify")
    assert result.exit_code == 2
    assert "row 2 was changed" in result.stderr


def test_a_tail_that_was_cut_is_named_by_the_head_kept_outside(run: Run, state: Path) -> None:
    database = migrated.opened(state)
    keep_head(AuditStore(database.rows), AuditHeads(state.parent / "audit"))
    database.close()
    assert run("audit", "verify").exit_code == 0
    with closing(sqlite3.connect(state)) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit")
    result = run("audit", "verify")
    assert result.exit_code == 2
    assert "row 3 was there and is gone" in " ".join(result.stderr.split())


def test_a_database_that_is_not_there_is_no_whole_trail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text("", encoding="utf-8")
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "state.db" in result.stderr
