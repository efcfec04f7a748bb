"""Sets up a database of an InfluxDB 1.x: its retention, the service's user, and a read-only user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import httpx

from ingest.domain.model.text import Text
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.influx import http_client
from ingest.storage.history.influx_rollups import MINUTES_DAYS, POLICIES, continuous_queries
from ingest.storage.history.influxql import quoted, string
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.setup import (
    DAY_S,
    READER,
    READER_PASSWORD,
    SetupOptions,
    SetupRefused,
    file_of,
    operator_needed,
    read_or_create,
)

_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_FIRST_USER: Final = "create admin user first"


def set_up_v1(config: InfluxV1Config, operator: str | None, options: SetupOptions) -> Iterator[Text]:
    """Create what is missing, and yield each thing created. Idempotent.

    Args:
        config: the settings of the history.
        operator: `user:password` of an administrator; None if the server needs none.
        options: what a person wants of it.

    Raises:
        SetupRefused: the server or the settings do not allow it.
        HistoryUnavailable: the server cannot be reached.
    """
    user, colon, password = (operator or "").partition(":")
    if operator is not None and not (user and colon and password):
        raise SetupRefused("操作员凭据应为 用户名:口令", "the operator's credentials: expected user:password")
    with http_client(config, **({"auth": (user, password)} if operator else {})) as http:
        server = _Server(http)
        refusal = server.error("SHOW DATABASES")
        if refusal and operator is None:
            raise operator_needed("管理员凭据(用户名:口令)", "an administrator's credentials (user:password) are")
        if _FIRST_USER in refusal:
            server.run(f"CREATE USER {quoted(user)} WITH PASSWORD {string(password)} WITH ALL PRIVILEGES")
            yield Text(f"管理员 {user}", f"administrator {user}")
        elif refusal:
            raise SetupRefused(
                f"服务器拒绝了操作员凭据:{refusal}", f"the server refuses the operator's credentials: {refusal}"
            )
        yield from _database(server, config, options)
        if options.rollups:
            yield from _rollups(server, config)
        if config.username is not None:
            yield from _users(server, config, config.username)
        elif operator is not None:
            raise SetupRefused(
                "配置中没有 history.username 和 history.password",
                "history.username and history.password are not set: the service cannot sign in",
            )


def _database(server: _Server, config: InfluxV1Config, options: SetupOptions) -> Iterator[Text]:
    database = quoted(config.database)
    new = [config.database] not in server.rows("SHOW DATABASES")
    if new:  # with this duration from the first: the server sizes its shards by it
        wanted = options.retention_s(None) if config.retention_policy is None else None
        server.run(f"CREATE DATABASE {database} WITH DURATION {_duration(wanted)}")
        yield Text(f"库 {config.database}", f"database {config.database}")
    yield from _retention(server, config, options, new=new)


def _retention(server: _Server, config: InfluxV1Config, options: SetupOptions, *, new: bool) -> Iterator[Text]:
    """Set the retention of the policy that readings are written to: that of the settings, or the database's own."""
    database = quoted(config.database)
    policies = server.table(f"SHOW RETENTION POLICIES ON {database}")
    default = next((row["name"] for row in policies if row["default"]), None)
    name = config.retention_policy or default or "autogen"
    present = next((_seconds(row["duration"]) for row in policies if row["name"] == name), None)
    wanted = options.retention_s(None if new else present)
    if present is None:
        yours = "DEFAULT" if default is None else ""
        server.run(
            f"CREATE RETENTION POLICY {quoted(name)} ON {database} DURATION {_duration(wanted)} REPLICATION 1 {yours}"
        )
    elif wanted is not None and wanted != present:
        server.run(f"ALTER RETENTION POLICY {quoted(name)} ON {database} DURATION {_duration(wanted)}")
    else:
        return
    kept = f"{wanted // DAY_S} d" if wanted else "∞"
    yield Text(f"保存策略 {name}:{kept}", f"retention policy {name}: {kept}")


def _rollups(server: _Server, config: InfluxV1Config) -> Iterator[Text]:
    """Create the policies of rollups, which stay unchanged if they exist, and this version's continuous queries."""
    database = quoted(config.database)
    policies = {row["name"]: row["default"] for row in server.table(f"SHOW RETENTION POLICIES ON {database}")}
    for policy, days in ((POLICIES[Resolution.MINUTE], MINUTES_DAYS), (POLICIES[Resolution.HOUR], 0)):
        if policy not in policies:
            kept = _duration(days * DAY_S)
            server.run(f"CREATE RETENTION POLICY {quoted(policy)} ON {database} DURATION {kept} REPLICATION 1")
            yield Text(f"保存策略 {policy}", f"retention policy {policy}")
    own = config.retention_policy or next(name for name, default in policies.items() if default)
    known = {row[0] for row in server.rows_of("SHOW CONTINUOUS QUERIES", config.database)}
    for name, statement in continuous_queries(config.database, own).items():
        if server.error(statement):  # it exists and differs
            server.run(f"DROP CONTINUOUS QUERY {quoted(name)} ON {database}")
            server.run(statement)
        elif name in known:
            continue
        yield Text(f"连续查询 {name}", f"continuous query {name}")


def _users(server: _Server, config: InfluxV1Config, service: str) -> Iterator[Text]:
    """Create the service's user, which may write and read this database, and the reader, with passwords from files."""
    file = file_of(config.password, "history.password")
    known = {row[0] for row in server.rows("SHOW USERS")}
    for user, right, place in ((service, "ALL", file), (READER, "READ", file.parent / READER_PASSWORD)):
        password = string(read_or_create(place))
        if user in known:
            server.run(f"SET PASSWORD FOR {quoted(user)} = {password}")
        else:
            server.run(f"CREATE USER {quoted(user)} WITH PASSWORD {password}")
            yield Text(f"用户 {user},口令在 {place}", f"user {user}, password in {place}")
        server.run(f"GRANT {right} ON {quoted(config.database)} TO {quoted(user)}")


class _Server:
    """Runs statements as an administrator."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def run(self, statement: str) -> list[Any]:
        """Run a statement and return the series of its answer. Raises SetupRefused, HistoryUnavailable."""
        result = self._result(statement)
        if "error" in result:
            what = " ".join(statement.split()[:2])  # no more of it: a password may follow
            raise SetupRefused(f"{what}:{result['error']}", f"{what}: {result['error']}")
        return list(result.get("series", ()))

    def error(self, statement: str) -> str:
        """The server's error for a statement; empty if it succeeds."""
        return str(self._result(statement).get("error", ""))

    def rows(self, statement: str) -> list[list[Any]]:
        """The rows of the answer."""
        return [row for series in self.run(statement) for row in series.get("values", ())]

    def rows_of(self, statement: str, name: str) -> list[list[Any]]:
        """The rows of the series of that name."""
        return [row for series in self.run(statement) if series.get("name") == name for row in series.get("values", ())]

    def table(self, statement: str) -> list[dict[str, Any]]:
        """The rows of the answer by column."""
        return [
            dict(zip(series["columns"], row, strict=True))
            for series in self.run(statement)
            for row in series.get("values", ())
        ]

    def _result(self, statement: str) -> dict[str, Any]:
        try:
            content = self._http.post("/query", data={"q": statement}).json()
            return dict(content["results"][0] if "results" in content else content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HistoryUnavailable(f"{self._http.base_url}: {error or type(error).__name__}") from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise HistoryUnavailable(f"{self._http.base_url} does not answer InfluxQL") from error


def _duration(seconds: int | None) -> str:
    return f"{seconds}s" if seconds else "INF"


def _seconds(duration: str) -> int:
    """Parse a duration as the server writes it.

    >>> _seconds("168h0m0s")
    604800
    """
    found = _DURATION.fullmatch(duration)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return hours * 3600 + minutes * 60 + seconds
