"""Standard Webhooks 1.0.0 signatures, by which a receiver verifies that a message is ours, complete and recent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64  # Standard Webhooks 1.0.0, "Signature scheme"


def decode_secret(text: str) -> bytes:
    """The signing key: base64 after `whsec_`, otherwise the characters themselves.

    Raises:
        InvalidValue: not base64, or not of 24 to 64 bytes; the message does not quote it.
    """
    if text.startswith(PREFIX):
        try:
            key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise InvalidValue(Text("whsec_ 之后为 base64", "base64 after whsec_")) from None
    else:
        key = text.encode()
    if not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise InvalidValue(Text(f"{MIN_BYTES} 至 {MAX_BYTES} 字节的密钥", f"a key of {MIN_BYTES} to {MAX_BYTES} bytes"))
    return key


def signed_headers(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers of one attempt, with a signature per key: two keys while one replaces the other.

    The id stays the same over retries, the timestamp does not.
    """
    content = f"{message_id}.{timestamp_s}.".encode() + body
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode('ascii')}" for digest in digests),
    }
