"""Re-reads a file for each use, and falls back to its last usable content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest.base.config import Secret, SecretUnreadable
from ingest.base.telemetry import Event, emit
from ingest.domain.model.expectations import readable_secret
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CertificateUnusable(Event, level="error"):
    """A certificate cannot be used; the one before is, if there was one, until the file is mended."""

    key: str
    file: str
    expected: str


@dataclass(frozen=True, slots=True)
class PasswordUnusable(Event, level="error"):
    """A password cannot be read; the one before is used, if there was one, until the file is mended."""

    key: str
    file: str
    expected: str


class Reloaded(Generic[T]):
    """The content of a file that may be replaced, broken or missing at any time, also at the start."""

    def __init__(self, read: Callable[[], T], unusable: Callable[[str, str, str], Event]) -> None:
        """Read nothing yet.

        Args:
            read: returns the file's present content; raises InvalidConfig if it cannot be used.
            unusable: makes the event emitted once for a fault, from its key, its file and what is expected.
        """
        self._read = read
        self._unusable = unusable
        self._good: tuple[T] | None = None
        self._reported: Fault | None = None

    def get(self) -> T:
        """Return the file's present content, else its last usable one. Raises InvalidConfig if there was none."""
        try:
            good = self._good = (self._read(),)
            self._reported = None
        except InvalidConfig as invalid:
            fault = invalid.faults[0]
            if fault != self._reported:
                emit(self._unusable(fault.key, fault.file, fault.expected.both))
            self._reported = fault
            if self._good is None:
                raise
            good = self._good
        return good[0]


def renewed_password(key: str, secret: Secret | None, longest: int | None = None) -> Reloaded[str | None]:
    """Return a reader of that setting's password, for each connection; it gives None where none is set.

    Args:
        key: of the setting.
        secret: where the password is.
        longest: how many bytes the protocol takes.
    """

    def read() -> str | None:
        if secret is None:
            return None
        try:
            password = secret.read()
        except SecretUnreadable as error:
            raise _unusable(key, secret, readable_secret(error)) from error
        if longest is not None and len(password.encode()) > longest:
            most = Text(f"可用的密钥：至多 {longest} 字节", f"a secret that can be used: at most {longest} bytes")
            raise _unusable(key, secret, most)
        return password

    return Reloaded(read, PasswordUnusable)


def _unusable(key: str, secret: Secret, expected: Text) -> InvalidConfig:
    return InvalidConfig([Fault(str(secret.file or secret.env), key, "(hidden)", expected)])
