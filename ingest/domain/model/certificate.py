"""Reads certificates from PEM files: their subject and their expiry."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from ingest.domain.model.text import Text

NO_CERTIFICATE: Final = Text("其中没有证书", "no certificate in it")
DAY = 86_400 * 10**9  # ns


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate that the service presents or trusts.

    Attributes:
        key: the setting that names its file, or `broker` for what the broker showed.
        where: the file, or the broker's address.
        subject: its name (RFC 4514).
        ends: its expiry, ns since the epoch, UTC.
    """

    key: str
    where: str
    subject: str
    ends: int

    def days_left(self, now: int) -> int:
        """Return whole days from `now` (ns since the epoch) until it expires, negative after that."""
        days = abs(self.ends - now) // DAY
        return -days if self.ended(now) else days

    def ended(self, now: int) -> bool:
        """Whether it has expired at `now` (ns since the epoch)."""
        return now >= self.ends

    @property
    def until(self) -> str:
        """The day on which it expires (UTC)."""
        return dt.datetime.fromtimestamp(self.ends / 1e9, dt.UTC).date().isoformat()


def read_certificate(key: str, file: Path, *, authorities: bool) -> Certificate:
    """Read the certificate that limits a file's validity: of authorities the last to expire, of a chain the first.

    A file holds two authorities while one replaces the other, and the old one may have expired.

    Raises:
        OSError: the file cannot be read.
        ValueError: no certificate in it.
    """
    chain = x509.load_pem_x509_certificates(file.read_bytes())
    found = [_certificate(key, str(file), certificate) for certificate in chain]
    return (max if authorities else min)(found, key=lambda certificate: certificate.ends)


def shown_certificate(key: str, where: str, der: bytes) -> Certificate:
    """Read the certificate a server presented in a handshake. Raises ValueError if it cannot be read."""
    return _certificate(key, where, x509.load_der_x509_certificate(der))


def _certificate(key: str, where: str, certificate: x509.Certificate) -> Certificate:
    return Certificate(
        key, where, certificate.subject.rfc4514_string(), int(certificate.not_valid_after_utc.timestamp()) * 10**9
    )


def state_of(*files: Path) -> tuple[object, ...]:
    """Return a value that changes when one of the files is written or replaced."""
    found: list[object] = []
    for file in files:
        try:
            at = file.stat()
            found += [at.st_ino, at.st_size, at.st_mtime_ns]
        except OSError:
            found.append(None)
    return tuple(found)
