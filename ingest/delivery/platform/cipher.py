"""SM4 in CBC mode with PKCS#7 padding (called PKCS#5 by Java and the published implementation)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

BLOCK_BYTES = 16  # GB/T 32907: block and key are 128 bits


class Sm4Cbc:
    """Encrypts with the key and the fixed initialisation vector the authority issued.

    A fixed vector shows where two texts begin alike: the protocol demands it, and TLS around it protects the content.
    """

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = Cipher(algorithms.SM4(key), modes.CBC(iv))

    def encrypt(self, plaintext: bytes) -> bytes:
        """The ciphertext, a whole number of blocks."""
        padder = PKCS7(BLOCK_BYTES * 8).padder()
        encryptor = self._cipher.encryptor()
        return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decode_block(text: str) -> bytes:
    """16 bytes from 32 hex digits. Raises InvalidValue otherwise, without quoting them."""
    try:
        block = bytes.fromhex(text)
    except ValueError:
        block = b""
    if len(block) != BLOCK_BYTES:
        raise InvalidValue(Text("32 位十六进制数（16 字节）", "32 hex digits (16 bytes)"))
    return block
