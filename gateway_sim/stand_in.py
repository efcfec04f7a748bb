"""What stand-ins for platforms share: how they behave, what they issue, and the checks that every form needs."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import ssl
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gateway_sim.certificates import make_certificates, write_secret
from gateway_sim.listener import Listener, Listening, Reply, Request

BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
TIME_FORM: Final = "%Y-%m-%d %H:%M:%S"
AHEAD: Final = dt.timedelta(minutes=5)
"""How far a sender's clock may be ahead: our own choice."""


class Mode(StrEnum):
    """How the platform behaves."""

    UP = "up"
    REFUSE = "refuse"  # answers 503
    HANG = "hang"  # takes the request and never answers
    CLOSE = "close"  # closes the connection without an answer
    SLOW = "slow"  # answers after a while
    ERROR = "error"  # answers 500
    WRONG_ANSWER = "wrong-answer"  # answers 200 in a form that is none of its own
    PARTIAL = "partial"  # refuses reports that hold a point it does not know
    DUPLICATE = "duplicate"  # takes each report and loses its first answer, so that it comes again


class Refused(Exception):
    """A request the platform does not take."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Taken:
    """A report that is in order.

    Attributes:
        id: what the platform knows a repeat by.
        content: decoded.
        points: the codes of the points in it.
    """

    id: str
    content: Mapping[str, Any]
    points: Collection[str] = ()


class StandIn(ABC):
    """A platform. Set `mode` at any time; read `received` (decoded objects, in order, without repeats).

    Args:
        directory: where certificates and what is issued are written: `ca.pem`, and a file for each name of `issued`,
            readable by the owner only.
        issued: what the authority issues, by name.
        port: 0 = any free one.
        slow_s: how long `Mode.SLOW` takes.
        unknown: codes of points that `Mode.PARTIAL` does not know.
    """

    base = ""
    """The path of its address; a profile adds its own behind it."""

    scheme = "https"
    """What its address begins with."""

    def __init__(
        self,
        directory: Path,
        issued: Mapping[str, str],
        *,
        port: int = 0,
        slow_s: float = 3.0,
        unknown: Collection[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        made = make_certificates(directory)
        self.issued = issued
        self.files = {name: directory / name for name in issued}
        for name, text in issued.items():
            write_secret(self.files[name], text.encode())
        self.ca = made.ca
        self.received: list[Mapping[str, Any]] = []
        self.duplicates = 0
        self.refused: Counter[str] = Counter()
        self.unknown = frozenset(unknown)
        self._slow_s = slow_s
        self._ids: set[str] = set()
        self._lock = threading.Lock()
        self._mode = Mode.UP
        self._mode_changed = threading.Condition()
        self._listener = self._listen(port, made.server_context())
        self.url = f"{self.scheme}://127.0.0.1:{self._listener.port}{self.base}"

    @abstractmethod
    def take(self, request: Request) -> Taken | Reply:
        """Check a request and decode its report; a reply where it is none of a report. Raises Refused."""

    @abstractmethod
    def yes(self) -> Reply:
        """The answer to a report that is taken."""

    @abstractmethod
    def no(self, refused: Refused) -> Reply:
        """The answer to one that is not."""

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

    def repeated(self) -> Reply:
        """The answer to a report that it has already."""
        return self.yes()

    def _listen(self, port: int, tls: ssl.SSLContext) -> Listening:
        """What hands requests to `_answer`."""
        return Listener(self._answer, port=port, tls=tls)

    def _answer(self, request: Request) -> Reply | None:
        with self._mode_changed:
            self._mode_changed.wait_for(lambda: self._mode is not Mode.HANG)
            mode = self._mode
            if mode is Mode.SLOW:
                self._mode_changed.wait_for(lambda: self._mode is not Mode.SLOW, self._slow_s)
        if mode is Mode.CLOSE:
            return None
        if mode in {Mode.REFUSE, Mode.ERROR}:
            return Reply(503 if mode is Mode.REFUSE else 500, self.no(Refused("DOWN", "platform is down")).content)
        if mode is Mode.WRONG_ANSWER:
            return Reply(200, {"status": "ok"})
        try:
            return self._judged(request, mode)
        except Refused as refused:
            with self._lock:
                self.refused[refused.what] += 1
            return self.no(refused)

    def _judged(self, request: Request, mode: Mode) -> Reply | None:
        taken = self.take(request)
        if isinstance(taken, Reply):
            return taken
        if mode is Mode.PARTIAL and (strange := self.unknown & set(taken.points)):
            raise Refused("POINT", f"unknown point {min(strange)}")
        if not self.keep(taken):
            return self.repeated()
        return None if mode is Mode.DUPLICATE else self.yes()

    def keep(self, taken: Taken) -> bool:
        """Keep a report; returns whether it is new."""
        with self._lock:
            if taken.id in self._ids:
                self.duplicates += 1
                return False
            self._ids.add(taken.id)
            self.received.append(taken.content)
            return True


def checked_post(request: Request, paths: Collection[str]) -> None:
    """Raise Refused for what is not a POST of JSON to one of these paths."""
    if request.method != "POST":
        raise Refused("METHOD", f"method {request.method}: expected POST")
    if request.path not in paths:
        raise Refused("PATH", f"path {request.path}: expected {' or '.join(paths)}")
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise Refused("CONTENT_TYPE", f"content type {content_type!r}: expected application/json")


def object_in(text: bytes, refusal: str, what: str) -> dict[str, Any]:
    """The JSON object in the text. Raises Refused, also for a key that stands twice."""
    try:
        content = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise Refused("UTF8", f"{what}: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Refused(refusal, f"{what}: not JSON: {error}") from None
    if not isinstance(content, dict):
        raise Refused(refusal, f"{what}: expected a JSON object")
    return content


def items_in(content: object, what: str) -> list[dict[str, Any]]:
    """The list of objects that is not empty. Raises Refused."""
    if not isinstance(content, list) or not content or not all(isinstance(item, dict) for item in content):
        raise Refused("ITEMS", f"{what}: expected a list of objects that is not empty")
    return content


def checked_time(value: object, what: str) -> None:
    """Raise Refused for what is no Beijing time in the usual form, or lies in the future."""
    try:
        time = dt.datetime.strptime(str(value), TIME_FORM).replace(tzinfo=BEIJING)
    except ValueError:
        time = None
    if time is None or not isinstance(value, str) or len(value) != len("2026-06-21 08:10:34"):
        raise Refused("TIME", f"{what} {value!r}: expected a time as 2026-06-21 08:10:34")
    if time > dt.datetime.now(dt.UTC) + AHEAD:
        raise Refused("CLOCK", f"{what} {value!r}: in the future, the sender's clock is wrong")


def equal(given: object, expected: str) -> bool:
    """Whether the secret is right, in the same time whatever is wrong with it."""
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def name_of(*parts: object) -> str:
    """A name that the same content always has, for reports without an id of their own."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content
