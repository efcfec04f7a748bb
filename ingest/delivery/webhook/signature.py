"""Standard Webhooks 1.0.0 signatures, by which a receiver verifies that a message is ours, complete and recent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

PREFIX = "whsec_"
SIGNING_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
MIN_BYTES, MAX_BYTES = 24, 64  # Standard Webhooks 1.0.0, "Signature scheme"
_KEY_BYTES = 32


def decode_secret(text: str) -> bytes:
    """The signing key: base64 after `whsec_`, otherwise the characters themselves.

    Raises:
        InvalidValue: not base64, not of 24 to 64 bytes, or a key of Ed25519; the message does not quote it.
    """
    if text.startswith((SIGNING_PREFIX, PUBLIC_PREFIX)):
        raise InvalidValue(
            Text("对称密钥；whsk_、whpk_ 是 Ed25519 的密钥", "a shared secret: whsk_ and whpk_ are keys of Ed25519")
        )
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


def decode_signing_key(text: str) -> Ed25519PrivateKey:
    """The private key after `whsk_`: base64 of 32 bytes, or of these and the 32 of its public key.

    Raises:
        InvalidValue: it is none, or its public key is another one's; the message does not quote it.
    """
    expected = Text(
        "whsk_ 之后为 base64：Ed25519 私钥（32 字节，其后可有公钥）",
        "base64 after whsk_: an Ed25519 private key (32 bytes, its public key may follow)",
    )
    try:
        raw = base64.b64decode(text.removeprefix(SIGNING_PREFIX), validate=True)
    except binascii.Error:
        raise InvalidValue(expected) from None
    if not text.startswith(SIGNING_PREFIX) or len(raw) not in {_KEY_BYTES, 2 * _KEY_BYTES}:
        raise InvalidValue(expected)
    key = Ed25519PrivateKey.from_private_bytes(raw[:_KEY_BYTES])
    if raw[_KEY_BYTES:] not in {b"", key.public_key().public_bytes_raw()}:
        raise InvalidValue(expected)
    return key


def signed_headers(
    keys: Sequence[bytes],
    message_id: str,
    timestamp_s: int,
    body: bytes,
    signing_key: Ed25519PrivateKey | None = None,
) -> dict[str, str]:
    """The three headers of one attempt, with a signature per key: two keys while one replaces the other.

    The id stays the same over retries, the timestamp does not. `signing_key` signs, too, for those who hold its public
    key alone.
    """
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signatures = [("v1", hmac.new(key, content, hashlib.sha256).digest()) for key in keys]
    if signing_key is not None:
        signatures.append(("v1a", signing_key.sign(content)))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(
            f"{version},{base64.b64encode(signature).decode('ascii')}" for version, signature in signatures
        ),
    }
