"""The e-mail connector: one mail a message, over verified TLS.

The standard library's `smtplib` talks, in a thread of its own: mails are few, it is what every mail server was tried
against, and one dependency less can fail at night. Name, address check and time limit stay with the event loop.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from typing import Final

from ingest.base.backoff import RetrySchedule
from ingest.delivery.channels.addressed import MAIL, EmailConfig
from ingest.delivery.channels.bundling import Refusal
from ingest.delivery.channels.choosing import Recipients, chosen, of_recipient, outcome_of
from ingest.delivery.channels.texts import Line, line_of, printable
from ingest.delivery.connecting import connect, why
from ingest.delivery.connector import Outcome
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.errors import Unreachable
from ingest.delivery.https import trusted
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.fault import all_of
from ingest.domain.model.outbox import Message

_SUBJECT: Final = 120  # characters
_READY: Final = 220
_FOR_GOOD: Final = 500  # RFC 5321, 4.2.1
_SIGN_IN: Final = "look at username and password 核对用户名和密码（授权码）"


class EmailConnector:
    """Delivers by one mail server."""

    batch = 20
    in_flight = 2
    schedule = RetrySchedule()

    def __init__(
        self, config: EmailConfig, trust: ssl.SSLContext, password: str | None, now: Callable[[], int]
    ) -> None:
        self.name = config.name
        self._config = config
        self._trust = trust
        self._password = password
        self._now = now
        self._recipients = Recipients()

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send every message over one connection; see `Connector`."""
        wanted = chosen(self._config, messages)
        found: dict[int, Outcome] = {}
        if wanted:
            try:
                found = await self._sent(wanted)
            except Unreachable as error:
                found = {message.seq: Outcome(message.seq, str(error)) for message in wanted}
        return [found.get(message.seq) or outcome_of(message, None) for message in messages]

    async def close(self) -> None:
        """Do nothing: each delivery has a connection of its own."""

    async def _sent(self, messages: Sequence[Message]) -> dict[int, Outcome]:
        """What became of each message, by `seq`. Raises Unreachable."""
        config, talk = self._config, None
        try:
            async with asyncio.timeout(config.timeout_s):
                connection = await connect(config.host, config.tcp_port, config.allow_networks)
                talk = _Talk(config, connection, self._trust, self._password)
                return await asyncio.to_thread(self._talk, talk, messages)
        except TimeoutError as error:
            raise Unreachable(Failure("timeout", seconds=f"{config.timeout_s:g}")) from error
        except smtplib.SMTPAuthenticationError as error:
            raise Unreachable(f"SMTP {error.smtp_code} at sign-in: {_SIGN_IN}") from None
        except smtplib.SMTPResponseException as error:
            raise Unreachable(f"SMTP {error.smtp_code}") from None
        except (smtplib.SMTPServerDisconnected, UnicodeError):
            raise Unreachable(Failure("broken", how="ended, or no SMTP")) from None
        except smtplib.SMTPException as error:
            raise Unreachable(f"the server refuses: {type(error).__name__}") from None
        except ssl.SSLError as error:
            raise Unreachable(Failure("no-connection", why=why(error))) from error
        except OSError as error:
            raise Unreachable(Failure("broken", how="reset")) from error
        finally:
            if talk is not None:
                talk.end()

    def _talk(self, talk: _Talk, messages: Sequence[Message]) -> dict[int, Outcome]:
        """In a thread: sign in, and send each message to whoever lacks it."""
        talk.begin()
        found: dict[int, Outcome] = {}
        for message in messages:
            line, refusals = line_of(message), list[Refusal]()
            everybody = self._config.to if line.address is None else (line.address,)
            for address in self._recipients.left(message, everybody):
                refusal = self._mailed(talk, message, line, address)
                if refusal is None:
                    self._recipients.reached(message, address)
                else:
                    refusals.append(refusal)
            found[message.seq] = self._recipients.outcome(message, refusals)
        return found

    def _mailed(self, talk: _Talk, message: Message, line: Line, address: str) -> Refusal | None:
        if not MAIL.fullmatch(address):
            return Refusal("the address is no mail address 地址不是邮箱", final=True)
        mail = mail_of(message, line, self._config.sender, address, self._now())
        refusal = talk.send(self._config.sender, address, mail.as_bytes(policy=POLICY))
        return refusal and of_recipient(refusal, self._config.to, address)


class _Talk:
    """One conversation with a mail server, of which a thread does the talking."""

    def __init__(
        self, config: EmailConfig, connection: socket.socket, trust: ssl.SSLContext, password: str | None
    ) -> None:
        self._config = config
        self._connection = connection
        self._trust = trust
        self._password = password
        self._smtp = smtplib.SMTP(local_hostname=config.sender.rpartition("@")[2])

    def begin(self) -> None:
        """Greet the server, encrypt, sign in. Raises SMTPException and OSError."""
        self._connection.settimeout(self._config.timeout_s)
        if self._config.tls == "tls":
            self._connection = self._encrypted(self._connection)
        smtp = self._smtp
        smtp.sock = self._connection
        code, _ = smtp.getreply()
        if code != _READY:
            raise smtplib.SMTPConnectError(code, b"")
        smtp.ehlo_or_helo_if_needed()
        if self._config.tls == "starttls":
            code, _ = smtp.docmd("STARTTLS")
            if code != _READY:  # nothing is sent in the clear instead
                raise smtplib.SMTPResponseException(code, b"")
            smtp.sock = self._connection = self._encrypted(self._connection)
            smtp.file = None  # what the server sent before is no answer within TLS
            smtp.ehlo()
        if self._config.username is not None:
            smtp.login(self._config.username, self._password or "")

    def send(self, sender: str, address: str, mail: bytes) -> Refusal | None:
        """Send one mail; returns why the server does not take it. Raises SMTPException and OSError."""
        try:
            self._smtp.sendmail(sender, [address], mail)
        except smtplib.SMTPRecipientsRefused as error:
            (code, _), *_ = error.recipients.values()
            return Refusal(f"SMTP {code}: the recipient is refused 收件人被拒", final=code >= _FOR_GOOD)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return Refusal(f"SMTP {error.smtp_code}: the mail is refused 邮件被拒")
        return None

    def end(self) -> None:
        """Hang up; whoever waits for the server waits no longer."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._smtp.close()
        self._connection.close()

    def _encrypted(self, connection: socket.socket) -> ssl.SSLSocket:
        return self._trust.wrap_socket(connection, server_hostname=self._config.host)


def mail_of(message: Message, line: Line, sender: str, address: str, now: int) -> EmailMessage:
    """Return the mail of a message: the same id in every try; both languages."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, address
    mail["Subject"] = printable(f"{line.head.zh}{line.body.zh}")[:_SUBJECT]
    mail["Date"] = format_datetime(dt.datetime.fromtimestamp(now // 1_000_000_000, dt.UTC))
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if line.grave:
        mail["X-Priority"] = "1"
    texts = [printable(f"{line.head.zh}{line.body.zh}"), line.tail.zh]
    texts += ["", printable(f"{line.head.en} {line.body.en}"), line.tail.en]
    mail.set_content("\n".join(texts), cte="base64")
    return mail


def open_email(config: EmailConfig, now: Callable[[], int]) -> EmailConnector:
    """Create the connector. Raises InvalidConfig if a secret or file cannot be used."""
    where = f"connectors.email.{config.name}"

    def password() -> str | None:
        return None if config.password is None else reveal(config.password, f"{where}.password", header_value)

    def trust() -> ssl.SSLContext:
        return trusted(config.ca_file, f"{where}.ca_file")

    all_of(password, trust)
    return EmailConnector(config, trust(), password(), now)
