"""Requests to Alibaba Cloud, signed by ACS3-HMAC-SHA256 (pure), and what its answers mean.

Source: Alibaba Cloud's documentation, *V3 request structure and signature* (V3版本请求体&签名机制), with the example
that the tests hold this against.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ingest.delivery.channels.bundling import Refusal

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_EMPTY: Final = hashlib.sha256(b"").hexdigest()
_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,64}")
_OFTEN_S: Final = 60.0  # 语音通知：同一被叫 1 次/分钟 (SingleCallByVoice, 流控)

_NO_NUMBER: Final = "isv.MOBILE_NUMBER_ILLEGAL"

_WORDS: Final[Mapping[str, str]] = {
    "isv.BUSINESS_LIMIT_CONTROL": "too often to this number 对该号码发送过于频繁",
    "isv.AMOUNT_NOT_ENOUGH": "the account has no money left 账户余额不足",
    "isv.OUT_OF_SERVICE": "the service was stopped for the account 账户欠费停机",
    "isv.ACCOUNT_ABNORMAL": "the account is not in order 账户异常",
    "isv.SMS_TEMPLATE_ILLEGAL": "look at template 核对 template：模板不存在或未审核",
    "isv.SMS_SIGNATURE_ILLEGAL": "look at sign_name 核对 sign_name：签名不存在或未审核",
    "isv.TEMPLATE_MISSING_PARAMETERS": "look at variables: the template has others 核对 variables：与模板变量不符",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "a variable has characters the provider refuses 变量含不允许的字符",
    "isv.PARAM_LENGTH_LIMIT": "look at text_chars: a variable is too long 核对 text_chars：变量超长",
    _NO_NUMBER: "the phone number is not valid 号码无效",
    "isp.RAM_PERMISSION_DENY": "the access key may not do this 访问密钥没有权限",
    "SignatureDoesNotMatch": "look at access_key_secret 核对 access_key_secret",
    "InvalidAccessKeyId.NotFound": "look at access_key_id 核对 access_key_id",
    "InvalidTimeStamp.Expired": "set this machine's clock (NTP) 本机对时",
    "Throttling.User": "too many requests 请求过多",
}
_LATER: Final = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "Throttling.User"})


@dataclass(frozen=True, slots=True)
class Key:
    """An access key. The secret is never shown."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.id})"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request to be posted without a body."""

    url: str
    headers: Mapping[str, str]  # without `host`, which the client writes


def signed(
    key: Key, url: str, action: str, version: str, parameters: Mapping[str, str], *, nonce: str, now: int
) -> Signed:
    """Return a request of an RPC action.

    Args:
        key: whose.
        url: of the service, ending in its path.
        action: what is asked.
        version: of the service's interface.
        parameters: of the action; they are sent in the address, as the interface describes them.
        nonce: used once.
        now: ns since the epoch.
    """
    parts = urlsplit(url)
    query = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(parameters.items()))
    headers = {
        "host": parts.netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": _EMPTY,
        "x-acs-date": dt.datetime.fromtimestamp(now // 1_000_000_000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n{parts.path or '/'}\n{query}\n{lines}\n{names}\n{_EMPTY}"
    text = f"{_ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    del headers["host"]
    headers["authorization"] = f"{_ALGORITHM} Credential={key.id},SignedHeaders={names},Signature={signature}"
    return Signed(f"{parts.scheme}://{parts.netloc}{parts.path or '/'}?{query}", headers)


def refusal_in(reply: Mapping[str, Any], key: Key) -> Refusal | None:
    """Return why a request was not taken, by the answer's `Code`; None: it was. Nobody else's words are quoted."""
    code = reply.get("Code")
    if code == "OK":
        return None
    if not isinstance(code, str) or not _CODE.fullmatch(code) or key.id in code or key.secret in code:
        return Refusal("the answer has no Code")
    words = _WORDS.get(code, "see the codes of the provider 见服务商错误码")
    return Refusal(f"{code}: {words}", _OFTEN_S if code in _LATER else 0.0, final=code == _NO_NUMBER)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
