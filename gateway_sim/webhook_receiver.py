"""An inspector's endpoint: takes webhooks, verifies their signatures itself (Standard Webhooks 1.0.0), counts them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from gateway_sim.listener import Listener, Reply, Request
from gateway_sim.report import write_report

TOLERANCE_S: Final = 300  # the reference library's value; the specification names none
PREFIX: Final = "whsec_"


class BadSignature(Exception):
    """A request that does not prove who sent it."""


def read_key(secret: str) -> bytes:
    """The key of a secret as issued: base64, with or without `whsec_` before it.

    Raises:
        ValueError: it is not base64.
    """
    try:
        return base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"webhook secret: expected {PREFIX} and base64: {error}") from None


def verify(headers: Mapping[str, str], body: bytes, key: bytes, now_s: float) -> str:
    """The id of a delivery that is signed with `key` and recent.

    Raises:
        BadSignature: it is not.
    """
    name, sent, signatures = (headers.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not name or not sent or not signatures:
        raise BadSignature("expected headers webhook-id, webhook-timestamp and webhook-signature")
    if not sent.isdecimal() or abs(now_s - int(sent)) > TOLERANCE_S:
        raise BadSignature(f"webhook-timestamp {sent}: expected within {TOLERANCE_S} s of now")
    expected = base64.b64encode(hmac.digest(key, f"{name}.{sent}.".encode() + body, hashlib.sha256)).decode()
    for signature in signatures.split():
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value.encode(), expected.encode()):
            return name
    raise BadSignature("no signature matches")


class WebhookReceiver:
    """The endpoint. `report`, if given, is rewritten after every request: received, distinct, bad_signature."""

    def __init__(
        self, secret: str, *, port: int = 0, report: Path | None = None, now_s: Callable[[], float] = time.time
    ) -> None:
        self._key = read_key(secret)
        self._report = report
        self._now_s = now_s
        self._lock = threading.Lock()
        self.received = 0
        self.bad_signature = 0
        self.bodies: dict[str, bytes] = {}  # by delivery id, the first of each
        self._listener = Listener(self._answer, port=port)
        self.url = f"http://127.0.0.1:{self._listener.port}/"
        self._write()

    def start(self) -> None:
        """Begin to answer."""
        self._listener.start()

    def stop(self) -> None:
        """Stop."""
        self._listener.stop()

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            try:
                name = verify(request.headers, request.body, self._key, self._now_s())
            except BadSignature as bad:
                self.bad_signature += 1
                reply = Reply(401, {"error": str(bad)})
            else:
                self.received += 1
                self.bodies.setdefault(name, request.body)
                reply = Reply(200, {"ok": True})
            self._write()
        return reply

    def _write(self) -> None:
        if self._report is not None:
            counts = {"received": self.received, "distinct": len(self.bodies), "bad_signature": self.bad_signature}
            write_report(self._report, counts)
