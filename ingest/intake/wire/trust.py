"""Explains why a TLS connection failed: the peer's certificate, ours, or no TLS at all; pure."""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import Final


class Distrust(StrEnum):
    """The fault of the peer's certificate."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_NAME = "wrong-name"
    REVOKED = "revoked"
    NOT_TRUSTED = "not-trusted"  # of an authority that is not in our file, or signed by nobody


_CODES: Final = {
    9: Distrust.NOT_YET_VALID,
    10: Distrust.EXPIRED,
    23: Distrust.REVOKED,
    62: Distrust.WRONG_NAME,
    64: Distrust.WRONG_NAME,  # of an address
}
"""OpenSSL's X509_V_ERR_… (x509_vfy.h)."""

_ALERTS: Final = {
    "CERTIFICATE_EXPIRED": "expired",
    "CERTIFICATE_REVOKED": "revoked",
    "UNKNOWN_CA": "of an authority unknown there",
    "CERTIFICATE_REQUIRED": "none shown, one is required (tls_cert)",
    "DECRYPT_ERROR": "its signature is not that of an authority there",
    "BAD_CERTIFICATE": "cannot be used there",
    "UNSUPPORTED_CERTIFICATE": "not of a kind that is taken there",
    "CERTIFICATE_UNKNOWN": "not taken there, for a reason not told",
}
"""TLS alerts about our certificate (RFC 8446, 6.2), as OpenSSL names them after its `ALERT_`."""


def distrust(error: BaseException) -> Distrust | None:
    """Why the peer's certificate is not trusted, or None if that is not the error.

    >>> error = ssl.SSLCertVerificationError()
    >>> error.verify_code = 10
    >>> distrust(error)
    <Distrust.EXPIRED: 'expired'>
    """
    if not isinstance(error, ssl.SSLCertVerificationError):
        return None
    return _CODES.get(error.verify_code, Distrust.NOT_TRUSTED)


def refusal_of_ours(error: BaseException | None) -> str | None:
    """Why the peer refuses our certificate, or None if that is not the error.

    >>> error = ssl.SSLError(1, "…")
    >>> error.reason = "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    >>> refusal_of_ours(error)
    'expired'
    """
    if not isinstance(error, ssl.SSLError):
        return None
    _, alert, name = (error.reason or "").partition("ALERT_")
    return _ALERTS.get(name) if alert else None


def in_words(error: BaseException) -> str:
    """Describe a connection's error, short and without an address."""
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return "no TLS is spoken on that port"
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
