from __future__ import annotations

import shutil
import subprocess

import pytest

from ingest.delivery.platform.cipher import Sm4Cbc, decode_block

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


def test_the_official_example_of_sm4() -> None:
    """GB/T 32907-2016, annex A.1: with a zero vector the first block of CBC is the plain block cipher."""
    assert Sm4Cbc(KEY, bytes(16)).encrypt(KEY)[:16].hex() == "681edf34d206965e86b3e94f536e4246"


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000])
def test_openssl_reads_what_we_wrote(length: int) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "install openssl"
    iv, plaintext = bytes(range(16)), bytes(i % 251 for i in range(length))
    ciphertext = Sm4Cbc(KEY, iv).encrypt(plaintext)
    command = [openssl, "enc", "-d", "-sm4-cbc", "-K", KEY.hex(), "-iv", iv.hex()]
    assert subprocess.run(command, input=ciphertext, capture_output=True, check=True).stdout == plaintext


@pytest.mark.parametrize("text", ["", "hunter2", "00" * 15, "00" * 17, "zz" * 16])
def test_a_key_is_sixteen_bytes_in_hex_and_never_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^32 hex digits \(16 bytes\)$"):
        decode_block(text)
