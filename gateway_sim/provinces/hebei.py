"""A strict stand-in for the dust platform of Hebei, interface V1.1, as one implementer in open source read it.

Three addresses; `data` is the upper-case HEX of the Base64 of DES-CBC of JSON under a key of 8 characters and the
vector 12345678; answer {code 200, msg, data null}. How it refuses is not known: HTTP 400 and code 500, as that
implementer's own stand-in does. What is sent has no id: a repeat is known by its content.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.listener import Reply, Request
from gateway_sim.stand_in import Refused, StandIn, Taken, checked_post, checked_time, items_in, name_of, object_in

READINGS: Final = "/rabbitmqfcsb/api/rtsData"
ALARMS: Final = "/rabbitmqfcsb/api/eventsData"
VIDEOS: Final = "/rabbitmqfcsb/api/videosData"
VECTOR: Final = b"12345678"
MOST_IMAGE: Final = 500 * 1024
_BLOCK: Final = 8
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_HEX: Final = re.compile(r"(?:[0-9A-F]{2})+")
_DETECTOR: Final = re.compile(r"[0-9]{19}")
_GATEWAY: Final = re.compile(r"[0-9]{14}")
_VALUE: Final = re.compile(r"-?[0-9]+\.[0-9]{2}")
_ALARM_VALUE: Final = re.compile(r"-?[0-9]+\.[0-9]{4}")
_CAMERA: Final = re.compile(r"[0-9]{20}")


class HebeiStandIn(StandIn):
    """The platform, with files `key` (8 characters), `enterprise` (12 digits) and `gateway` (14 digits)."""

    base = "/rabbitmqfcsb"

    def __init__(self, directory: Path, *, port: int = 0, slow_s: float = 3.0, unknown: Collection[str] = ()) -> None:
        enterprise = "".join(secrets.choice("0123456789") for _ in range(12))
        key = "".join(secrets.choice(_LETTERS) for _ in range(8))
        issued = {"key": key, "enterprise": enterprise, "gateway": f"{enterprise}01"}
        super().__init__(directory, issued, port=port, slow_s=slow_s, unknown=unknown)

    def take(self, request: Request) -> Taken:
        """See `StandIn.take`."""
        checked_post(request, (READINGS, ALARMS, VIDEOS))
        body = object_in(request.body, "BODY", "body")
        more = {READINGS: {"wgbm"}, ALARMS: set[str](), VIDEOS: {"img"}}[request.path]
        if body.keys() != {"qybm", "data", *more}:
            raise Refused("BODY", f"body has {sorted(body)}: expected {sorted({'qybm', 'data', *more})}")
        enterprise = self.issued["enterprise"]
        if body["qybm"] != enterprise:
            raise Refused("ENTERPRISE", f"qybm {body['qybm']!r}: expected {enterprise}")
        gateway = body.get("wgbm", self.issued["gateway"])
        if not isinstance(gateway, str) or not _GATEWAY.fullmatch(gateway) or not gateway.startswith(enterprise):
            raise Refused("GATEWAY", f"wgbm {gateway!r}: expected {enterprise} and two digits")
        plain = object_in(self._decrypt(body["data"]), "JSON", "plaintext")
        if plain.keys() != {"qybm", "data"} or plain["qybm"] != enterprise:
            raise Refused("ENTERPRISE", f"plaintext: expected qybm {enterprise} and data")
        data = plain["data"]
        if not isinstance(data, dict):
            raise Refused("ITEMS", "plaintext.data: expected an object")
        name = name_of(request.path, plain)
        if request.path == VIDEOS:
            _check_video(data, body["img"])
            return Taken(name, plain)
        listed, field = ("rts", "tnm") if request.path == READINGS else ("events", "oname")
        if data.keys() != {listed}:
            raise Refused("ITEMS", f"plaintext.data has {sorted(data)}: expected {listed}")
        items = items_in(data[listed], f"plaintext.data.{listed}")
        for at, item in enumerate(items):
            (_check_reading if listed == "rts" else _check_event)(item, f"{listed}[{at}]")
            if not item[field].startswith(enterprise):
                raise Refused("POINT", f"{listed}[{at}].{field} {item[field]}: it does not begin with {enterprise}")
        return Taken(name, plain, [item[field] for item in items])

    def yes(self) -> Reply:
        """See `StandIn.yes`."""
        return Reply(200, {"code": 200, "msg": "操作成功", "data": None})

    def no(self, refused: Refused) -> Reply:
        """See `StandIn.no`."""
        return Reply(400, {"code": 500, "msg": f"{refused.what}: {refused.reason}", "data": None})

    def _decrypt(self, data: object) -> bytes:
        if not isinstance(data, str) or not _HEX.fullmatch(data):
            raise Refused("HEX", "data: expected HEX digits in upper case, two a byte")
        try:
            sealed = base64.b64decode(bytes.fromhex(data), validate=True)
        except binascii.Error:
            raise Refused("BASE64", "data: expected the HEX digits of a Base64 text") from None
        if not sealed or len(sealed) % _BLOCK:
            raise Refused("CIPHER", f"data: {len(sealed)} bytes; expected whole blocks of {_BLOCK}")
        decryptor = Cipher(TripleDES(self.issued["key"].encode() * 3), modes.CBC(VECTOR)).decryptor()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        try:
            return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise Refused(
                "CIPHER", "data: padding is wrong: not DES-CBC with PKCS padding under the issued key"
            ) from None


def _check_reading(item: Mapping[str, Any], at: str) -> None:
    _has_keys(item, {"tnm", "ts", "val"}, at)
    _matches(item, "tnm", _DETECTOR, at)
    _matches(item, "val", _VALUE, at)
    checked_time(item["ts"], f"{at}.ts")


def _check_event(item: Mapping[str, Any], at: str) -> None:
    _has_keys(item, {"ts", "oname", "avx", "scd", "threshold", "content"}, at)
    _matches(item, "oname", _DETECTOR, at)
    _matches(item, "avx", _ALARM_VALUE, at)
    checked_time(item["ts"], f"{at}.ts")
    if type(item["scd"]) is not int or not 0 <= item["scd"] <= 4:
        raise Refused("SCD", f"{at}.scd {item['scd']!r}: expected 0 to 4")
    if isinstance(item["threshold"], bool) or not isinstance(item["threshold"], int | float):
        raise Refused("THRESHOLD", f"{at}.threshold {item['threshold']!r}: expected a number")
    if not isinstance(item["content"], str) or not item["content"]:
        raise Refused("CONTENT", f"{at}.content: expected a text, mandatory since V1.1")


def _check_video(item: Mapping[str, Any], image: object) -> None:
    _has_keys(item, {"ts", "videoCode", "alarmType", "content"}, "data")
    _matches(item, "videoCode", _CAMERA, "data")
    checked_time(item["ts"], "data.ts")
    try:
        size = len(base64.b64decode(str(image), validate=True))
    except binascii.Error:
        size = 0
    if not 0 < size <= MOST_IMAGE:
        raise Refused("IMAGE", f"img: {size} bytes; expected Base64 of at most {MOST_IMAGE}")


def _has_keys(item: Mapping[str, Any], keys: set[str], at: str) -> None:
    if item.keys() != keys:
        raise Refused("ITEMS", f"{at} has {sorted(item)}: expected {sorted(keys)}")


def _matches(item: Mapping[str, Any], key: str, form: re.Pattern[str], at: str) -> None:
    if not isinstance(item[key], str) or not form.fullmatch(item[key]):
        raise Refused(
            "POINT" if form in {_DETECTOR, _CAMERA} else "VALUE", f"{at}.{key} {item[key]!r}: expected {form.pattern}"
        )
