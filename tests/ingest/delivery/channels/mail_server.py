"""A mail server on loopback, strict by RFC 5321, 3207 and 4954; its faults are those of a connector's far end."""

from __future__ import annotations

import base64
import email
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message as Mail
from typing import Literal, Self, cast

from tests.conformance.connector import NONSENSE, Manner


@dataclass
class MailServer:
    """What it takes, and how it behaves.

    Attributes:
        context: its certificate; None: it cannot encrypt.
        tls: whether it speaks TLS from the start, after STARTTLS, or not at all.
        account: who may send; None: everybody.
        unknown: recipients it refuses, and by which answer.
        mails: what it accepted: recipient and mail.
        seen: ids of the mails it was sent, accepted or not.
    """

    context: ssl.SSLContext | None = None
    tls: Literal["tls", "starttls", "none"] = "none"
    account: tuple[str, str] | None = None
    unknown: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, Mail]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    manner: Manner = "accept"
    signed_in_plainly: bool = False

    def __post_init__(self) -> None:
        self.released = threading.Event()
        self._server: _Server | None = _Server(("127.0.0.1", 0), _Handler)
        self._server.mail_server = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="mail", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def behave(self, manner: Manner) -> None:
        self.manner = manner

    def stop(self) -> None:
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(10)
        self._server = None

    def tries(self) -> Sequence[Sequence[str]]:
        return [[name] for name in self.seen]

    def accepted(self) -> Sequence[str]:
        return [name_of(mail) for _, mail in self.mails]


def name_of(mail: Mail) -> str:
    return str(mail["Message-ID"]).strip("<>").partition("@")[0]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    mail_server: MailServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on purpose here."""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.of = cast("_Server", self.server).mail_server
        self.connection: socket.socket = self.request
        self.encrypted = self.signed_in = False
        if self.of.tls == "tls":
            self.encrypt()
        self.file = self.connection.makefile("rb")
        self.commands = list[str]()
        self.to = ""
        self.say("220 mail.example ESMTP")
        self.talk()

    def finish(self) -> None:
        self.file.close()
        self.connection.close()

    def encrypt(self) -> None:
        assert self.of.context is not None
        self.connection = self.of.context.wrap_socket(self.connection, server_side=True)
        self.encrypted = True

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def answer(self, text: str) -> bool:
        """Answer a command; returns whether more may come."""
        verb, _, rest = text.partition(" ")
        known = {"EHLO": self.greet, "STARTTLS": self.start_tls, "AUTH": self.sign_in, "MAIL": self.sender,
                 "RCPT": self.recipient, "DATA": self.data, "RSET": self.ok, "QUIT": self.quit}  # fmt: skip
        found = known.get(verb.upper())
        if found is None or (verb.upper() == "STARTTLS" and self.of.tls != "starttls"):
            self.say("502 what?")
            return True
        return found(rest)

    def greet(self, _: str) -> bool:
        offers = ["mail.example"]
        if self.of.tls == "starttls" and not self.encrypted:
            offers.append("STARTTLS")
        if self.of.account is not None and (self.encrypted or self.of.tls == "none"):
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self.say(f"250-{offer}")
        self.say(f"250 {offers[-1]}")
        return True

    def start_tls(self, _: str) -> bool:
        self.say("220 go ahead")
        self.file.close()
        self.encrypt()
        self.file = self.connection.makefile("rb")
        return self.talk()

    def sign_in(self, rest: str) -> bool:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self.of.signed_in_plainly |= not self.encrypted
        self.signed_in = (user, password) == self.of.account
        self.say("235 welcome" if self.signed_in else f"535 not you: {user} {password} {rest}")
        return True

    def sender(self, _: str) -> bool:
        self.say("250 ok" if self.signed_in or self.of.account is None else "530 authentication required")
        return True

    def recipient(self, rest: str) -> bool:
        self.to = rest.partition("<")[2].rstrip(">")
        self.say(self.of.unknown.get(self.to, "250 ok"))
        return True

    def data(self, _: str) -> bool:
        self.say("354 go ahead")
        return self.mail()

    def ok(self, _: str) -> bool:
        self.say("250 ok")
        return True

    def quit(self, _: str) -> bool:
        self.say("221 bye")
        return False

    def talk(self) -> bool:
        """Answer until the other side has done; returns False."""
        for line in iter(self.file.readline, b""):
            text = line.decode("ascii").rstrip("\r\n")
            self.commands.append(text)
            if not self.answer(text):
                break
        return False

    def mail(self) -> bool:
        lines = list[bytes]()
        while (line := self.file.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = email.message_from_bytes(b"".join(lines))
        self.of.seen.append(name_of(mail))
        match self.of.manner:
            case "accept":
                self.of.mails.append((self.to, mail))
                self.say("250 queued")
                return True
            case "refuse":
                self.say(f"554 no: {' '.join([*self.commands, *b''.join(lines).decode('ascii').split()])[:900]}")
                return True
            case "silent":
                self.of.released.wait(60)
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case "nonsense":
                self.connection.sendall(NONSENSE)
        return False
