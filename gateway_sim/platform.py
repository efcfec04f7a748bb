"""A strict stand-in for the provincial platform, after the one publicly described dust uplink (Tianjin).

POST over HTTPS, `appsecret` in the header, `appid` and `data` in the body; `data` is the HEX of SM4-CBC/PKCS of JSON.
The field names inside are not published in full; only what every message must carry is checked: who, when, and an id;
of a pushed warning also how grave it is and in whose hands, by the names of our own default mapping.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.listener import Reply, Request
from gateway_sim.stand_in import Refused, StandIn, Taken, checked_post, equal, object_in

PATH: Final = "/api/upload"
BLOCK_BYTES: Final = 16
TIME_FIELDS: Final = ("collectTime", "alarmTime", "time")
USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I O S V Z
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCAL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_WARNING_FORMS: Final = {"eventId": _UUID, "warningId": _UUID, "eventTime": _LOCAL_TIME}
_WARNING_CODES: Final[Mapping[str, tuple[object, ...]]] = {
    "eventType": (
        *("raised", "colour-changed", "reminded", "escalated", "acknowledged", "feedback"),
        *("ended", "reopened", "closed"),
    ),
    "warnLevel": (1, 2, 3, 4, None),  # Ⅰ to Ⅳ; None: over
    "highestLevel": (1, 2, 3, 4),
    "status": ("open", "over-awaiting-feedback", "closed"),
    "askedStep": ("enterprise", "township", "county", "city", "province"),
}


class Refusal(IntEnum):
    """Why a request was refused: the `code` of the answer."""

    METHOD = 1
    PATH = 2
    CONTENT_TYPE = 3
    APPSECRET = 4
    BODY = 5
    APPID = 6
    DATA = 7
    HEX = 8
    CIPHER = 9
    UTF8 = 10
    JSON = 11
    DATA_ID = 12
    ENTERPRISE = 13
    TIME = 14
    WARNING = 15
    POINT = 16
    DOWN = 99


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the authority issues to an enterprise; key and iv are 16 bytes."""

    appid: str
    appsecret: str
    key: bytes
    iv: bytes


class PlatformStandIn(StandIn):
    """The platform, with files `appid`, `appsecret`, `key` and `iv` (the last two as HEX)."""

    base = PATH

    def __init__(self, directory: Path, *, port: int = 0, slow_s: float = 3.0, unknown: Collection[str] = ()) -> None:
        self.credentials = Credentials(
            secrets.token_hex(8), secrets.token_urlsafe(32), secrets.token_bytes(BLOCK_BYTES), secrets.token_bytes(16)
        )
        issued = {
            "appid": self.credentials.appid,
            "appsecret": self.credentials.appsecret,
            "key": self.credentials.key.hex(),
            "iv": self.credentials.iv.hex(),
        }
        super().__init__(directory, issued, port=port, slow_s=slow_s, unknown=unknown)

    def take(self, request: Request) -> Taken:
        """See `StandIn.take`."""
        content = self._open(request)
        items = content.get("datas")
        found = [item.get("quotaId") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return Taken(content["dataId"], content, [point for point in found if isinstance(point, str)])

    def yes(self) -> Reply:
        """See `StandIn.yes`."""
        return Reply(200, {"code": 0, "msg": "ok"})

    def no(self, refused: Refused) -> Reply:
        """See `StandIn.no`."""
        code = Refusal[refused.what]
        return Reply({Refusal.METHOD: 405, Refusal.PATH: 404}.get(code, 200), {"code": code, "msg": refused.reason})

    def repeated(self) -> Reply:
        """See `StandIn.repeated`."""
        return Reply(200, {"code": 0, "msg": "ok: duplicate of a message already received"})

    def _open(self, request: Request) -> dict[str, Any]:
        """The decoded inner object, or Refused."""
        checked_post(request, (PATH,))
        if not equal(request.headers.get("appsecret", ""), self.credentials.appsecret):
            raise Refused("APPSECRET", "header appsecret: missing or wrong")
        body = object_in(request.body, "BODY", "body")
        if body.keys() != {"appid", "data"}:
            raise Refused("BODY", f"body has {sorted(body)}: expected appid and data")
        if not equal(body["appid"], self.credentials.appid):
            raise Refused("APPID", "appid: wrong")
        content = object_in(self._decrypt(body["data"]), "JSON", "plaintext")
        _check(content)
        return content

    def _decrypt(self, data: object) -> bytes:
        if not isinstance(data, str) or not data:
            raise Refused("DATA", "data: expected a text that is not empty")
        if not _HEX.fullmatch(data):
            raise Refused("HEX", "data: expected HEX digits, two a byte")
        cipher = bytes.fromhex(data)
        if len(cipher) % BLOCK_BYTES:
            raise Refused("CIPHER", f"data: {len(cipher)} bytes; expected whole blocks of {BLOCK_BYTES}")
        decryptor = Cipher(algorithms.SM4(self.credentials.key), modes.CBC(self.credentials.iv)).decryptor()
        unpadder = PKCS7(BLOCK_BYTES * 8).unpadder()
        try:
            return unpadder.update(decryptor.update(cipher) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise Refused(
                "CIPHER", "data: padding is wrong: not SM4-CBC with PKCS padding under the issued key"
            ) from None


def _check(content: Mapping[str, Any]) -> None:
    """What every message must carry."""
    if not isinstance(content.get("dataId"), str) or not content["dataId"]:
        raise Refused("DATA_ID", "dataId: expected a text that is not empty")
    enterprise = content.get("enterpriseId")
    if not isinstance(enterprise, str) or not is_uscc(enterprise):
        raise Refused("ENTERPRISE", f"enterpriseId {enterprise!r}: expected a unified social credit code")
    if not any(isinstance(content.get(name), str | int) and content[name] for name in TIME_FIELDS):
        raise Refused("TIME", f"expected one of {', '.join(TIME_FIELDS)}")
    if content.get("reportType") == "warning":
        _check_warnings(content.get("datas"))


def _check_warnings(items: object) -> None:
    """Pushed warnings: which one, how grave, in whose hands, and what happened to it when."""
    if not isinstance(items, list) or not items:
        raise Refused("WARNING", "datas: expected a list of warnings that is not empty")
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise Refused("WARNING", f"datas[{at}]: expected an object")
        for name, form in _WARNING_FORMS.items():
            if not isinstance(item.get(name), str) or not form.fullmatch(item[name]):
                raise Refused("WARNING", f"datas[{at}].{name} {item.get(name)!r}: expected {form.pattern}")
        for name, allowed in _WARNING_CODES.items():
            if item.get(name) not in allowed:
                raise Refused("WARNING", f"datas[{at}].{name} {item.get(name)!r}: expected one of {allowed}")
        level, highest = item["warnLevel"], item["highestLevel"]
        if (level is None) is (item["status"] == "open"):
            raise Refused("WARNING", f"datas[{at}]: an open warning has a level, and no other one has")
        if level is not None and level < highest:
            raise Refused("WARNING", f"datas[{at}]: warnLevel {level} is graver than highestLevel {highest}")


def is_uscc(code: str) -> bool:
    """Whether it is a unified social credit code, check character included (GB 32100)."""
    if len(code) != 18 or any(character not in USCC_ALPHABET for character in code):
        return False
    total = sum(USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    return code[17] == USCC_ALPHABET[(31 - total % 31) % 31]
