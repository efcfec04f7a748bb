"""Certificates and keys for the connection to the broker, read anew for each connection, and their events."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from ingest.base.telemetry import Event
from ingest.domain.model.certificate import read_certificate
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class BrokerNotTrusted(Event, level="error", labels=("why",)):
    """The broker was reached, and its certificate is not believed; tried again, by our files as they are then."""

    host: str
    port: int
    why: str
    error: str


@dataclass(frozen=True, slots=True)
class OwnCertificateRefused(Event, level="error"):
    """The broker does not take our certificate: renew it. It is tried again, with our files as they are then."""

    file: str
    reason: str


class NotReady(OSError):
    """A file that the connection needs cannot be used, and never could: no connection is tried without it."""


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """The PEM files of one connection; without any it is not over TLS."""

    ca: Path | None
    cert: Path | None
    key: Path | None

    def context(self) -> ssl.SSLContext | None:
        """A TLS context of the files as they are now, or None for plain MQTT.

        Raises:
            InvalidConfig: a file cannot be used.
        """
        if not self.ca and not self.cert:
            return None
        key, file = "mqtt.tls_ca", self.ca
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert:
                key, file = "mqtt.tls_cert", self.cert
                context.load_cert_chain(self.cert, self.key, password="")  # of a locked key OpenSSL asks the terminal
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a name of no file is a ValueError
            pem = Text("PEM 文件及其私钥", "a PEM file, with its key")
            expected = with_reason(pem, error, Text("其中没有可用的内容", "nothing usable in it"))
            raise InvalidConfig([Fault(str(file), key, str(file), expected)]) from error
        return context

    def own_trouble(self) -> str | None:
        """Why our own certificate is invalid by our own clock, or None."""
        if self.cert is None:
            return None
        try:
            ours = read_certificate("mqtt.tls_cert", self.cert, authorities=False)
        except (OSError, ValueError):
            return None
        return f"expired ({ours.until})" if ours.ends < time.time_ns() else None
