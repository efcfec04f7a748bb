"""TLS of the console and the API: a renewed certificate is used from the next connection on, without a restart."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from ingest.base.telemetry import Event, emit
from ingest.domain.model.certificate import read_certificate, state_of
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault
from ingest.domain.model.text import Text
from ingest.services.config import ApiConfig


@dataclass(frozen=True, slots=True)
class ApiCertificateUnusable(Event, level="error"):
    """The console's certificate was renewed and cannot be used; the one before is shown until the files are mended."""

    file: str
    error: str


class RenewedContext:
    """TLS context of a server that checks its files at each handshake and reloads them when they changed."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Read certificate and key. Raises OSError (ssl.SSLError is one) if they cannot be used."""
        self._cert, self._key = cert, key
        self._seen = state_of(self._cert, self._key)
        self.context = self._newest = self._read()
        self.context.sni_callback = self._on_handshake

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._cert, self._key, password="")  # of a locked key OpenSSL asks the terminal
        return context

    def _on_handshake(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        state = state_of(self._cert, self._key)
        if state != self._seen:
            self._seen = state
            try:
                self._newest = self._read()
            except OSError as error:
                emit(ApiCertificateUnusable(str(self._cert), str(error)))
        connection.context = self._newest


def unpaired(config: ApiConfig) -> list[Fault]:
    """Return a fault if the key does not fit the console's certificate; none if that cannot be read."""
    if config.tls_cert is None or config.tls_key is None:
        return []
    try:
        read_certificate("api.tls_cert", config.tls_cert, authorities=False)
    except (OSError, ValueError):
        return []
    try:
        RenewedContext(config.tls_cert, config.tls_key)
    except OSError as error:
        pem = Text("该证书私钥的 PEM 文件", "the PEM file of the certificate's key")
        expected = with_reason(pem, error, Text("不是该证书的私钥", "not that certificate's key"))
        return [Fault(str(config.tls_key), "api.tls_key", str(config.tls_key), expected)]
    return []
