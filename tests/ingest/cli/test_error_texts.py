"""Why the service cannot start, or a command cannot do its work, is shown in Chinese first, then as the log has it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import ingest
from ingest.base.config import Secret, SecretUnreadable
from ingest.base.telemetry import configure_logging
from ingest.cli.configured import UNAVAILABLE, Ended, end
from ingest.cli.error_texts import error_in_chinese
from ingest.cli.main import app
from ingest.services.errors import CannotListen
from ingest.storage.state.errors import StateUnavailable

CHINESE = re.compile("[\u4e00-\u9fff]")
RAISED = {"JournalUnavailable", "StateUnavailable", "StateNewer", "StateBroken"}
FILLED_IN = {"7: 7. Switch it on": "7: fsync off at the server: a power cut may take what it has. Switch it on"}
PLACES = ("storage/journal", "storage/state", "runtime")


def messages() -> Iterator[str]:
    """Each message of ours for data that cannot be used, with 7 for what it fills in and a path in front."""
    for place in PLACES:
        for file in sorted((Path(ingest.__file__).parent / place).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args:
                    match node.args[0]:
                        case ast.Constant(value=str(text)):
                            yield text
                        case ast.JoinedStr(values=parts):
                            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
                            if re.search("[a-z]{3}", text):  # else all of it is the system's
                                yield text


def test_every_message_of_data_that_cannot_be_used_has_its_chinese() -> None:
    found = {*messages()}
    assert len(found) > 10
    for message in found:
        zh = error_in_chinese(Exception(FILLED_IN.get(message, message)))
        assert zh is not None, message
        assert CHINESE.search(zh), zh


@pytest.mark.parametrize(
    ("error", "zh"),
    [
        (FileNotFoundError(2, "No such file or directory", "/data"), "文件或目录不存在"),
        (CannotListen("127.0.0.1", 8080, "Address already in use"), "无法在 127.0.0.1 端口 8080 监听：地址已被占用"),
        (CannotListen("::1", 80, "something new"), "无法在 ::1 端口 80 监听：something new"),
        (StateUnavailable("postgresql://y@db:5432/y: connection to server failed: Connection refused"),
         "postgresql://y@db:5432/y：服务器拒绝连接：是否在运行？"),
        (Exception("the cat is on the keyboard"), None),
    ],
)  # fmt: skip
def test_errors_of_the_system_are_translated_and_unknown_ones_left_as_they_are(
    error: Exception, zh: str | None
) -> None:
    assert error_in_chinese(error) == zh


def test_a_missing_secret_is_reported_in_chinese(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable) as caught:
        Secret(file=tmp_path / "none").read()
    assert error_in_chinese(caught.value) == f"应为：可读取的密钥：文件 {tmp_path}/none 不存在"


def test_a_missing_journal_is_reported_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["journal", "verify", "--config", str(tmp_path / "yujing.toml")])
    assert result.exit_code == UNAVAILABLE
    assert "：文件或目录不存在" in result.stderr
    assert ": no such file" in result.stderr


def test_a_start_that_fails_is_reported_in_chinese_first_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a service under systemd, whose standard error is no terminal; what has no Chinese is shown as it is."""
    for error, shown in (
        (
            CannotListen("::1", 80, "Address already in use"),
            "无法在 ::1 端口 80 监听：地址已被占用 cannot listen on ::1 port 80: ",
        ),
        (OSError("the cat is on the keyboard"), "the cat is on the keyboard"),
    ):
        configure_logging()
        with pytest.raises(typer.Exit):
            end(Ended("无法启动 cannot start", str(error)), error)
        line = json.loads(capsys.readouterr().err)
        assert (line["event"], line["error"].startswith(shown)) == ("ended", True)


def test_a_start_that_fails_is_reported_in_chinese_first_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    error = CannotListen("127.0.0.1", 8080, "Address already in use")
    with pytest.raises(typer.Exit) as ended:
        end(Ended("无法启动 cannot start", str(error)), error)
    assert ended.value.exit_code == UNAVAILABLE
    assert capsys.readouterr().err.splitlines() == [
        "无法启动 cannot start",
        "无法在 127.0.0.1 端口 8080 监听：地址已被占用",
        "cannot listen on 127.0.0.1 port 8080: Address already in use",
    ]
