"""Digests of reports, as a profile says: SM3, HMAC and CRC16."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, hmac

from ingest.delivery.platform.parts import Digest, DigestName
from ingest.delivery.platform.seal import encoded


def digest_of(digest: Digest, content: bytes, secret: bytes) -> str:
    """The digest of the content as text; `secret`: of the HMACs."""
    return encoded(digest_bytes(digest.kind, content, secret), digest.encoding)


def digest_bytes(kind: DigestName, content: bytes, secret: bytes = b"") -> bytes:
    """The digest itself; a CRC with its high byte first."""
    if kind == "SM3":
        plain = hashes.Hash(hashes.SM3())
        plain.update(content)
        return plain.finalize()
    if kind in {"HMAC-SM3", "HMAC-SHA256"}:
        keyed = hmac.HMAC(secret, hashes.SM3() if kind == "HMAC-SM3" else hashes.SHA256())
        keyed.update(content)
        return keyed.finalize()
    return (crc16_modbus(content) if kind == "CRC16-MODBUS" else crc16_hj212(content)).to_bytes(2, "big")


def crc16_modbus(content: bytes) -> int:
    """CRC-16 of Modbus: polynomial 0x8005 reflected, all ones at the start.

    >>> hex(crc16_modbus(b"123456789"))  # the catalogue's check value
    '0x4b37'
    """
    crc = 0xFFFF
    for byte in content:
        crc = _shifted(crc ^ byte)
    return crc


def crc16_hj212(content: bytes) -> int:
    """CRC-16 of HJ 212-2017, annex A: as that of Modbus, but each byte meets the high byte moved down.

    >>> hex(crc16_hj212(b"QN=20160801085857223;ST=32;CN=1062;PW=100000;"
    ...                 b"MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"))  # example of the standard
    '0x1c80'
    """
    crc = 0xFFFF
    for byte in content:
        crc = _shifted((crc >> 8) ^ byte)
    return crc


def _shifted(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc
