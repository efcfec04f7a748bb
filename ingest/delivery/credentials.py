"""Reads the secrets of connectors: once, when a connector is opened, and never quoting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ingest.base.config import Secret, SecretUnreadable
from ingest.domain.model.expectations import InvalidValue, readable_secret
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text

T = TypeVar("T")


def reveal(secret: Secret, key: str, decode: Callable[[str], T]) -> T:
    """Read the secret and decode it.

    Args:
        secret: where it is kept.
        key: the setting it belongs to, for the fault.
        decode: raises InvalidValue with what is expected, never with the content.

    Raises:
        InvalidConfig: it is missing or malformed; the fault names the place, never the content.
    """
    place = f"environment variable {secret.env}" if secret.file is None else str(secret.file)
    try:
        text = secret.read()
    except SecretUnreadable as error:
        raise InvalidConfig([Fault(place, key, "(missing)", readable_secret(error))]) from error
    try:
        return decode(text)
    except InvalidValue as error:
        raise InvalidConfig([Fault(place, key, "(hidden)", error.expected)]) from None


def header_value(text: str) -> str:
    """The text if it is valid in an HTTP header. Raises InvalidValue otherwise."""
    if not (text.isascii() and text.isprintable()):
        raise InvalidValue(Text("只含可打印的 ASCII 字符", "printable ASCII characters only"))
    return text
