"""A strict stand-in for the government end of the steel module, as far as one enterprise end in open source shows it.

Found there: a token sent as header Authorization, AES-CBC with key and vector in Base64, an enterprise id GT and ten
digits as dataId, success code 2000, device types, the words of interlock states. The addresses and the names of
readings and alarms are those of our own profile, since none could be seen.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.listener import Reply, Request
from gateway_sim.stand_in import (
    Refused,
    StandIn,
    Taken,
    checked_post,
    checked_time,
    equal,
    items_in,
    name_of,
    object_in,
)

BASE: Final = "/prod-api/web"
TOKEN: Final = f"{BASE}/token"
READINGS: Final = f"{BASE}/ironWarn/data/save"
ALARMS: Final = f"{BASE}/ironWarn/alarm/save"
DEVICE_TYPES: Final = frozenset({"01", "02", "07", "08", "09", "10", "11", "12", "13"})
ALARM_VALUES: Final = frozenset({-2, -1, 0, 1, 2})
LOCK_STATES: Final = frozenset({"已锁", "未锁"})
_CODE: Final = {"TOKEN": 401}
_BLOCK: Final = 16
_BIT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class SteelStandIn(StandIn):
    """The platform, with files `appid`, `appsecret`, `key` and `iv` (Base64) and `enterprise`.

    A token is good for `uses` reports, so that a sender has to renew it.
    """

    base = BASE
    uses = 100

    def __init__(self, directory: Path, *, port: int = 0, slow_s: float = 3.0, unknown: Collection[str] = ()) -> None:
        issued = {
            "appid": secrets.token_hex(8),
            "appsecret": secrets.token_urlsafe(32),
            "key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "iv": base64.b64encode(secrets.token_bytes(_BLOCK)).decode(),
            "enterprise": f"GT350583{secrets.randbelow(10_000):04d}",
        }
        self._tokens: dict[str, int] = {}
        super().__init__(directory, issued, port=port, slow_s=slow_s, unknown=unknown)

    def take(self, request: Request) -> Taken | Reply:
        """See `StandIn.take`."""
        checked_post(request, (TOKEN, READINGS, ALARMS))
        body = object_in(request.body, "BODY", "body")
        if request.path == TOKEN:
            return self._sign_in(body)
        self._check_token(request.headers.get("authorization", ""))
        if body.keys() != {"dataId", "data"} or body["dataId"] != self.issued["enterprise"]:
            raise Refused("ENTERPRISE", f"body: expected dataId {self.issued['enterprise']} and data")
        content = object_in(self._decrypt(body["data"]), "JSON", "plaintext")
        if content.get("dataId") != self.issued["enterprise"]:
            raise Refused("ENTERPRISE", f"dataId {content.get('dataId')!r}: expected {self.issued['enterprise']}")
        checked_time(content.get("collectTime"), "collectTime")
        items = items_in(content.get("datas"), "datas")
        for at, item in enumerate(items):
            if not isinstance(item.get("bitNo"), str) or not _BIT.fullmatch(item["bitNo"]):
                raise Refused("POINT", f"datas[{at}].bitNo {item.get('bitNo')!r}: expected {_BIT.pattern}")
            (_check_reading if request.path == READINGS else _check_alarm)(item, f"datas[{at}]")
        return Taken(name_of(request.path, content), content, [item["bitNo"] for item in items])

    def yes(self) -> Reply:
        """See `StandIn.yes`."""
        return Reply(200, {"code": 2000, "msg": "成功"})

    def no(self, refused: Refused) -> Reply:
        """See `StandIn.no`."""
        return Reply(200, {"code": _CODE.get(refused.what, 5000), "msg": f"{refused.what}: {refused.reason}"})

    def _sign_in(self, body: Mapping[str, Any]) -> Reply:
        right = equal(body.get("appId"), self.issued["appid"]) and equal(
            body.get("appSecret"), self.issued["appsecret"]
        )
        if body.keys() != {"appId", "appSecret"} or not right:
            raise Refused("SECRET", "appId or appSecret: missing or wrong")
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[token] = self.uses
        return Reply(200, {"code": 2000, "msg": "成功", "data": token})

    def _check_token(self, token: str) -> None:
        with self._lock:
            left = self._tokens.get(token, 0)
            if left <= 0:
                raise Refused("TOKEN", "Authorization: missing, wrong or used up")
            self._tokens[token] = left - 1

    def _decrypt(self, data: object) -> bytes:
        try:
            sealed = base64.b64decode(data, validate=True) if isinstance(data, str) else b""
        except binascii.Error:
            sealed = b""
        if not sealed or len(sealed) % _BLOCK:
            raise Refused("CIPHER", f"data: expected Base64 of whole blocks of {_BLOCK}")
        key, vector = (base64.b64decode(self.issued[name]) for name in ("key", "iv"))
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        unpadder = PKCS7(_BLOCK * 8).unpadder()
        try:
            return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise Refused(
                "CIPHER", "data: padding is wrong: not AES-CBC with PKCS padding under the issued key"
            ) from None


def _check_reading(item: Mapping[str, Any], at: str) -> None:
    checked_time(item.get("collectTime"), f"{at}.collectTime")
    _number(item.get("paramValue"), f"{at}.paramValue")
    if item.get("deviceType", "01") not in DEVICE_TYPES:
        raise Refused("DEVICE_TYPE", f"{at}.deviceType {item['deviceType']!r}: expected one of {sorted(DEVICE_TYPES)}")
    if item.get("lockState", "已锁") not in LOCK_STATES:
        raise Refused("LOCK_STATE", f"{at}.lockState {item['lockState']!r}: expected one of {sorted(LOCK_STATES)}")


def _check_alarm(item: Mapping[str, Any], at: str) -> None:
    checked_time(item.get("startTime"), f"{at}.startTime")
    if item.get("endTime") is not None:
        checked_time(item["endTime"], f"{at}.endTime")
    if item.get("alarmValue") not in ALARM_VALUES:
        raise Refused(
            "ALARM_VALUE", f"{at}.alarmValue {item.get('alarmValue')!r}: expected one of {sorted(ALARM_VALUES)}"
        )
    if not isinstance(item.get("message"), str) or not item["message"]:
        raise Refused("MESSAGE", f"{at}.message: expected a text that is not empty")


def _number(value: object, at: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("VALUE", f"{at} {value!r}: expected a number")
