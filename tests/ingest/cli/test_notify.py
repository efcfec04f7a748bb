"""`yujing notify test` sends one test message, and says what failed and what to change, without showing a secret."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.cli.main import app
from ingest.runtime.settings import load_in_force
from tests.ingest.delivery.channels.stand_ins import SECRET, TOKEN, DingTalkGroup
from tests.ingest.delivery.receiver import Receiver, Reply, Request

Tried = Callable[..., tuple[int, str]]


@pytest.fixture
def tried(tmp_path: Path) -> Tried:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "secret").write_text(SECRET)

    def run(url: str, *options: str, more: str = "", channel: str = "robot") -> tuple[int, str]:
        file = tmp_path / "yujing.toml"
        file.write_text(
            f'[[connectors.dingtalk]]\nname = "robot"\nurl = "{url}"\ntoken = {{ file = "token" }}\n'
            f'secret = {{ file = "secret" }}\ntimeout_s = 2\n{more}\n'
            '[[connectors.email]]\nname = "mail"\nhost = "127.0.0.1"\ntls = "none"\nsender = "a@example.cn"\n'
        )
        result = CliRunner().invoke(app, ["notify", "test", channel, "--config", str(file), *options])
        assert TOKEN not in result.output
        assert SECRET not in result.output
        return result.exit_code, result.output

    return run


def test_a_right_channel_is_found_right_and_the_message_says_that_it_is_a_test(tried: Tried) -> None:
    """Twice, and to one person; whatever events the channel is told of otherwise."""
    group = DingTalkGroup(time.time)
    with Receiver(group) as receiver:
        for _ in range(2):
            assert tried(receiver.url, more='events = ["raised"]')[0] == 0
        code, output = tried(receiver.url, "--to", "manager01")
    assert (code, "✗" in output) == (0, False)
    assert len(group.texts) == 3
    assert all("联调测试" in text and "不是报警" in text for text in group.texts)
    assert group.mentioned == [[], [], ["manager01"]]


def test_what_is_wrong_is_named_with_what_to_change(tried: Tried, tmp_path: Path) -> None:
    with Receiver(DingTalkGroup(time.time)) as receiver:
        (tmp_path / "secret").write_text("SEC-another")
        code, output = tried(receiver.url)
        assert code == 1
        assert "核对加签密钥" in output
        assert "look at secret" in output
    code, output = tried(receiver.url)
    assert code == 1
    assert "核对网址或 host、端口、防火墙" in output
    assert "无法连接" in output
    for answer, words in (
        (Reply(body=b"<html>"), ("应答不是 JSON 对象", "the answer is not a JSON object")),
        (Reply(body=b"{}"), ("应答中没有数字 errcode", "the answer has no number errcode")),
        (Reply(reset=True), ("应答完成前连接中断", "核对网址，或 host、端口与 tls")),
        (Reply(429), ("接收方应答 HTTP 429", "对方限流：稍后再试")),
    ):
        with Receiver(partial(_always, answer)) as receiver:
            code, output = tried(receiver.url)
        assert code == 1
        assert all(each in output for each in words), output


def test_what_is_written_is_tried_and_not_what_was_good_before(tried: Tried, tmp_path: Path) -> None:
    """A service goes on with the settings that were good last; who tries others wants to know that they are not."""
    group, file = DingTalkGroup(time.time), tmp_path / "yujing.toml"
    with Receiver(group) as receiver:
        assert tried(receiver.url)[0] == 0
        load_in_force(file).keep()
        code, output = tried("http://robot.example/send")
        assert (code, len(group.texts)) == (2, 1)
        assert "this machine only" in output
        assert tried(receiver.url, more="[api]\nport = -1")[0] == 0, "another table's fault is only told"
    assert len(group.texts) == 2


def _always(reply: Reply, _request: Request) -> Reply:
    return reply


def test_a_channel_that_is_none_and_a_call_to_nobody_are_refused(tried: Tried) -> None:
    code, output = tried("http://127.0.0.1:9/", channel="robto")
    assert code == 2
    assert "robot, mail" in output
    for options in ((), ("--to", ""), ("--to", " ")):
        code, output = tried("http://127.0.0.1:9/", *options, channel="mail")
        assert code == 2
        assert "--to" in output
