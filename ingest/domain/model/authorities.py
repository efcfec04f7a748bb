"""Certificate authorities a TLS client trusts, from a file that may be renewed while the service runs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.base.telemetry import Event, emit
from ingest.domain.model.certificate import state_of


@dataclass(frozen=True, slots=True)
class AuthoritiesUnusable(Event, level="error"):
    """A file of authorities was renewed and cannot be used; those read before are trusted, until it is mended."""

    file: str
    error: str


class Authorities(ssl.SSLContext):
    """A TLS client context that re-reads its file before each handshake if it changed, and trusts what was added.

    Authorities removed from the file stay trusted until the next start: OpenSSL cannot remove one.
    """

    _file: Path | None = None
    _seen: object = None

    def follow(self, file: Path) -> None:
        """Trust the authorities in that file, now and whenever it changes. Raises OSError if it cannot be used."""
        self._file, self._seen = file, state_of(file)
        self.load_verify_locations(file)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As `SSLContext`."""
        self._reload()
        return super().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As `SSLContext`."""
        self._reload()
        return super().wrap_bio(*arguments, **options)

    def _reload(self) -> None:
        if self._file is None or (state := state_of(self._file)) == self._seen:
            return
        self._seen = state
        try:
            self.load_verify_locations(self._file)
        except OSError as error:  # ssl.SSLError is one
            emit(AuthoritiesUnusable(str(self._file), str(error)))


def trusting(file: Path | None) -> ssl.SSLContext:
    """Return a client context that trusts the authorities in that file as it changes, or those of the system.

    Raises:
        OSError: the file cannot be used.
    """
    context = Authorities(ssl.PROTOCOL_TLS_CLIENT)  # asks for a certificate, and for the host's name in it
    if file is None:
        context.load_default_certs()
    else:
        context.follow(file)
    return context
