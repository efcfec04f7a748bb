"""InfluxDB 2 as a real 2.9.1 answers, in front of a real 1.x server that stores what it takes.

A bucket is a database of the 1.x server; its retention is that of the database. What 2.x decides before anything is
stored (who asks, what there is, whether every line can be parsed) is decided here, and what 1.x says of a write is said
in the words of 2.x.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qs

import httpx

from tests.ingest.storage.history.influx_2_managed import manage
from tests.ingest.storage.history.stand_in import Answer, Asked, http_server

Wording = Literal["2.9", "2.7.12", "2.7"]
"""Whose words tell of points older than the retention: of 2.9, of 2.7.12 and later 2.7, of 2.7 before."""

_UNIT: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_KEY: Final = rb"(?:[^\\,= \n]|\\.)+"
_NUMBER: Final = rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_VALUE: Final = rb'(?:%b|[-+]?\d+[iu]|"(?:[^"\\]|\\.)*"|[tTfF]|true|True|TRUE|false|False|FALSE)' % _NUMBER
_LINE: Final = re.compile(
    rb"(?P<key>(?:[^\\, \n]|\\.)+(?:,%b=%b)*) (?P<fields>%b=%b(?:,%b=%b)*)(?: (?P<time>-?\d+))?"
    % (_KEY, _KEY, _KEY, _VALUE, _KEY, _VALUE),
    re.DOTALL,
)
_HALF: Final = re.compile(rb"%b %b=(?: |$|,)" % (rb"\S+", _KEY))
_LONGEST_KEY: Final = 65_535
_FIRST_S, _LAST_S = -(2**63) + 2, 2**63 - 2


@dataclass(frozen=True, slots=True)
class Token:
    """Who may do what: "write" or "read" and the name of a bucket; None: everything."""

    rights: frozenset[tuple[str, str]] | None = None
    active: bool = True


@dataclass
class Influx2:
    """A server and what is in it. Everything else than `url` may be changed while it runs."""

    behind: httpx.Client
    wording: Wording = "2.9"
    org: str = "yujing"
    buckets: dict[str, int] = field(default_factory=dict)  # name -> seconds of retention, 0 = for ever
    policies: dict[str, str] = field(default_factory=dict)  # retention policy of a database -> bucket it stands for
    mapped: set[str] = field(default_factory=set)  # databases that InfluxQL may ask
    tokens: dict[str, Token] = field(default_factory=dict)
    readers: dict[str, str] = field(default_factory=dict)  # 1.x-compatible users that may read, and their passwords
    url: str = ""
    fresh: bool = False  # never set up
    asked: list[Asked] = field(default_factory=list)
    changes: int = 0  # requests that made or changed something other than readings
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)  # what is managed, by id

    def make(self, bucket: str, retention_s: int = 0) -> None:
        """A bucket, and a database mapping of its name."""
        self.make_unmapped(bucket, retention_s)
        self.mapped.add(bucket)

    def make_unmapped(self, bucket: str, retention_s: int = 0) -> None:
        """A bucket that InfluxQL cannot ask."""
        self.buckets[bucket] = retention_s
        self._do(f'CREATE DATABASE "{bucket}" WITH DURATION {f"{retention_s}s" if retention_s else "INF"}')

    def answer(self, request: Asked) -> Answer:
        """What a real one answers."""
        if request.path == "/ping":
            return Answer(204, headers={"X-Influxdb-Version": "v2.9.1", "X-Influxdb-Build": "OSS"})
        if request.path == "/api/v2/write":
            return self._write(request)
        if request.path == "/query":
            return self._query(request)
        self.asked.append(request)
        return manage(self, request)

    def _write(self, request: Asked) -> Answer:
        precision, bucket = request.query.get("precision", "ns"), request.query["bucket"]
        if (fault := self._forbidden(request, bucket)) is not None:
            return fault
        if request.broken:
            return _fault(500, "internal error", "An internal error has occurred - check server logs")
        faults = list(filter(None, map(_unparsable(precision), request.body.split(b"\n"))))
        if faults:
            return _fault(400, "invalid", "\n".join(faults))
        if not request.body.strip():
            return Answer(204)
        stored = self.behind.post("/write", params={"db": bucket, "precision": precision}, content=request.body)
        return Answer(204) if stored.is_success else self._reworded(stored, request.body, precision, bucket)

    def _forbidden(self, request: Asked, bucket: str) -> Answer | None:
        """Why the caller may not write there, or None."""
        token = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Token "))
        if token is None:
            return _fault(401, "unauthorized", "unauthorized access")
        org = request.query["org"]
        if org != self.org:
            return _fault(404, "not found", f'organization name "{org}" not found')
        if bucket not in self.buckets:
            return _fault(404, "not found", f'bucket "{bucket}" not found')
        if not token.active:
            return _fault(403, "forbidden", "insufficient permissions for write: token is inactive")
        if token.rights is not None and ("write", bucket) not in token.rights:
            return _fault(403, "forbidden", "insufficient permissions for write")
        return None

    def _reworded(self, stored: httpx.Response, lines: bytes, precision: str, bucket: str) -> Answer:
        """The answer of 1.x to a write in the form of 2.x."""
        reason = str(stored.json()["error"])
        dropped = re.fullmatch(r"partial write: points beyond retention policy dropped=(\d+)", reason)
        if dropped and self.wording != "2.7":
            reason = _outside(lines, _UNIT[precision], self.buckets[bucket], int(dropped[1]))
            reason += f" dropped={dropped[1]} for database: 9f282d63c7d3a5c0" * (self.wording == "2.7.12")
        status, code = (422, "unprocessable entity") if reason.startswith("partial") else (500, "internal error")
        return _fault(status, code, f"failure writing points to database: {reason}")

    def _query(self, request: Asked) -> Answer:
        asked = dict(request.query) | {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        user, password = asked.pop("u", None), asked.pop("p", None)
        token = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Token "))
        reads = token is not None and token.active
        if reads and token is not None and token.rights is not None:
            reads = ("read", asked["db"]) in token.rights
        if not reads and (user is None or self.readers.get(user) != password):
            return _fault(401, "unauthorized", "unauthorized access" if user is None else "Unauthorized")
        if "CREATE DATABASE" in asked["q"].upper():
            return _result("not implemented: CREATE DATABASE")
        if asked["db"] not in self.mapped:
            return _result(f"database not found: {asked['db']}")
        rolled = [
            self.policies[policy] for policy in re.findall(r'FROM "(\w+)"\."', asked["q"]) if policy in self.policies
        ]
        if (
            token is not None
            and token.rights is not None
            and not {("read", policy) for policy in rolled} <= token.rights
        ):
            return _result("insufficient permissions")  # what a real one says of it was not seen
        found = self.behind.post("/query", data=asked)
        if found.status_code == 400:
            reason = str(found.json()["error"]).replace("error parsing query", "failed to parse query")
            return _fault(400, "invalid", reason)
        return Answer(found.status_code, found.content, {"Content-Type": "application/json"})

    def move(self, bucket: str, database: str, policy: str) -> None:
        """Have an empty bucket be a policy of that database."""
        seconds = self.buckets[bucket]
        duration = f"{seconds}s" if seconds else "INF"
        self.policies[policy] = bucket
        self._do(f'DROP DATABASE "{bucket}"')
        self._do(f'CREATE RETENTION POLICY "{policy}" ON "{database}" DURATION {duration} REPLICATION 1')

    def set_retention(self, bucket: str, retention_s: int) -> None:
        """Change how long a bucket keeps its points."""
        self.buckets[bucket] = retention_s
        duration = f"{retention_s}s" if retention_s else "INF"
        self._do(f'ALTER RETENTION POLICY autogen ON "{bucket}" DURATION {duration}')

    def _do(self, query: str) -> None:
        self.behind.post("/query", data={"q": query}).raise_for_status()


@contextmanager
def fresh_influx_2_on(influx_1: str) -> Iterator[Influx2]:
    """A server in front of that one, as it is after its installation."""
    with httpx.Client(base_url=influx_1, trust_env=False, timeout=60) as http:
        server = Influx2(http, org="", fresh=True)
        with http_server(server.answer) as server.url:
            yield server


@contextmanager
def influx_2_on(influx_1: str, wording: Wording = "2.9") -> Iterator[Influx2]:
    """A server in front of that one, with the bucket `yujing` and "a token" that may do everything."""
    with httpx.Client(base_url=influx_1, trust_env=False, timeout=60) as http:
        server = Influx2(http, wording, tokens={"a token": Token()})
        server.make("yujing")
        with http_server(server.answer) as server.url:
            yield server


def _unparsable(precision: str) -> Any:
    """Why such a line cannot be parsed, in the server's words; None if it can."""
    unit = _UNIT[precision]

    def reason(line: bytes) -> str | None:
        if not line.strip() or line.startswith(b"#"):
            return None
        found = _LINE.fullmatch(line)
        if found is None:
            why = "missing field value" if _HALF.match(line) else "invalid field format"
        elif len(found["key"]) > _LONGEST_KEY:
            why = f"max key size exceeded: {len(found['key'])} > {_LONGEST_KEY}"
        elif found["time"] and not _FIRST_S <= int(found["time"]) * unit <= _LAST_S:
            why = "time outside range -9223372036854775806 - 9223372036854775806"
        else:
            return None
        return f"unable to parse '{line.decode(errors='replace')}': {why}"

    return reason


def _outside(lines: bytes, unit: int, retention_s: int, dropped: int) -> str:
    """What 2.7.12 and later say of points older than the retention."""
    bound = time.time_ns() - retention_s * 10**9
    points = [(int(line.rpartition(b" ")[2]) * unit, line.partition(b" ")[0]) for line in lines.splitlines()]
    old = sorted(point for point in points if point[0] < bound)
    hours, rest = divmod(retention_s, 3600)
    ends = (
        f"{which} point {key.decode()} at {_rfc3339(at)} dropped because it violates a Retention Policy Lower Bound at"
        f" {_rfc3339(bound)}"
        for which, (at, key) in (("oldest", old[0]), ("newest", old[-1]))
    )
    duration = f"{hours}h{rest // 60}m{rest % 60}s"
    return (
        f"partial write: dropped {dropped} points outside retention policy of duration {duration} - {', '.join(ends)}"
    )


def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at // 10**9, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{at % 10**9:09}").rstrip("0.") + "Z"


def _fault(status: int, code: str, message: str) -> Answer:
    kind: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8", "X-Platform-Error-Code": code}
    return Answer(status, json.dumps({"code": code, "message": message}).encode(), kind)


def _result(error: str) -> Answer:
    content = {"results": [{"statement_id": 0, "error": error}]}
    return Answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})
