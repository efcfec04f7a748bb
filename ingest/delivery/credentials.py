"""Reads the secrets of connectors: once, when a connector is opened, and never quoting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ingest.base.config import Secret
from ingest.domain.model.fault import Fault, InvalidConfig

T = TypeVar("T")


def reveal(secret: Secret, key: str, decode: Callable[[str], T]) -> T:
    """Read the secret and decode it.

    Args:
        secret: where it is kept.
        key: the setting it belongs to, for the fault.
        decode: raises ValueError with what is expected, never with the content.

    Raises:
        InvalidConfig: it is missing or malformed; the fault names the place, never the content.
    """
    place = f"environment variable {secret.env}" if secret.file is None else str(secret.file)
    try:
        text = secret.read()
    except LookupError as error:
        raise InvalidConfig([Fault(place, key, "(missing)", f"a readable secret: {error}")]) from error
    try:
        return decode(text)
    except ValueError as error:
        raise InvalidConfig([Fault(place, key, "(hidden)", str(error))]) from None


def header_value(text: str) -> str:
    """The text if it is valid in an HTTP header. Raises ValueError otherwise."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("printable ASCII characters only")
    return text
