"""Finds when the certificates in the settings expire, for `yujing check`, metrics and a timely alarm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from ingest.base.telemetry import Event, emit
from ingest.domain.model.certificate import (
    NO_CERTIFICATE,
    Certificate,
    read_certificate,
    shown_certificate,
    state_of,
)
from ingest.domain.model.expectations import with_reason
from ingest.domain.model.fault import Fault
from ingest.domain.model.text import Text

SOON_D: Final = 30
"""Days before its expiry at which a certificate is to be renewed: our default, as the alarm's."""

FURTHEST_D: Final = 1000
"""The most days reported; also the value if no certificate is in use."""

BROKER: Final = "broker"
"""The key of the certificate the broker presents, in place of a setting."""

_SHOWN: Final = frozenset({"tls_cert"})
_TRUSTED: Final = frozenset({"tls_ca", "ca_file"})


@dataclass(frozen=True, slots=True)
class CertificateEnding(Event, level="warning", labels=("key",)):
    """A certificate ends within 30 days, or has ended (`days_left`: minus the days since): reported once a day."""

    key: str
    where: str
    subject: str
    until: str
    days_left: int
    ended: bool


@dataclass(frozen=True, slots=True)
class CertificateUnreadable(Event, level="warning", labels=("key",)):
    """A certificate's file cannot be read: how long it is good is as it was known before, or not known."""

    key: str
    where: str
    error: str


def certificate_files(part: BaseModel, at: str = "") -> Iterator[tuple[str, Path, bool]]:
    """Yield every certificate file in the settings: its key, the file, and whether it holds authorities to trust."""
    for name, value in part:
        if isinstance(value, Path) and name in _SHOWN | _TRUSTED:
            yield f"{at}{name}", value, name in _TRUSTED
        elif isinstance(value, BaseModel):
            yield from certificate_files(value, f"{at}{name}.")
        elif isinstance(value, tuple):
            for number, base_model in enumerate(value):
                if isinstance(base_model, BaseModel):
                    yield from certificate_files(base_model, f"{at}{name}.{getattr(base_model, 'name', number)}.")


def certificates_of(settings: BaseModel) -> list[Certificate]:
    """Return the certificates that can be read; for others the part that uses them reports a fault."""
    found = []
    for key, file, authorities in certificate_files(settings):
        try:
            found.append(read_certificate(key, file, authorities=authorities))
        except (OSError, ValueError):
            continue
    return found


def unusable(settings: BaseModel) -> list[Fault]:
    """Return a fault for each certificate file that cannot be read."""
    faults = []
    for key, file, authorities in certificate_files(settings):
        try:
            read_certificate(key, file, authorities=authorities)
        except (OSError, ValueError) as error:
            pem = Text("可读取的、含证书的 PEM 文件", "a readable PEM file with a certificate")
            faults.append(Fault(str(file), key, str(file), with_reason(pem, error, NO_CERTIFICATE)))
    return faults


def ended(settings: BaseModel, now: int) -> list[Fault]:
    """Return a fault for each that has expired. They do not prevent a start: the clock may be wrong."""
    return [
        _fault(
            certificate,
            Text(
                f"未到期的证书，此证书 {-certificate.days_left(now)} 天前到期：请更换",
                f"a certificate that has not ended, this one has {-certificate.days_left(now)} days ago: renew it",
            ),
        )
        for certificate in certificates_of(settings)
        if certificate.ended(now)
    ]


def ending(settings: BaseModel, now: int) -> list[Fault]:
    """Return a doubt about each that expires within 30 days."""
    return [
        _fault(
            certificate,
            Text(
                f"有效期超过 {SOON_D} 天的证书，此证书还剩 {certificate.days_left(now)} 天：请更换",
                f"a certificate that lasts for more than {SOON_D} days, this one has {certificate.days_left(now)}"
                " days left: renew it",
            ),
        )
        for certificate in certificates_of(settings)
        if not certificate.ended(now) and certificate.days_left(now) <= SOON_D
    ]


def _fault(certificate: Certificate, expected: Text) -> Fault:
    return Fault(certificate.where, certificate.key, f"{certificate.subject}, {certificate.until}", expected)


class CertificateMonitor:
    """Tracks the expiry of the certificates in use; a file is read again only when it changes.

    From any thread.
    """

    def __init__(
        self,
        settings: BaseModel,
        broker: Callable[[], bytes | None] = lambda: None,
        address: str = BROKER,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """`broker`: returns the certificate the broker last presented (DER), or None; `address`: the broker's."""
        self._files = list(certificate_files(settings))
        self._broker, self._address = broker, address
        self._now = now
        self._seen: dict[str, object] = {}  # the state of a file when it was read, or the broker's certificate
        self._known: dict[str, Certificate] = {}
        self._reported: dict[str, tuple[int, bool]] = {}  # days left, and whether it had expired, when last reported

    def days_left(self) -> dict[str, int]:
        """Return whole days left by key; emits an event once a day for those that expire soon."""
        for key, file, authorities in self._files:
            self._refresh(key, str(file), state_of(file), partial(read_certificate, key, file, authorities=authorities))
        shown = self._broker()
        if shown is not None:
            self._refresh(BROKER, self._address, shown, partial(shown_certificate, BROKER, self._address, shown))
        now = self._now()
        left = {key: certificate.days_left(now) for key, certificate in self._known.items()}
        for key, days in left.items():
            certificate = self._known[key]
            present = days, certificate.ended(now)
            if days <= SOON_D and self._reported.get(key) != present:
                self._reported[key] = present
                emit(CertificateEnding(key, certificate.where, certificate.subject, certificate.until, *present))
        return left

    def fewest(self) -> float:
        """Return days until the first of them expires, at most `FURTHEST_D`."""
        return float(min([FURTHEST_D, *self.days_left().values()]))

    def _refresh(self, key: str, where: str, state: object, read: Callable[[], Certificate]) -> None:
        if key in self._seen and self._seen[key] == state:
            return
        self._seen[key] = state
        try:
            self._known[key] = read()
        except (OSError, ValueError) as error:
            emit(CertificateUnreadable(key, where, str(error)))
