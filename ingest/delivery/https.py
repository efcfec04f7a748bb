"""POST over verified TLS, without redirects or proxies from the environment; every outgoing request goes through here.

Addresses come from the settings file alone, which an administrator writes; no request to the API can name one. Where
their names may lead, `ingest.delivery.destinations` says.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
from pydantic import AfterValidator, ValidationError, ValidationInfo

from ingest.base.retry_after import retry_after_s
from ingest.delivery.destinations import Network, written_fault
from ingest.delivery.errors import Unreachable
from ingest.delivery.posting import Posting
from ingest.domain.model.authorities import trusting
from ingest.domain.model.certificate import NO_CERTIFICATE
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.expectations import misplaced, with_reason
from ingest.domain.model.fault import SECRET_KEYS, Fault, InvalidConfig
from ingest.domain.model.text import Text

REJECTING: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""Statuses by which a receiver rejects what is sent (RFC 9110, 15.5.1, 15.5.14, 15.5.21), not who sends it or where."""

MAX_ANSWER = 65_536
"""Most bytes of an answer that are read; what we need of one is short."""


_URL: Final = Text("网址，如 https://host:8443/path", "a URL such as https://host:8443/path")


def _checked_url(url: str, info: ValidationInfo) -> str:
    return checked_address(url, info, plain="http", sealed="https", form=_URL)


def checked_address(url: str, info: ValidationInfo, *, plain: str, sealed: str, form: Text) -> str:
    """The address as it is, if a receiver may have it; a validation error quotes only its harmless part.

    Args:
        url: as written.
        info: with the fields before it, `allow_http` and `allow_networks`.
        plain: the scheme without TLS: only to loopback, or with `allow_http`.
        sealed: the scheme over TLS.
        form: what an address looks like.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        connected = httpx.URL(url).raw_host.decode("ascii")
    except (ValueError, httpx.InvalidURL):
        raise _refused(form, "(not a URL)") from None
    shown = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    if parts.scheme not in {plain, sealed} or not host or port == 0:
        raise _refused(form, shown)
    if "@" in parts.netloc:
        raise _refused(Text("不含用户名和密码的网址", "a URL without user name or password"), shown)
    if parts.fragment:
        raise _refused(Text("不含 # 部分的网址", "a URL without a fragment"), shown)
    if any(word in name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True) for word in SECRET_KEYS):
        raise _refused(Text("查询部分不含凭据的网址", "a URL without credentials in its query"), shown)
    if parts.scheme == plain and not (is_loopback(host) or info.data.get("allow_http", False)):
        wanted = Text(f"{sealed}（明文 {plain} 只用于本机）", f"{sealed} (plain {plain} is for this machine only)")
        raise _refused(wanted, shown)
    expected = written_fault(connected, info.data.get("allow_networks", ()))
    if expected is not None:
        raise _refused(expected, shown)
    return url


def _refused(expected: Text, shown: str) -> ValidationError:
    """A validation error that shows only the harmless part of a URL: Pydantic would quote all of it."""
    return misplaced(((), shown, expected))


Url = Annotated[str, AfterValidator(_checked_url)]
"""A receiver's address. Plain http only to loopback, or where the field `allow_http`, declared before it, is true."""


def is_loopback(host: str) -> bool:
    """Whether the host, as written, is this machine. Other spellings of a loopback address do not count."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    """A receiver's answer."""

    status: int
    retry_after: str | None
    body: bytes  # at most MAX_ANSWER bytes

    @property
    def refusal(self) -> Failure | None:
        """Why the status is a failure, or None for 2xx."""
        if HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        if HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST:
            return Failure("redirect", status=self.status)
        if self.status == HTTPStatus.GONE:
            return Failure("gone")
        return Failure("http", status=self.status_line)

    @property
    def status_line(self) -> str:
        """The status and what it means."""
        known = self.status in HTTPStatus.__members__.values()
        return f"{self.status} {HTTPStatus(self.status).phrase}" if known else f"{self.status}"

    @property
    def rejects(self) -> bool:
        """Whether the status says that this message is not taken, however often it is sent."""
        return self.status in REJECTING

    def requested_delay_s(self, now: int) -> float | None:
        """The delay the receiver asks for (Retry-After), in seconds from `now` (ns since the epoch)."""
        return retry_after_s(self.retry_after, now / 1e9)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of our own by which a receiver knows us, and its key; read when the client is opened."""

    cert: Path
    key: Path


def trusted(ca_file: Path | None, key: str) -> ssl.SSLContext:
    """A TLS context that trusts the system's authorities, or those in `ca_file` alone.

    Raises:
        InvalidConfig: the file cannot be used; the fault names `key`.
    """
    try:
        return trusting(ca_file)
    except OSError as error:  # ssl.SSLError is one
        expected = with_reason(
            Text("可读取的 PEM 证书文件", "a readable file of PEM certificates"), error, NO_CERTIFICATE
        )
        raise InvalidConfig([Fault(str(ca_file), key, str(ca_file), expected)]) from error


def open_client(
    ca_file: Path | None, key: str, own: OwnCertificate | None = None, *, allowed: Sequence[Network] = ()
) -> Posting:
    """A client that trusts the system's authorities, or the one in `ca_file` alone, and shows `own` if it is asked to.

    Args:
        ca_file: certificates of authorities (PEM).
        key: the setting it stands in, for the fault.
        own: our certificate.
        allowed: networks of special use in which the receiver may be.

    Raises:
        InvalidConfig: a file cannot be used; the fault names `key`, or beside it `tls_cert`.
    """
    return Posting(trusted_showing(ca_file, key, own), allowed)


def trusted_showing(ca_file: Path | None, key: str, own: OwnCertificate | None) -> ssl.SSLContext:
    """As `trusted`, and it shows `own` if it is asked to. Raises InvalidConfig as `open_client`."""
    trust = trusted(ca_file, key)
    if own is not None:
        try:
            trust.load_cert_chain(own.cert, own.key, password="")  # of a locked key OpenSSL asks the terminal
        except OSError as error:
            expected = with_reason(
                Text("可读取的 PEM 证书及其私钥", "a readable PEM certificate with its key"), error, NO_CERTIFICATE
            )
            raise InvalidConfig([Fault(str(own.cert), _beside(key, "tls_cert"), str(own.cert), expected)]) from error
    return trust


def _beside(key: str, name: str) -> str:
    return ".".join((*key.split(".")[:-1], name))


async def post(client: Posting, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float) -> Answer:
    """Send the body once and wait for the answer, all within `timeout_s`.

    Raises:
        Unreachable: no complete answer; the text quotes neither address nor headers.
    """
    sent = {
        "user-agent": "yujing",
        "accept-encoding": "identity",
        **headers,
    }  # an answer's length is that of its body
    try:
        async with asyncio.timeout(timeout_s):
            reply = await client.post(url, body, sent, most=MAX_ANSWER)
    except TimeoutError as error:
        raise Unreachable(Failure("timeout", seconds=f"{timeout_s:g}")) from error
    requested = reply.headers.get(b"retry-after")
    return Answer(reply.status, requested.decode("latin-1") if requested is not None else None, reply.body)
