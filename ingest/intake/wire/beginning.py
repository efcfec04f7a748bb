"""Reads the identity from the beginning of a frame that cannot be parsed, as when it was cut off."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingest.intake.wire.parse import Identity

_JSON: Final = re.compile(rb'(\{\s*"boot"\s*:\s*"[^"\\\x00-\x1f]{1,256}"\s*,\s*"seq"\s*:\s*[0-9]{1,19})\s*[,}]')
_BOOT: Final = b"\xa4boot"
_SEQ: Final = b"\xa3seq"
_FAR: Final = 320  # bytes into which a boot of the greatest length fits
_HEADS: Final = {0xDE: 3, 0xDF: 5}  # bytes of a MessagePack map's head; of a small one: 1
_SIZES: Final = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}  # of unsigned integers in MessagePack
_json: Final = msgspec.json.Decoder(Identity)
_packed: Final = msgspec.msgpack.Decoder(Identity)


def begins_json(payload: bytes) -> tuple[str, int] | None:
    """Boot and number of a JSON frame whose first fields they are, or None."""
    found = _JSON.match(payload)
    return _read(_json, found[1] + b"}") if found else None


def begins_packed(payload: bytes) -> tuple[str, int] | None:
    """Boot and number of a MessagePack frame whose first fields they are, or None."""
    boot = _HEADS.get(payload[0], 1)
    seq = payload.find(_SEQ, boot, boot + _FAR)
    number = seq + len(_SEQ)
    if seq < 0 or number >= len(payload) or not payload.startswith(_BOOT, boot):
        return None
    return _read(_packed, b"\x82" + payload[boot : number + 1 + _SIZES.get(payload[number], 0)])


def _read(
    decoder: msgspec.json.Decoder[Identity] | msgspec.msgpack.Decoder[Identity], fields: bytes
) -> tuple[str, int] | None:
    try:
        found = decoder.decode(fields)
    except (msgspec.MsgspecError, ValueError):
        return None
    return found.boot, found.seq
