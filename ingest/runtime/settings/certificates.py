"""Every certificate the settings name, and how long each is good: for `yujing check`, metrics and an alarm in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from ingest.base.telemetry import Event, emit
from ingest.domain.model.certificate import Certificate, read_certificate, shown_certificate, state_of
from ingest.domain.model.fault import Fault

SOON_D: Final = 30
"""So many days before its end a certificate is to be renewed: our default, as the alarm's."""

FURTHEST_D: Final = 1000
"""Days of life beyond which nothing is said; also where no certificate is in use."""

BROKER: Final = "broker"
"""Stands for a setting: the certificate the broker shows."""

_SHOWN: Final = frozenset({"tls_cert"})
_TRUSTED: Final = frozenset({"tls_ca", "ca_file"})


@dataclass(frozen=True, slots=True)
class CertificateEnding(Event, level="warning", labels=("key",)):
    """A certificate ends within 30 days, or has ended (`days_left`: minus the days since): told once a day."""

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
    """Every certificate file the settings name: its key, the file, and whether it holds authorities to trust."""
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
    """Those that can be read; what cannot is a fault that the part which uses it tells."""
    found = []
    for key, file, authorities in certificate_files(settings):
        try:
            found.append(read_certificate(key, file, authorities=authorities))
        except (OSError, ValueError):
            continue
    return found


def unusable(settings: BaseModel) -> list[Fault]:
    """A fault for each that cannot be read."""
    faults = []
    for key, file, authorities in certificate_files(settings):
        try:
            read_certificate(key, file, authorities=authorities)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "no certificate in it"
            faults.append(Fault(str(file), key, str(file), f"a readable PEM file with a certificate: {why}"))
    return faults


def ended(settings: BaseModel, now: int) -> list[Fault]:
    """A fault for each that has ended. A start does not fail for it: the clock may be wrong, and plants are watched."""
    return [
        _fault(
            certificate, f"ended {-certificate.days_left(now)} days ago", "a certificate that has not ended: renew it"
        )
        for certificate in certificates_of(settings)
        if certificate.ended(now)
    ]


def ending(settings: BaseModel, now: int) -> list[Fault]:
    """A doubt about each that ends within 30 days."""
    return [
        _fault(
            certificate,
            f"{certificate.days_left(now)} days",
            f"a certificate that lasts for more than {SOON_D} days: renew it",
        )
        for certificate in certificates_of(settings)
        if not certificate.ended(now) and certificate.days_left(now) <= SOON_D
    ]


def _fault(certificate: Certificate, left: str, expected: str) -> Fault:
    return Fault(
        certificate.where, certificate.key, f"{certificate.subject}, until {certificate.until}: {left}", expected
    )


class CertificateWatch:
    """How long the certificates in use are good, now: a renewed file counts at once, and is read only then.

    From any thread.
    """

    def __init__(
        self,
        settings: BaseModel,
        broker: Callable[[], bytes | None] = lambda: None,
        address: str = BROKER,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """`broker`: the certificate the broker showed last (DER), if it did; it has that address."""
        self._files = list(certificate_files(settings))
        self._broker, self._address = broker, address
        self._now = now
        self._seen: dict[str, object] = {}  # what a file was when it was read, or what the broker showed
        self._known: dict[str, Certificate] = {}
        self._told: dict[str, tuple[int, bool]] = {}  # days left, and whether it had ended, when that was told

    def days_left(self) -> dict[str, int]:
        """Whole days by key; those that end soon are told in the log, once a day."""
        for key, file, authorities in self._files:
            self._look(key, str(file), state_of(file), partial(read_certificate, key, file, authorities=authorities))
        shown = self._broker()
        if shown is not None:
            self._look(BROKER, self._address, shown, partial(shown_certificate, BROKER, self._address, shown))
        now = self._now()
        left = {key: certificate.days_left(now) for key, certificate in self._known.items()}
        for key, days in left.items():
            certificate = self._known[key]
            stands = days, certificate.ended(now)
            if days <= SOON_D and self._told.get(key) != stands:
                self._told[key] = stands
                emit(CertificateEnding(key, certificate.where, certificate.subject, certificate.until, *stands))
        return left

    def fewest(self) -> float:
        """Days until the first of them ends, at most `FURTHEST_D`."""
        return float(min([FURTHEST_D, *self.days_left().values()]))

    def _look(self, key: str, where: str, state: object, read: Callable[[], Certificate]) -> None:
        if key in self._seen and self._seen[key] == state:
            return
        self._seen[key] = state
        try:
            self._known[key] = read()
        except (OSError, ValueError) as error:
            emit(CertificateUnreadable(key, where, str(error)))
