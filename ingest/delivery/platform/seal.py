"""Seals a report as a profile says: a block cipher of OpenSSL, padding to whole blocks, encodings in their order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ingest.delivery.platform.parts import KEY_BYTES, Encoding, Form, Seal
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

_ENCODINGS: Final[Mapping[Encoding, Callable[[bytes], bytes]]] = {
    "hex-upper": lambda content: content.hex().upper().encode(),
    "hex-lower": lambda content: content.hex().encode(),
    "base64": base64.b64encode,
}

_FORMS: Final[Mapping[Form, Text]] = {
    "hex": Text("{digits} 位十六进制数（{bytes} 字节）", "{digits} hex digits ({bytes} bytes)"),
    "text": Text("{bytes} 个 ASCII 字符", "{bytes} characters of ASCII"),
    "base64": Text("{bytes} 字节的 Base64", "Base64 of {bytes} bytes"),
}


class Sealer:
    """Turns a report into the text that goes into the envelope.

    A fixed vector shows where two texts begin alike, and ECB every block that repeats: the protocols demand them, and
    TLS around them, where a platform has it, protects the content.
    """

    def __init__(self, seal: Seal, key: bytes = b"", vector: bytes = b"") -> None:
        """`key`, `vector`: as issued; empty where the cipher takes none."""
        self._seal = seal
        self._cipher: Cipher[modes.CBC | modes.ECB] | None = None
        if seal.cipher != "none":
            mode = modes.CBC(vector) if seal.cipher.endswith("CBC") else modes.ECB()  # noqa: S305  as the protocol has it
            self._cipher = Cipher(_algorithm(seal.cipher[:3], key), mode)

    def seal(self, report: bytes) -> str:
        """The sealed report, as text."""
        return encoded(self.encrypt(report), *self._seal.encodings)

    def encrypt(self, plaintext: bytes) -> bytes:
        """The ciphertext, a whole number of blocks; without a cipher what was given."""
        if self._cipher is None:
            return plaintext
        encryptor = self._cipher.encryptor()
        return encryptor.update(self._padded(plaintext)) + encryptor.finalize()

    def _padded(self, plaintext: bytes) -> bytes:
        block = self._seal.block
        if self._seal.padding == "zero":
            return plaintext + bytes(-len(plaintext) % block)
        padder = PKCS7(block * 8).padder()
        return padder.update(plaintext) + padder.finalize()


def encoded(content: bytes, *encodings: Encoding) -> str:
    r"""The bytes through each encoding in turn, as text.

    >>> encoded(b"\x00\xff", "base64", "hex-upper")
    '4150383D'
    """
    for encoding in encodings:
        content = _ENCODINGS[encoding](content)
    return content.decode("utf-8")


def decode_issued(text: str, form: Form, *lengths: int) -> bytes:
    """The bytes of a secret in the form it was issued in, of one of these lengths.

    Raises:
        InvalidValue: they are others; it does not quote them.
    """
    try:
        decoded = {"hex": bytes.fromhex, "text": _ascii, "base64": _base64}[form](text)
    except ValueError:
        decoded = b""
    if len(decoded) not in lengths:
        digits, count = ("/".join(str(length * times) for length in lengths) for times in (2, 1))
        words = _FORMS[form]
        raise InvalidValue(
            Text(words.zh.format(digits=digits, bytes=count), words.en.format(digits=digits, bytes=count))
        )
    return decoded


def key_lengths(seal: Seal) -> tuple[int, ...]:
    """The lengths in bytes that the cipher's key may have."""
    return (seal.bytes,) if seal.bytes is not None else KEY_BYTES.get(seal.cipher[:3], ())


def _algorithm(name: str, key: bytes) -> CipherAlgorithm:
    if name == "SM4":
        return algorithms.SM4(key)
    if name == "AES":
        return algorithms.AES(key)
    return TripleDES(key * 3)  # three times the same key is DES (NIST SP 800-67, 3.1): OpenSSL's default provider


def _ascii(text: str) -> bytes:
    return text.encode("ascii")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error
