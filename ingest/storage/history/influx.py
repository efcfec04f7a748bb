"""History in any InfluxDB: the lines written and the InfluxQL asked are the same for 1.x, 2.x and 3.x.

The versions differ in how a request is authorised and in the write: see `influx_v1` and `influx_v2`.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx
import numpy as np

from ingest.base.telemetry import Event, emit
from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.authorities import trusting
from ingest.domain.model.batch import Batch
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.answers import error_of
from ingest.storage.history.clipping import (
    MOST,
    HistoryClipped,
    clipped,
    events_clipped,
    events_too_large,
    is_victoria_metrics,
    too_large,
)
from ingest.storage.history.config import InfluxConfig
from ingest.storage.history.errors import HistoryExpired, HistoryTooLarge, HistoryUnavailable
from ingest.storage.history.influx_found import FoundRollups
from ingest.storage.history.influx_rollups import POLICIES
from ingest.storage.history.influxql import NO_VALUE, Buckets, TrendStatement, measurement, trend_statements
from ingest.storage.history.line_protocol import (
    Precision,
    ReadingLines,
    alarm_lines,
    precision_of,
    slot_lines,
    warning_lines,
)
from ingest.storage.history.series import series_of
from ingest.storage.history.store import Trend, TrendQuery

LINES: Final = 20_000  # a request at most: a turn of the history writer; benchmarks/history.py compares sizes
IN_FLIGHT: Final = 2  # requests; one alone leaves the server or us idle in turns

Series = list[tuple[Mapping[str, str], list[list[Any]]]]
"""The tags and rows of each series of an answer."""

_NO_NUMBER: Final = re.compile(r"^json: .*unsupported value: (?:[+-]Inf|NaN)\s*$")


class _Overflow(HistoryUnavailable):
    """The answer would hold a number that JSON does not have: a sum overflowed."""


@dataclass(frozen=True, slots=True)
class HistoryRequestHalved(Event, level="warning"):
    """The server found a request too large; from now on requests hold at most so many lines."""

    url: str
    lines: int
    reason: str


class InfluxStore(ABC):
    """A HistoryStore on any InfluxDB. Writing the same lines again stores nothing twice."""

    def __init__(self, http: httpx.Client, database: str, retention_policy: str | None = None) -> None:
        self._http = http
        self._database = database
        self._policy = retention_policy
        self._reading_lines: ReadingLines | None = None
        self._most = LINES  # lines a request
        self._rollups = FoundRollups(lambda statement: self._ask(statement)[0], retention_policy)
        self._clips: bool | None = None  # whether it is VictoriaMetrics; asked for with the first number that it harms

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:  # noqa: ARG002  lines are their own identity
        """Keep readings; see `HistoryStore`."""
        if self._reading_lines is None or self._reading_lines.configuration is not configuration:
            self._reading_lines = ReadingLines(configuration)
        over = self._harmful(too_large(batch))
        kept = clipped(batch) if over else batch
        lines, precision = self._reading_lines, precision_of(batch.time)
        everything = np.arange(len(batch))
        expired = self._write(len(batch), lambda part: lines(kept.take(everything[part]), precision), precision)
        if over:
            series, value = series_of(configuration, int(batch.point[over[0]])), float(batch.value[over[0]])
            emit(HistoryClipped(len(over), series.plant, series.point, value, MOST))
        return expired

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        """Keep alarm events; see `HistoryStore`."""
        over = self._harmful(events_too_large(events))
        kept = events_clipped(events) if over else events
        expired = self._write(len(events), lambda part: alarm_lines(kept[part]), "ns")
        if over:
            alarm = events[over[0]].alarm
            emit(
                HistoryClipped(len(over), alarm.plant, alarm.point, max(alarm.value or 0.0, alarm.limit, key=abs), MOST)
            )
        return expired

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        """Keep warning events; see `HistoryStore`."""
        return self._write(len(events), lambda part: warning_lines(events[part]), "ns")

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """Keep what alarms asked of operator positions; see `HistoryStore`."""
        return self._write(len(slots), lambda part: slot_lines(slots[part]), "ns")

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """Points' readings in time buckets; see `HistoryStore`. Those of gateways and of the service answer too."""
        found = [Buckets() for _ in queries]
        asked = trend_statements(queries, self._policy, self._rollups.kept_for(queries), POLICIES) if queries else []
        for statement, series, in_parts in self._answers(asked):
            for tags, rows in series:
                for place in statement.queries.get(tags[statement.tag], ()):
                    found[place].add(rows, statement.rows, statement.shift, in_parts=in_parts)
        return [buckets.trend() for buckets in found]

    def _answers(self, asked: Sequence[TrendStatement]) -> Iterator[tuple[TrendStatement, Series, bool]]:
        """The series of each statement, and whether they are of its parts. All are asked at once.

        Where the sum of a bucket overflows, the server answers none of them: they are asked one by one then.
        """
        if not asked:
            return
        try:
            answers = self._series("; ".join(statement.influxql for statement in asked))
        except _Overflow:
            for statement in asked:
                try:
                    yield statement, self._series(statement.influxql)[0], False
                except _Overflow:
                    yield statement, self._series(statement.in_parts)[0], True
        else:
            for statement, series in zip(asked, answers, strict=True):
                yield statement, series, False

    def count_readings(self) -> int:
        """All readings stored, by their value, or by what their quality says if they have none."""
        readings = self._measurement("readings")
        statements = (
            f"SELECT count(value) FROM {readings}",  # noqa: S608  quoted
            f"SELECT count(quality) FROM {readings} WHERE {NO_VALUE}",  # noqa: S608  quoted
        )
        # Asked one by one: of several that fail, InfluxDB 1.x tells "not executed" instead of why.
        return sum(int(row[1]) for statement in statements for rows in self._ask(statement) for row in rows)

    def dropped_days(self) -> int:
        """None: the server drops by itself."""
        return 0

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    @abstractmethod
    def _send(self, lines: bytes, precision: Precision) -> None:
        """Write once. Raises HistoryUnavailable, HistoryRejected or HistoryExpired."""

    def _write(self, count: int, lines: Callable[[slice], bytes], precision: Precision) -> int:
        """Write items 0..count-1 in requests as large as the server takes them; that is found out once.

        Returns how many of them were older than the server keeps.
        """
        at = expired = 0
        while at < count:
            starts = range(at, count, self._most)[:IN_FLIGHT]
            parts = [slice(start, min(start + self._most, count)) for start in starts]
            # The next lines are made while the server works on those before.
            sent = [(part, _Request(self._send, lines(part), precision)) for part in parts]
            for _, request in sent:
                request.join()
            for part, request in sent:
                try:
                    request.result()
                except HistoryExpired as error:
                    expired += min(error.expired, part.stop - part.start)
                except HistoryTooLarge as error:
                    if part.stop - part.start == 1:
                        raise
                    self._most = (part.stop - part.start) // 2
                    emit(HistoryRequestHalved(str(self._http.base_url), self._most, str(error)))
                    break  # what came after it was written, and is written again
                at = part.stop
        return expired

    def _harmful(self, over: list[int]) -> list[int]:
        """Those of the numbers that are too large which harm others in this store: in an InfluxDB none does."""
        if over and self._clips is None:
            answer = self._answer("GET", "/ping", {})
            if answer.is_server_error:
                raise HistoryUnavailable(f"{answer.url}: HTTP {answer.status_code}")
            self._clips = is_victoria_metrics(answer.headers)
        return over if self._clips else []

    def _ask(self, statements: str) -> list[list[list[Any]]]:
        """The rows of each InfluxQL statement; every statement here gives one series or none."""
        return [series[0][1] if series else [] for series in self._series(statements)]

    def _series(self, statements: str, **how: Any) -> list[Series]:
        """The series of each InfluxQL statement: its tags and its rows."""
        # In the body: the names of a plant's points are more than an address may be long.
        answer = self._request("POST", "/query", {"db": self._database, "epoch": "ns"}, data={"q": statements}, **how)
        try:
            results = answer.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            kind = _Overflow if _NO_NUMBER.search(answer.text) else HistoryUnavailable
            raise kind(f"{answer.url} does not answer InfluxQL: {answer.text[:200]}") from error
        for result in results:
            if "error" in result:
                raise HistoryUnavailable(f"query refused: {result['error']}")
        return [[(one.get("tags", {}), one["values"]) for one in result.get("series", ())] for result in results]

    def _answer(self, method: str, path: str, params: Mapping[str, str], **content: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, params=params, **content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HistoryUnavailable(f"{self._http.base_url}: {error or type(error).__name__}") from error

    def _request(self, method: str, path: str, params: Mapping[str, str], **content: Any) -> httpx.Response:
        answer = self._answer(method, path, params, **content)
        fault = error_of(answer.status_code, answer.text, answer.headers.get("Retry-After"), time.time())
        if fault:
            raise fault
        return answer

    def _measurement(self, name: str) -> str:
        return measurement(name, self._policy)


class _Request(threading.Thread):
    """A write under way. A daemon thread: a server that hangs does not keep the process from ending."""

    def __init__(self, send: Callable[[bytes, Precision], None], lines: bytes, precision: Precision) -> None:
        super().__init__(name="history-request", daemon=True)
        self._ask = partial(send, lines, precision)
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Write once, and keep what came of it."""
        try:
            self._ask()
        except BaseException as error:  # noqa: BLE001  raised where it is asked for
            self._error = error

    def result(self) -> None:
        """Raise what the write raised."""
        if self._error is not None:
            raise self._error


def http_client(config: InfluxConfig, **authority: Any) -> httpx.Client:
    """A client of that server that takes no proxy or password from the environment."""
    timeout = httpx.Timeout(config.timeout_s)
    return httpx.Client(base_url=config.url, timeout=timeout, trust_env=False, verify=trust(config), **authority)


def trust(config: InfluxConfig) -> ssl.SSLContext:
    """Whose certificates are believed. Raises HistoryUnavailable if `ca_file` cannot be read."""
    try:
        return trusting(config.ca_file)
    except OSError as error:
        raise HistoryUnavailable(f"ca_file {config.ca_file}: {error}") from error
