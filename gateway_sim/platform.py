"""A strict stand-in for the provincial platform, after the one publicly described dust uplink (Tianjin).

POST over HTTPS, `appsecret` in the header, `appid` and `data` in the body; `data` is the HEX of SM4-CBC/PKCS of JSON.
The field names inside are not published in full; only what every message must carry is checked: who, when, and an id;
of a pushed warning also how grave it is and in whose hands, by the names of our own default mapping.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from gateway_sim.certificates import make_certificates, write_secret
from gateway_sim.listener import Listener, Reply, Request

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
    DOWN = 99


class Refused(Exception):
    """A request the platform does not take."""

    def __init__(self, code: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Mode(StrEnum):
    """How the platform behaves."""

    UP = "up"
    REFUSE = "refuse"  # answers 503
    HANG = "hang"  # takes the request and never answers
    CLOSE = "close"  # closes the connection without an answer


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the authority issues to an enterprise; key and iv are 16 bytes."""

    appid: str
    appsecret: str
    key: bytes
    iv: bytes


class PlatformStandIn:
    """The platform. Set `mode` at any time; read `received` (decoded objects, in order, without repeats).

    Args:
        directory: where certificates and issued credentials are written: `ca.pem`, and `appid`, `appsecret`, `key`,
            `iv` (the last two as HEX), readable by the owner only.
        port: 0 = any free one.
    """

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        made = make_certificates(directory)
        self.credentials = Credentials(
            secrets.token_hex(8), secrets.token_urlsafe(32), secrets.token_bytes(BLOCK_BYTES), secrets.token_bytes(16)
        )
        issued = {
            "appid": self.credentials.appid,
            "appsecret": self.credentials.appsecret,
            "key": self.credentials.key.hex(),
            "iv": self.credentials.iv.hex(),
        }
        self.files = {name: directory / name for name in issued}
        for name, text in issued.items():
            write_secret(self.files[name], text.encode())
        self.ca = made.ca
        self.received: list[dict[str, Any]] = []
        self.duplicates = 0
        self.refused: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._lock = threading.Lock()
        self._mode = Mode.UP
        self._mode_changed = threading.Condition()
        self._listener = Listener(self._answer, port=port, tls=made.server_context())
        self.url = f"https://127.0.0.1:{self._listener.port}{PATH}"

    def start(self) -> None:
        """Begin to answer."""
        self._listener.start()

    def stop(self) -> None:
        """Stop; requests that hang are let go."""
        self.mode = Mode.CLOSE
        self._listener.stop()

    @property
    def mode(self) -> Mode:
        """How it behaves now."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._mode_changed:
            self._mode = mode
            self._mode_changed.notify_all()

    def summary(self) -> dict[str, Any]:
        """Counts so far."""
        with self._lock:
            return {"received": len(self.received), "duplicates": self.duplicates, "refused": dict(self.refused)}

    def _answer(self, request: Request) -> Reply | None:
        with self._mode_changed:
            self._mode_changed.wait_for(lambda: self._mode is not Mode.HANG)
            mode = self._mode
        if mode is Mode.CLOSE:
            return None
        if mode is Mode.REFUSE:
            return Reply(503, {"code": Refusal.DOWN, "msg": "platform is down"})
        try:
            content = self._open(request)
        except Refused as refused:
            with self._lock:
                self.refused[refused.code.name] += 1
            status = {Refusal.METHOD: 405, Refusal.PATH: 404}.get(refused.code, 200)
            return Reply(status, {"code": refused.code, "msg": refused.reason})
        with self._lock:
            if content["dataId"] in self._ids:
                self.duplicates += 1
                return Reply(200, {"code": 0, "msg": "ok: duplicate of a message already received"})
            self._ids.add(content["dataId"])
            self.received.append(content)
        return Reply(200, {"code": 0, "msg": "ok"})

    def _open(self, request: Request) -> dict[str, Any]:
        """The decoded inner object, or Refused."""
        if request.method != "POST":
            raise Refused(Refusal.METHOD, f"method {request.method}: expected POST")
        if request.path != PATH:
            raise Refused(Refusal.PATH, f"path {request.path}: expected {PATH}")
        content_type = request.headers.get("content-type", "")
        if content_type.split(";")[0].strip().lower() != "application/json":
            raise Refused(Refusal.CONTENT_TYPE, f"content type {content_type!r}: expected application/json")
        if not _same(request.headers.get("appsecret", ""), self.credentials.appsecret):
            raise Refused(Refusal.APPSECRET, "header appsecret: missing or wrong")
        body = _object(request.body, Refusal.BODY, "body")
        if body.keys() != {"appid", "data"}:
            raise Refused(Refusal.BODY, f"body has {sorted(body)}: expected appid and data")
        if not isinstance(body["appid"], str) or not _same(body["appid"], self.credentials.appid):
            raise Refused(Refusal.APPID, "appid: wrong")
        content = _object(self._decrypt(body["data"]), Refusal.JSON, "plaintext")
        _check(content)
        return content

    def _decrypt(self, data: object) -> bytes:
        if not isinstance(data, str) or not data:
            raise Refused(Refusal.DATA, "data: expected a text that is not empty")
        if not _HEX.fullmatch(data):
            raise Refused(Refusal.HEX, "data: expected HEX digits, two a byte")
        cipher = bytes.fromhex(data)
        if len(cipher) % BLOCK_BYTES:
            raise Refused(Refusal.CIPHER, f"data: {len(cipher)} bytes; expected whole blocks of {BLOCK_BYTES}")
        decryptor = Cipher(algorithms.SM4(self.credentials.key), modes.CBC(self.credentials.iv)).decryptor()
        unpadder = PKCS7(BLOCK_BYTES * 8).unpadder()
        try:
            return unpadder.update(decryptor.update(cipher) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise Refused(
                Refusal.CIPHER, "data: padding is wrong: not SM4-CBC with PKCS padding under the issued key"
            ) from None


def _check(content: Mapping[str, Any]) -> None:
    """What every message must carry."""
    if not isinstance(content.get("dataId"), str) or not content["dataId"]:
        raise Refused(Refusal.DATA_ID, "dataId: expected a text that is not empty")
    enterprise = content.get("enterpriseId")
    if not isinstance(enterprise, str) or not is_uscc(enterprise):
        raise Refused(Refusal.ENTERPRISE, f"enterpriseId {enterprise!r}: expected a unified social credit code")
    if not any(isinstance(content.get(name), str | int) and content[name] for name in TIME_FIELDS):
        raise Refused(Refusal.TIME, f"expected one of {', '.join(TIME_FIELDS)}")
    if content.get("reportType") == "warning":
        _check_warnings(content.get("datas"))


def _check_warnings(items: object) -> None:
    """Pushed warnings: which one, how grave, in whose hands, and what happened to it when."""
    if not isinstance(items, list) or not items:
        raise Refused(Refusal.WARNING, "datas: expected a list of warnings that is not empty")
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise Refused(Refusal.WARNING, f"datas[{at}]: expected an object")
        for name, form in _WARNING_FORMS.items():
            if not isinstance(item.get(name), str) or not form.fullmatch(item[name]):
                raise Refused(Refusal.WARNING, f"datas[{at}].{name} {item.get(name)!r}: expected {form.pattern}")
        for name, allowed in _WARNING_CODES.items():
            if item.get(name) not in allowed:
                raise Refused(Refusal.WARNING, f"datas[{at}].{name} {item.get(name)!r}: expected one of {allowed}")
        level, highest = item["warnLevel"], item["highestLevel"]
        if (level is None) is (item["status"] == "open"):
            raise Refused(Refusal.WARNING, f"datas[{at}]: an open warning has a level, and no other one has")
        if level is not None and level < highest:
            raise Refused(Refusal.WARNING, f"datas[{at}]: warnLevel {level} is graver than highestLevel {highest}")


def is_uscc(code: str) -> bool:
    """Whether it is a unified social credit code, check character included (GB 32100)."""
    if len(code) != 18 or any(character not in USCC_ALPHABET for character in code):
        return False
    total = sum(USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    return code[17] == USCC_ALPHABET[(31 - total % 31) % 31]


def _object(text: bytes, code: Refusal, what: str) -> dict[str, Any]:
    try:
        content = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise Refused(Refusal.UTF8, f"{what}: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Refused(code, f"{what}: not JSON: {error}") from None
    if not isinstance(content, dict):
        raise Refused(code, f"{what}: expected a JSON object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
