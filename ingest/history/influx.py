"""History in any InfluxDB: the lines written and the InfluxQL asked are the same for 1.x, 2.x and 3.x.

The versions differ in how a request is authorised and in the write: see `influx_v1` and `influx_v2`.
"""

from __future__ import annotations

import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from pydantic import Field

from ingest.history.answers import error_of
from ingest.history.errors import HistoryUnavailable
from ingest.history.line_protocol import alarm_lines, reading_lines, tag_value
from ingest.history.store import Trend, bucket_width
from ingest.model.alarm import AlarmEvent
from ingest.model.batch import Batch
from ingest.model.config import Config
from ingest.plants.roster import Roster

_LINES: Final = 5_000  # a request; measured: larger ones gain little, and a refused one costs more
_QUOTED: Final = {"\\": r"\\", "\n": r"\n"}
_STRING: Final = str.maketrans(_QUOTED | {"'": r"\'"})
_NAME: Final = str.maketrans(_QUOTED | {'"': r"\""})


class InfluxConfig(Config):
    """What every InfluxDB needs to be reached."""

    url: str = Field(pattern=r"^https?://[^@\s]+$")  # no user:password@ in it
    ca_file: Path | None = None  # certificates to trust instead of the system's
    timeout_s: float = Field(default=10, gt=0)


class InfluxStore(ABC):
    """A HistoryStore on any InfluxDB. Writing the same lines again stores nothing twice."""

    def __init__(self, http: httpx.Client, database: str, retention_policy: str | None = None) -> None:
        self._http = http
        self._database = database
        self._policy = retention_policy

    def write_readings(self, batch: Batch, roster: Roster, first_entry: int) -> None:  # noqa: ARG002  lines are their own identity
        """Keep readings; see `HistoryStore`."""
        self._write(reading_lines(batch, roster))

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> None:
        """Keep alarm events; see `HistoryStore`."""
        self._write(alarm_lines(events))

    def trend(self, plant: str, point: str, start: int, end: int, buckets: int) -> Trend:
        """One point's readings in time buckets; see `HistoryStore`. A gateway's own series answers too."""
        width = bucket_width(start, end, buckets)
        window = f"time >= {start} AND time < {end} GROUP BY time({width}ns, {start % width}ns) fill(none)"
        answers = self._ask(
            "; ".join(
                f"SELECT min({field}), mean({field}), max({field}), count(quality) FROM {self._measurement(name)} "  # noqa: S608  quoted
                f"WHERE plant = {_string(plant)} AND {tag} = {_string(point)} AND {window}"
                for name, tag, field in (("readings", "point", "value"), ("gateways", "gateway", "online"))
            )
        )
        rows = [row for answer in answers for row in answer]
        time, low, mean, high, count = zip(*rows, strict=True) if rows else ((),) * 5
        return Trend(
            time=np.array(time, np.int64),
            low=np.array(low, np.float64),
            mean=np.array(mean, np.float64),
            high=np.array(high, np.float64),
            count=np.array(count, np.int64),
        )

    def count_readings(self) -> int:
        """All readings stored, counted by their quality, which every reading has."""
        [rows] = self._ask(f"SELECT count(quality) FROM {self._measurement('readings')}")  # noqa: S608  quoted
        return int(rows[0][1]) if rows else 0

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    @abstractmethod
    def _send(self, lines: bytes) -> None:
        """Write once. Raises HistoryUnavailable or HistoryRejected."""

    def _write(self, lines: Sequence[str]) -> None:
        for start in range(0, len(lines), _LINES):
            self._send("\n".join(lines[start : start + _LINES]).encode())

    def _ask(self, statements: str) -> list[list[list[Any]]]:
        """The rows of each InfluxQL statement; every statement here gives one series or none."""
        answer = self._request("GET", "/query", {"db": self._database, "epoch": "ns", "q": statements})
        try:
            results = answer.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            raise HistoryUnavailable(f"{answer.url} does not answer InfluxQL: {answer.text[:200]}") from error
        for result in results:
            if "error" in result:
                raise HistoryUnavailable(f"query refused: {result['error']}")
        return [result["series"][0]["values"] if result.get("series") else [] for result in results]

    def _request(self, method: str, path: str, params: Mapping[str, str], **content: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, params=params, **content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HistoryUnavailable(f"{self._http.base_url}: {error or type(error).__name__}") from error
        fault = error_of(answer.status_code, answer.text, answer.headers.get("Retry-After"), time.time())
        if fault:
            raise fault
        return answer

    def _measurement(self, name: str) -> str:
        return f"{quoted(self._policy)}.{quoted(name)}" if self._policy else quoted(name)


def http_client(config: InfluxConfig, **authority: Any) -> httpx.Client:
    """A client of that server that takes no proxy or password from the environment."""
    timeout = httpx.Timeout(config.timeout_s)
    return httpx.Client(base_url=config.url, timeout=timeout, trust_env=False, verify=trust(config), **authority)


def trust(config: InfluxConfig) -> ssl.SSLContext:
    """Whose certificates are believed. Raises HistoryUnavailable if `ca_file` cannot be read."""
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except OSError as error:
        raise HistoryUnavailable(f"ca_file {config.ca_file}: {error}") from error


def _string(text: str) -> str:
    """A tag's value as an InfluxQL string."""
    return f"'{tag_value(text).translate(_STRING)}'"


def quoted(text: str) -> str:
    """A measurement, database or policy as an InfluxQL identifier."""
    return f'"{text.translate(_NAME)}"'
