"""`yujing outbox`: what waits is seen beside a running service; what is dropped or sent again is in the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ingest.cli.configured import format_time
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.tables import outbox as table
from tests.ingest.cli.conftest import Run, written_elsewhere
from tests.ingest.delivery.outbox import START, alarm_message
from tests.ingest.delivery.stored import waiting_messages

HOUR = 3600 * 10**9


@pytest.fixture
def database(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Of `town`: 1 and 2 wait, 3 and 4 are delivered, 4 without its body; 5 is of another receiver, delivered."""
    monkeypatch.setenv("HOOK_SECRET", "whsec_YSBrZXkgb2YgdGhlIHRlc3RzIG9mIHllYXJseSB1c2U=")
    hooks = "".join(
        f'[[connectors.webhooks]]\nname = "{name}"\nurl = "http://127.0.0.1:9/"\nsecret = {{ env = "HOOK_SECRET" }}\n'
        for name in ("town", "county")
    )
    (tmp_path / "yujing.toml").write_text(hooks, encoding="utf-8")
    opened = Database(file.with_name("state.db"))
    names = ["town", "town", "town", "town", "county"]
    EngineStore(opened).commit(
        1,
        [],
        [
            replace(alarm_message(0, point=f"P-\x1b{at}"), connector=name, id=uuid4(), created=START + at * HOUR)
            for at, name in enumerate(names)
        ],
    )
    store = OutboxStore(opened)
    store.record("town", [Attempt(1, START, None, "HTTP 500 \x1b[31m")])
    store.record("town", [Attempt(seq, START, START + seq, None) for seq in (3, 4)])
    store.record("county", [Attempt(5, START, START + 5, None)])
    with opened.write() as connection:
        connection.execute(sa.update(table).where(table.c.seq == 4).values(emptied=True, body={}))
    yield opened
    opened.close()


def waiting(file: Path, connector: str) -> list[int]:
    """What waits, once the command has ended."""
    opened = Database(file.with_name("state.db"))
    try:
        return [message.seq for message in waiting_messages(OutboxStore(opened), connector)]
    finally:
        opened.close()


def acts(file: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """What the audit trail has of messages, oldest first; the chain is whole."""
    opened = Database(file.with_name("state.db"))
    try:
        trail = AuditStore(opened.rows)
        assert trail.verify().whole
        found = trail.acts(limit=99, kind="message")
    finally:
        opened.close()
    return [(row.act.action, row.act.plant, dict(row.act.detail)) for row in reversed(found)]


def test_the_list_and_a_message_are_shown_beside_the_service_and_cannot_move_the_terminal(
    run: Run, database: Database
) -> None:
    text = run("outbox", "list").stdout
    assert "HTTP 500" in text
    assert "\x1b" not in text
    assert "waiting 2" in text
    listing = json.loads(run("outbox", "list", "--json").stdout)
    assert [message["seq"] for message in listing["messages"]] == [1, 2]
    assert listing["waiting"] == {"town": {"messages": 2, "oldest": START, "attempts": 1, "dead": 0}, "county": None}
    every = json.loads(run("outbox", "list", "--json", "--all", "--limit", "2").stdout)
    assert [message["seq"] for message in every["messages"]] == [5, 4]
    of_county = json.loads(run("outbox", "list", "--json", "--all", "--connector", "county").stdout)
    assert [message["seq"] for message in of_county["messages"]] == [5]
    shown = run("outbox", "show", "2").stdout
    assert json.loads(shown)["body"]["alarm"]["point"] == "P-\x1b1"
    assert "\x1b" not in shown
    assert run("outbox", "show", "99").exit_code == 2


def test_a_narrow_terminal_cuts_nothing_off(run: Run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [line.split("│") for line in run("outbox", "list", "--all").stdout.splitlines() if line.startswith("│")]
    receivers, created = ("".join(row[at].strip() for row in rows) for at in (2, 5))
    assert receivers == "county" + "town" * 4
    times = [format_time(START + at * HOUR).replace(" ", "") for at in (4, 3, 2, 1, 0)]
    assert created.replace(" ", "") == "".join(times)


def test_a_receiver_that_nobody_knows_is_named_and_a_former_one_is_shown(
    run: Run, database: Database, file: Path
) -> None:
    unknown = run("outbox", "list", "--connector", "twon")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "twon: 配置中没有该接收方 expected one of: town, county" in unknown.stderr
    (file.parent.parent / "yujing.toml").write_text("", encoding="utf-8")
    former = run("outbox", "list", "--connector", "county", "--all", "--json")
    assert [message["seq"] for message in json.loads(former.stdout)["messages"]] == [5]


def test_before_the_first_start_it_says_that_nothing_is_there_yet(run: Run, file: Path) -> None:
    for command in (("list",), ("show", "1")):
        nothing = run("outbox", *command)
        assert nothing.exit_code == 1
        assert "还没有这个文件，首次启动时建立" in nothing.stderr
        assert "it is made by the first start" in nothing.stderr


def test_while_the_service_runs_nothing_is_dropped_or_sent_again(run: Run, database: Database, file: Path) -> None:
    database.close()
    again = ("resend", "--connector", "town", "--from", "2025-01-01", "--to", "2027-01-01")
    with written_elsewhere(file.with_name("state.db")):
        result = run("outbox", *again)
        assert (result.exit_code, "stop it first" in result.output) == (1, True)
        for command in (("drop", "1", "--reason", "x"), ("resend", "1"), ("retry", "--connector", "town")):
            result = run("outbox", *command)
            assert result.exit_code == 1
            assert "the settings have no token of an admin of all plants: stop it, or add one" in result.output
    assert waiting(file, "town") == [1, 2]


def test_a_number_that_no_database_holds_and_a_reason_that_moves_the_terminal_are_refused_in_both_languages(
    run: Run, database: Database, file: Path
) -> None:
    database.close()
    for command in (
        ("outbox", "show", "@"),
        ("outbox", "drop", "1", "@", "--reason", "x"),
        ("outbox", "resend", "@"),
        ("outbox", "list", "--limit", "@"),
        ("quarantine", "show", "@"),
        ("quarantine", "drop", "@"),
        ("quarantine", "retry", "@"),
        ("quarantine", "list", "--limit", "@"),
        ("audit", "list", "--limit", "@"),
    ):
        refused = run(*(str(10**20) if word == "@" else word for word in command))
        text = " ".join(refused.output.replace("│", " ").split())
        assert refused.exit_code == 2, command
        assert "应不大于 9007199254740991" in text, command
        assert "less than or equal to 9007199254740991" in text, command
    moving = run("outbox", "drop", "1", "--reason", "a\x1b[31mred")
    assert moving.exit_code == 2
    assert "应为不含控制字符的文本" in moving.output
    assert "\x1b" not in moving.output
    assert (waiting(file, "town"), acts(file)) == ([1, 2], [])


def test_what_the_running_service_refuses_is_told_in_both_languages_and_another_server_there_is_named(
    run: Run, database: Database, file: Path
) -> None:
    database.close()
    problem = {"detail": "reason = '': expected a value", "message": {"zh": "reason：必填", "en": "reason: a value"}}
    answers = [(422, json.dumps(problem).encode()), (404, b"<h1>nginx</h1>"), (200, b"<h1>nginx</h1>")]

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answers[0]
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server, written_elsewhere(file.with_name("state.db")):
        Thread(target=server.serve_forever, daemon=True).start()
        settings = file.parent.parent / "yujing.toml"
        (secret := file.with_name("admin")).write_text("a-token-of-the-tests-0123456789", encoding="utf-8")
        secret.chmod(0o600)
        token = f'[[api.tokens]]\nname = "a"\nrole = "admin"\ntoken = {{ file = "{secret}" }}\n'
        api = f"[api]\nport = {server.server_port}\n{token}"
        settings.write_text(settings.read_text(encoding="utf-8") + api, encoding="utf-8")
        refused = run("outbox", "drop", "1", "--reason", "x")
        assert (refused.exit_code, "reason：必填 reason: a value" in refused.output) == (1, True)
        for status in (404, 200):
            answers.pop(0)
            other = run("outbox", "drop", "1", "--reason", "x")
            assert other.exit_code == 1
            assert f"not the service answers there: HTTP {status}" in other.output
        server.shutdown()


def test_what_is_dropped_needs_a_reason_and_is_in_the_audit_trail(run: Run, database: Database, file: Path) -> None:
    database.close()
    assert run("outbox", "drop", "1").exit_code == 2
    assert run("outbox", "drop", "1", "--reason", "  ").exit_code == 2
    assert waiting(file, "town") == [1, 2]
    assert run("outbox", "drop", "1", "--reason", "接收方不再需要").exit_code == 0
    assert waiting(file, "town") == [2]
    ((action, plant, detail),) = acts(file)
    assert (action, plant) == ("dropped", "南安铝业")
    assert (detail["receiver"], detail["reason"]) == ("town", "接收方不再需要")
    refused = run("outbox", "drop", "3", "9", "--reason", "delivered, and none")
    assert refused.exit_code == 2
    assert "3, 9" in refused.output
    assert len(acts(file)) == 1


def test_what_its_receiver_rejected_is_listed_with_its_words_and_resent_or_dropped_by_a_person(
    run: Run, database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the same is refused by name; what is resent waits under its id, and may be rejected again."""
    words = Failure("http-words", status="422 Unprocessable Entity", words="未知\x1b测点")
    store = OutboxStore(database)
    store.record("town", [Attempt(seq, START, None, words, START + seq) for seq in (1, 2)])
    names = {message.seq: message.id for message in store.messages("town", [1, 2])}
    database.close()
    monkeypatch.setenv("COLUMNS", "300")
    text = run("outbox", "list", "--dead").stdout
    assert "接收方应答 HTTP 422" in text
    assert "rejected 2" in text
    assert "\x1b" not in text
    listing = json.loads(run("outbox", "list", "--json", "--dead").stdout)
    assert [(row["seq"], row["ending"], row["failure"]["code"]) for row in listing["messages"]] == [
        (1, "rejected", "http-words"),
        (2, "rejected", "http-words"),
    ]
    assert listing["waiting"]["town"] == {"messages": 0, "oldest": 0, "attempts": 0, "dead": 2}
    assert json.loads(run("outbox", "list", "--json").stdout)["messages"] == []
    assert run("outbox", "list", "--dead", "--all").exit_code == 2
    for wrong in ((), ("1", "--dead"), ("--dead",), ("1", "--connector", "town"), ("--connector", "town")):
        assert run("outbox", "resend", *wrong).exit_code == 2, wrong
    again = run("outbox", "resend", "1", "3")
    assert (again.exit_code, "不是拒收的消息 not rejected: 3" in again.output) == (2, True)
    assert waiting(file, "town") == [1]
    assert run("outbox", "resend", "1").exit_code == 2
    assert run("outbox", "drop", "2", "--reason", "已电话告知").exit_code == 0
    assert json.loads(run("outbox", "list", "--json", "--dead").stdout)["messages"] == []
    assert [(action, detail["receiver"]) for action, _, detail in acts(file)] == [
        ("resent", "town"),
        ("dropped", "town"),
    ]
    opened = Database(file.with_name("state.db"))
    (left,) = OutboxStore(opened).messages("town", [1, 2])
    assert (left.seq, left.id, left.attempts) == (1, names[1], 2)
    OutboxStore(opened).record("town", [Attempt(1, START, None, words, START + 9)])
    opened.close()
    assert "1" in run("outbox", "resend", "--connector", "town", "--dead").output
    assert waiting(file, "town") == [1]


def test_what_was_delivered_waits_again_under_its_id_and_only_what_was_meant(
    run: Run, database: Database, file: Path
) -> None:
    """Of that receiver and time, with its body; what waits already stays as it is."""
    before = {message.seq: message.id for message in OutboxStore(database).messages("town", [1, 2, 3, 4])}
    database.close()
    assert run("outbox", "resend", "--connector", "nobody", "--from", "2025-01-01", "--to", "2027-01-01").exit_code == 2
    nothing = run("outbox", "resend", "--connector", "town", "--from", "2024-01-01", "--to", "2025-01-01")
    assert (nothing.exit_code, acts(file)) == (0, [])
    assert run("outbox", "resend", "--connector", "town", "--from", "2025-11-23", "--to", "2025-11-25").exit_code == 0
    assert waiting(file, "town") == [1, 2, 3]
    assert waiting(file, "county") == []
    ((action, _, detail),) = acts(file)
    assert (action, detail["messages"]) == ("resent", 1)
    opened = Database(file.with_name("state.db"))
    assert {message.seq: message.id for message in OutboxStore(opened).messages("town", [1, 2, 3, 4])} == before
    opened.close()
