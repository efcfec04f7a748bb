"""History in any InfluxDB: line protocol and InfluxQL, which are the same for 1.x, 2.x and 3.x.

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
from ingest.domain.model.phase_record import PhaseRecord
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
from ingest.storage.history.influx_coverage import RollupCoverage
from ingest.storage.history.influx_rollups import POLICIES
from ingest.storage.history.influxql import (
    NO_VALUE,
    Buckets,
    TrendStatement,
    measurement,
    phase_statement,
    trend_statements,
)
from ingest.storage.history.line_protocol import (
    Precision,
    ReadingLines,
    alarm_lines,
    phase_lines,
    precision_of,
    slot_lines,
    warning_lines,
)
from ingest.storage.history.series import series_of
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery

LINES: Final = 20_000  # most in a request: a cycle of the history writer; benchmarks/history.py compares sizes
IN_FLIGHT: Final = 2  # requests; with a single one the server or we would be idle

Series = list[tuple[Mapping[str, str], list[list[Any]]]]
"""The tags and rows of each series of an answer."""

_NO_NUMBER: Final = re.compile(r"^json: .*unsupported value: (?:[+-]Inf|NaN)\s*$")


class _Overflow(HistoryUnavailable):
    """The answer would hold a number that JSON cannot express: a sum overflowed."""


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
        self._rollups = RollupCoverage(lambda statement: self._rows(statement)[0], retention_policy)
        self._clips: bool | None = None  # whether it is VictoriaMetrics; determined at the first too large number

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:  # noqa: ARG002  lines are their own identity
        """Store readings; see `HistoryStore`."""
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
        """Store alarm events; see `HistoryStore`."""
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
        """Store warning events; see `HistoryStore`."""
        return self._write(len(events), lambda part: warning_lines(events[part]), "ns")

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """Store alarm metrics of operator positions; see `HistoryStore`."""
        return self._write(len(slots), lambda part: slot_lines(slots[part]), "ns")

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        """Store phases of equipment; see `HistoryStore`."""
        return self._write(len(records), lambda part: phase_lines(records[part]), "ns")

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """Records of the phases of one equipment; see `HistoryStore`."""
        [rows] = self._rows(phase_statement(query, self._policy))
        return [PhaseRecord(query.plant, query.equipment, int(row[0]), row[1], int(row[2])) for row in rows]

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """Readings of points in time buckets, also of gateways and the service; see `HistoryStore`."""
        found = [Buckets() for _ in queries]
        statements = (
            trend_statements(queries, self._policy, self._rollups.coverage_for(queries), POLICIES) if queries else []
        )
        for statement, series, in_parts in self._answers(statements):
            for tags, rows in series:
                for place in statement.queries.get(tags[statement.tag], ()):
                    found[place].add(rows, statement.rows, statement.shift, in_parts=in_parts)
        return [buckets.trend() for buckets in found]

    def _answers(self, statements: Sequence[TrendStatement]) -> Iterator[tuple[TrendStatement, Series, bool]]:
        """The series of each statement, and whether they are in parts. All statements are sent in one request.

        If the sum of a bucket overflows, the server answers none of them: they are sent one by one then.
        """
        if not statements:
            return
        try:
            answers = self._series("; ".join(statement.influxql for statement in statements))
        except _Overflow:
            for statement in statements:
                try:
                    yield statement, self._series(statement.influxql)[0], False
                except _Overflow:
                    yield statement, self._series(statement.in_parts)[0], True
        else:
            for statement, series in zip(statements, answers, strict=True):
                yield statement, series, False

    def count_readings(self) -> int:
        """The number of readings stored, by their value, or by their quality if they have none."""
        readings = self._measurement("readings")
        statements = (
            f"SELECT count(value) FROM {readings}",  # noqa: S608  quoted
            f"SELECT count(quality) FROM {readings} WHERE {NO_VALUE}",  # noqa: S608  quoted
        )
        # Sent one by one: of several that fail, InfluxDB 1.x says "not executed" instead of the reason.
        return sum(int(row[1]) for statement in statements for rows in self._rows(statement) for row in rows)

    def dropped_days(self) -> int:
        """Always 0: the server deletes old data itself."""
        return 0

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    @abstractmethod
    def _send(self, lines: bytes, precision: Precision) -> None:
        """Send one write request. Raises HistoryUnavailable, HistoryRejected or HistoryExpired."""

    def _write(self, count: int, lines: Callable[[slice], bytes], precision: Precision) -> int:
        """Write items 0..count-1 in requests as large as the server accepts, which is found out once.

        Returns how many of them were older than the server keeps.
        """
        at = expired = 0
        while at < count:
            starts = range(at, count, self._most)[:IN_FLIGHT]
            parts = [slice(start, min(start + self._most, count)) for start in starts]
            # The next lines are encoded while the server works on the ones before.
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
        """Return which of the too large numbers corrupt others in this store: none in an InfluxDB."""
        if over and self._clips is None:
            answer = self._answer("GET", "/ping", {})
            if answer.is_server_error:
                raise HistoryUnavailable(f"{answer.url}: HTTP {answer.status_code}")
            self._clips = is_victoria_metrics(answer.headers)
        return over if self._clips else []

    def _rows(self, statements: str) -> list[list[list[Any]]]:
        """The rows of each InfluxQL statement; every statement here gives one series or none."""
        return [series[0][1] if series else [] for series in self._series(statements)]

    def _series(self, statements: str, **how: Any) -> list[Series]:
        """The series of each InfluxQL statement: its tags and its rows."""
        # In the body: the names of a plant's points may exceed the longest URL.
        answer = self._request("POST", "/query", {"db": self._database, "epoch": "ns"}, data={"q": statements}, **how)
        try:
            results = answer.json()["results"]
        except (ValueError, KeyError, TypeError) as error:
            kind = _Overflow if _NO_NUMBER.search(answer.text) else HistoryUnavailable
            raise kind(f"{answer.url} does not answer InfluxQL: {answer.text[:200]}") from error
        for result in results:
            if "error" in result:
                raise HistoryUnavailable(f"query refused: {result['error']}")
        return [
            [(series.get("tags", {}), series["values"]) for series in result.get("series", ())] for result in results
        ]

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
    """A write request in a daemon thread: a server that hangs does not keep the process from ending."""

    def __init__(self, send: Callable[[bytes, Precision], None], lines: bytes, precision: Precision) -> None:
        super().__init__(name="history-request", daemon=True)
        self._call = partial(send, lines, precision)
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Send the request and keep its error."""
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001  raised by `result`
            self._error = error

    def result(self) -> None:
        """Raise the error of the request, if any."""
        if self._error is not None:
            raise self._error


def http_client(config: InfluxConfig, **credentials: Any) -> httpx.Client:
    """Create a client of that server that ignores proxies and passwords of the environment."""
    timeout = httpx.Timeout(config.timeout_s)
    return httpx.Client(base_url=config.url, timeout=timeout, trust_env=False, verify=trust(config), **credentials)


def trust(config: InfluxConfig) -> ssl.SSLContext:
    """The TLS context with the trusted certificates. Raises HistoryUnavailable if `ca_file` cannot be read."""
    try:
        return trusting(config.ca_file)
    except OSError as error:
        raise HistoryUnavailable(f"ca_file {config.ca_file}: {error}") from error
