"""Ciphers, encodings and digests agree with the vectors of their standards and with OpenSSL's own command."""

from __future__ import annotations

import base64
import shutil
import subprocess
from typing import Any

import pytest

from ingest.delivery.platform.digest import digest_bytes
from ingest.delivery.platform.parts import DigestName, Form, Seal
from ingest.delivery.platform.seal import Sealer, decode_issued

NIST = "2b7e151628aed2a6abf7158809cf4f3c"
NIST_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
BLOCK = "6bc1bee22e409f96e93d7e117393172a"
SM4 = "0123456789abcdeffedcba9876543210"
DES = "0123456789abcdef"
FIPS_81 = b"Now is the time for all ".hex()

HJ212 = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"


def seal(cipher: str, **more: Any) -> Seal:
    given = {"cipher": cipher, "padding": "PKCS7", "encodings": ["hex-lower"], **more}
    return Seal.model_validate({"confidence": "found", "source": "the standard itself", **given})


@pytest.mark.parametrize(
    ("cipher", "key", "vector", "plain", "expected"),
    [
        ("SM4-ECB", SM4, "", SM4, "681edf34d206965e86b3e94f536e4246"),  # GB/T 32907-2016, A.1
        ("SM4-CBC", SM4, "00" * 16, SM4, "681edf34d206965e86b3e94f536e4246"),
        ("AES-ECB", NIST, "", BLOCK, "3ad77bb40d7a3660a89ecaf32466ef97"),  # NIST SP 800-38A, F.1.1
        ("AES-CBC", NIST, "000102030405060708090a0b0c0d0e0f", BLOCK, "7649abac8119b246cee98e9b12e9197d"),  # F.2.1
        ("AES-CBC", NIST_256, "000102030405060708090a0b0c0d0e0f", BLOCK, "f58c4c04d6e5f1ba779eabfb5f7bfbd6"),  # F.2.5
        ("DES-ECB", DES, "", FIPS_81, "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53"),  # FIPS 81
        ("DES-CBC", DES, "1234567890abcdef", FIPS_81, "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
    ],
)  # fmt: skip
def test_published_vectors_of_ciphers(cipher: str, key: str, vector: str, plain: str, expected: str) -> None:
    """PKCS#7 adds a block of its own behind whole blocks; zero padding adds none."""
    for padding in ("PKCS7", "zero"):
        sealer = Sealer(seal(cipher, padding=padding), bytes.fromhex(key), bytes.fromhex(vector))
        assert sealer.seal(bytes.fromhex(plain))[: len(expected)] == expected
    assert len(sealer.seal(bytes.fromhex(plain))) == len(expected)


@pytest.mark.parametrize(
    ("kind", "content", "secret", "expected"),
    [
        ("SM3", b"abc", b"", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),  # GB/T 32905, A.1
        ("SM3", b"abcd" * 16, b"", "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),  # A.2
        ("HMAC-SHA256", b"Hi There", b"\x0b" * 20, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        ("CRC16-MODBUS", b"123456789", b"", "4b37"),  # check value of the catalogue of CRCs
        ("CRC16-HJ212", HJ212, b"", "1c80"),  # example of HJ 212-2017
    ],
)  # fmt: skip
def test_published_vectors_of_digests(kind: DigestName, content: bytes, secret: bytes, expected: str) -> None:
    """Of HMAC-SHA256: RFC 4231, case 1."""
    assert digest_bytes(kind, content, secret).hex() == expected


def test_hmac_of_sm3_as_openssl_has_it() -> None:
    made = openssl("dgst", "-sm3", "-hmac", "secret", "-binary", content="预警".encode())
    assert digest_bytes("HMAC-SM3", "预警".encode(), b"secret") == made


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000])
@pytest.mark.parametrize(
    ("cipher", "name", "size"),
    [("SM4-CBC", "sm4-cbc", 16), ("AES-CBC", "aes-256-cbc", 32), ("DES-CBC", "des-cbc", 8), ("DES-ECB", "des-ecb", 8)],
)
def test_openssl_reads_what_we_wrote(cipher: str, name: str, size: int, length: int) -> None:
    key, vector = bytes(range(7, 7 + size)), bytes(range(8 if cipher.startswith("DES") else 16))
    plain = bytes(i % 251 for i in range(length))
    sealed = Sealer(seal(cipher), key, vector).seal(plain)
    iv = ["-iv", vector.hex()] if cipher.endswith("CBC") else []
    legacy = ["-provider", "default", "-provider", "legacy"] if cipher.startswith("DES") else []
    opened = openssl("enc", "-d", f"-{name}", "-K", key.hex(), *iv, *legacy, content=bytes.fromhex(sealed))
    assert opened == plain


def test_encodings_follow_each_other_in_their_order() -> None:
    """Base64 and then hex is another text than hex and then Base64."""
    plain = Sealer(seal("none", padding="none", encodings=["base64", "hex-upper"])).seal(b"\x00\xff")
    assert bytes.fromhex(plain) == base64.b64encode(b"\x00\xff")
    assert plain == plain.upper()
    other = Sealer(seal("none", padding="none", encodings=["hex-lower", "base64"])).seal(b"\x00\xff")
    assert base64.b64decode(other) == b"00ff"


@pytest.mark.parametrize(
    ("form", "text"),
    [*(("hex", text) for text in ("", "hunter2", "00" * 15, "00" * 17, "zz" * 16)),
     ("text", "hunter2"), ("text", "é" * 16), ("base64", "AAAA"), ("base64", "A" * 21 + "?==")],
)  # fmt: skip
def test_a_secret_of_the_wrong_form_is_named_by_what_it_should_be_and_never_quoted(form: Form, text: str) -> None:
    expected = {"hex": r"32 hex digits \(16 bytes\)", "text": "16 characters of ASCII", "base64": "Base64 of 16 bytes"}
    with pytest.raises(ValueError, match=f"^{expected[form]}$"):
        decode_issued(text, form, 16)


def openssl(*arguments: str, content: bytes) -> bytes:
    command = shutil.which("openssl")
    assert command, "install openssl"
    return subprocess.run([command, *arguments], input=content, capture_output=True, check=True).stdout
