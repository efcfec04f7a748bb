"""Mails go out encrypted, to everybody once, and say both what happened and under which id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.delivery.channels.addressed import EmailConfig
from ingest.delivery.connector import Outcome
from ingest.delivery.rejections import MOST, TRIES, Rejections
from ingest.domain.model.outbox import Message
from tests.ingest.delivery.channels.mail_server import MailServer, name_of
from tests.ingest.delivery.channels.messages import NUMBER, call_message
from tests.ingest.delivery.outbox import START, alarm_message, early_warning, warning_message
from tests.ingest.delivery.receiver import Authority, make_authority

ACCOUNT = ("yujing@plant.example", "授权码-hunter2")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "mail")


@pytest.fixture
def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    with MailServer(authority.server, "starttls", ("yujing", "hunter2")) as running:
        yield running


def config(server: MailServer, authority: Authority, **more: Any) -> EmailConfig:
    given: dict[str, Any] = {
        "name": "mail", "host": "127.0.0.1", "port": server.port, "tls": server.tls, "username": "yujing",
        "password": {"env": "MAIL_PASSWORD"}, "sender": "yujing@plant.example", "ca_file": authority.ca_file,
        "to": ["duty@plant.example", "chief@plant.example"], "timeout_s": 5,
    }  # fmt: skip
    return EmailConfig.model_validate(given | more)


async def sent(config: EmailConfig, *messages: Message) -> list[str | None]:
    connector = config.open_connector(lambda: START)
    outcomes = await connector.deliver(messages)
    await connector.close()
    return [outcome.error for outcome in outcomes]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_everybody_gets_a_mail_in_both_languages_over_tls(
    tls: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    with MailServer(authority.server, tls, ("yujing", "hunter2")) as server:
        alarm = alarm_message(1)
        assert await sent(config(server, authority), alarm, warning_message(2)) == [None, None]
        assert [to for to, _ in server.mails] == ["duty@plant.example", "chief@plant.example"] * 2
        _, mail = server.mails[0]
        assert name_of(mail) == str(alarm.id)
        text = payload(server, 0)
        assert "【报警 2级 发生】南安铝业有限公司 CW_IN_P-01" in text
        assert "[ALARM level 2 raised]" in text
        assert f"编号 {alarm.body['alarm']['id']}" in text
        assert f"id {alarm.body['alarm']['id']}" in text
        assert mail["Auto-Submitted"] == "auto-generated"
        assert not server.signed_in_plainly


async def test_a_call_goes_to_the_person_it_calls_alone(server: MailServer, authority: Authority) -> None:
    alone = config(server, authority, to=[])
    assert not alone.wants("alarm", "p1", 2)
    assert not alone.wants_warning(early_warning())
    assert await sent(alone, call_message(1, "zhang@plant.example")) == [None]
    assert [to for to, _ in server.mails] == ["zhang@plant.example"]
    assert f"编号 {NUMBER}" in payload(server, 0)
    (error,) = await sent(alone, call_message(2, "13800000000"))
    assert error is not None
    assert "地址不是邮箱" in error


async def test_a_recipient_who_is_refused_keeps_nobody_else_waiting_and_nobody_gets_a_mail_twice(
    server: MailServer, authority: Authority
) -> None:
    """For a time: tried again, for that recipient alone. For good: a dead letter, behind which nothing waits."""
    server.unknown["duty@plant.example"] = "450 later"
    connector = config(server, authority).open_connector(lambda: START)
    for _ in range(3):
        outcomes = await connector.deliver([alarm_message(1), alarm_message(2, point="OTHER")])
        refused = "recipient to.0: SMTP 450: the recipient is refused 收件人被拒"
        assert outcomes == [Outcome(seq, refused, partly=True) for seq in (1, 2)]
    assert [to for to, _ in server.mails] == ["chief@plant.example"] * 2
    server.unknown["duty@plant.example"] = "550 no such user"
    (outcome,) = await connector.deliver([alarm_message(1)])
    refused = "recipient to.0: SMTP 550: the recipient is refused 收件人被拒"
    assert outcome == Outcome(1, refused, rejected=True, partly=True)
    server.unknown.clear()
    assert [outcome.error for outcome in await connector.deliver([alarm_message(2, point="OTHER")])] == [None]
    assert [to for to, _ in server.mails] == ["chief@plant.example"] * 2 + ["duty@plant.example"]


async def test_an_address_that_is_gone_lets_everybody_else_have_every_mail_once_however_many_there_are(
    server: MailServer, authority: Authority
) -> None:
    """Each message is tried until its rejection is believed; a server that takes mail for others is not broken."""
    server.unknown["duty@plant.example"] = "550 no such user"
    connector, rejections = config(server, authority).open_connector(lambda: START), Rejections()
    messages = [alarm_message(seq, point=f"P{seq}") for seq in range(1, MOST + 3)]
    for message in messages:
        for attempts in range(TRIES):
            outcomes = await connector.deliver([message])
            dead = rejections.final([replace(message, attempts=attempts)], outcomes)
        assert dead == {message.seq}
    got = [(to, name_of(mail)) for to, mail in server.mails]
    assert got == [("chief@plant.example", str(message.id)) for message in messages]


async def test_a_wrong_password_is_said_so_and_not_shown(
    server: MailServer, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "another-hunter3")
    (error,) = await sent(config(server, authority), alarm_message(1))
    assert error == "SMTP 535 at sign-in: look at username and password 核对用户名和密码（授权码）"


async def test_nothing_is_sent_in_the_clear_or_to_somebody_else(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that has lost its STARTTLS, or shows another authority's certificate, gets neither password nor mail."""
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    with MailServer(None, "none", ("yujing", "hunter2")) as server:
        (error,) = await sent(config(server, authority, tls="starttls"), alarm_message(1))
        assert error == "SMTP 502"
        assert not server.signed_in_plainly
        assert server.seen == []
    other = make_authority(tmp_path_factory.mktemp("other"), "other")
    with MailServer(other.server, "starttls", ("yujing", "hunter2")) as server:
        (error,) = await sent(config(server, authority), alarm_message(1))
        assert error is not None
        assert "certificate verify failed" in error
        assert server.seen == []


def test_settings_that_cannot_work_are_faults() -> None:
    good = {"name": "mail", "host": "smtp.example", "sender": "a@example.cn"}
    assert EmailConfig.model_validate(good).tcp_port == 465
    for wrong, words in (
        ({"tls": "none"}, "this machine only"),
        ({"host": "127.1"}, "an address in full"),
        ({"username": "x"}, "username and password together"),
        ({"to": ["a\r\nBcc: b@c.d"]}, "a mail address"),
        ({"sender": "nobody"}, "a mail address"),
    ):
        with pytest.raises(ValidationError, match=words):
            EmailConfig.model_validate(good | wrong)


def payload(server: MailServer, at: int) -> str:
    found = server.mails[at][1].get_payload(decode=True)
    assert isinstance(found, bytes)
    return found.decode()
