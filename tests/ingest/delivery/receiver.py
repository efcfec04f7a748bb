"""A real HTTP(S) server on loopback with scripted answers."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import free_port


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived."""

    path: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `reset` breaks the connection instead; `hold` keeps silent until the receiver stops.

    `raw`: these bytes instead of an answer in HTTP.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False
    hold: bool = False
    raw: bytes = b""
    drip: bool = False  # the head, then a byte now and then, without end


class Receiver:
    """Start and stop it as often as wanted: it keeps its port, its requests and its manners."""

    def __init__(
        self, answer: Callable[[Request], Reply] = lambda _: Reply(), tls: ssl.SSLContext | None = None
    ) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.accepted: list[Request] = []  # answered 2xx
        self._tls = tls
        self.released = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.port: Final = free_port()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        self.released.clear()
        self._server = _Server(("127.0.0.1", self.port), functools.partial(_Handler, self))
        if self._tls:
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.released.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(10)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each body waits 40 ms, until its head is acknowledged

    def __init__(self, receiver: Receiver, *args: Any) -> None:
        self._receiver = receiver
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        self._receiver.requests.append(request)
        reply = self._receiver.answer(request)
        self.close_connection = reply.hold or reply.reset or bool(reply.raw)
        if reply.hold:
            self._receiver.released.wait(60)
        elif reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.raw:
            self.wfile.write(reply.raw)
        else:
            if 200 <= reply.status < 300:
                self._receiver.accepted.append(request)
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "1000000" if reply.drip else str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        while reply.drip and not self._receiver.released.wait(0.05):
            self.wfile.write(b".")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Say nothing: requests are kept."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self.close_request(request)  # no orderly goodbye first: a reset is to be a reset

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on purpose here."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of a test: its certificate, and a server's context with a certificate from it."""

    ca_file: Path
    server: ssl.SSLContext


def make_authority(folder: Path, name: str, address: str = "127.0.0.1", host: str | None = None) -> Authority:
    """One whose server is known by an address, or by the name `host` alone."""
    now = dt.datetime.now(dt.UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=2))
        )

    ca = (
        certificate(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    known_as: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(address)) if host is None else x509.DNSName(host)
    leaf = (
        certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file, chain = folder / f"{name}-ca.pem", folder / f"{name}.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + leaf.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return Authority(ca_file, server)
