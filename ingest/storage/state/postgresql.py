"""The PostgreSQL backend of the state database.

One service writes to a database: its writing session holds an advisory lock, which ends with the session. A session can
end while the service lives (a restart of the server, a cut), and somebody else may have written before it is back. So
whoever opens the database leaves a token in it, and a service that comes back to another one's token writes no more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa
from psycopg.types.json import set_json_dumps
from psycopg.types.string import StrDumper
from sqlalchemy.dialects.postgresql import REGCLASS

from ingest.base.closing import closed_on_failure
from ingest.base.telemetry import Event, emit
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.reloaded import Reloaded, renewed_password
from ingest.storage.state.backend import json_text
from ingest.storage.state.config import StateConfig
from ingest.storage.state.errors import StateAway, StateBroken, StateUnavailable
from ingest.storage.state.silence import ANSWER_S, CONNECT_S, READ_S, Session, Silence
from ingest.storage.state.tables import holder

_OLDEST: Final = 130000  # the first with transaction numbers whose outcome can be queried: PostgreSQL 13
_LOCK: Final = 0x79756A696E67  # "yujing"
_LINGER_S: Final = 5.0  # time for the server to notice that an earlier session has died

_REACHING: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_S,
    # A vanished peer is noticed in about 11 s, before the watchdog takes the engine for stuck.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
_SESSION: Final = {
    "jit": "off",  # it costs more than any of our queries
    "tcp_keepalives_idle": "10",  # so that the server, too, soon ends a session whose machine vanished
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_WRITES: Final = {
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "statement_timeout": "7s",  # before `ANSWER_S`, so that a server that is slow says so, and its lock is free again
}
_READS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "plan_cache_mode": "force_custom_plan",  # the best plan depends on the values asked for
}

_BROKEN: Final = ("XX001", "XX002")  # data_corrupted, index_corrupted
_OURS: Final = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.NotSupportedError, sa.exc.ProgrammingError)
_AWAY: Final = (
    "08",  # connection
    "25P03",  # the session was idle for too long
    "25P04",  # its transaction took too long
    "57P",  # shut down, crashed, starting
)
_PASSING: Final = (
    "28",  # authorization
    "3D",  # no such database
    "40",  # rolled back: serialization, deadlock
    "53",  # no disk, memory or connections left
    "55",  # locked, in use
    "57",  # cancelled
    "58",  # its system: the server aborted the transaction
    "25006",  # it has become a standby
    "42501",  # no privilege
)


@dataclass(frozen=True, slots=True)
class StateNotDurable(Event, level="error"):
    """The server says that a commit is on its disk before it is."""

    database: str
    problem: str


class _Clean(StrDumper):
    """Dumps text without NUL, the one character PostgreSQL does not store."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in obj else obj)


class Postgresql:
    """The PostgreSQL implementation of `ingest.storage.state.backend.Backend`."""

    def __init__(self, config: StateConfig) -> None:
        """Read the settings; nothing is connected yet."""
        self._config = config
        self._password = renewed_password("state.password", config.password)
        self._token: UUID | None = None  # ours in the database, once it is open
        self._silence = Silence(self.name)

    @property
    def name(self) -> str:
        """The address."""
        return str(self._config.server)

    @property
    def turn_s(self) -> float:
        """See `Backend`; with `ANSWER_S` and the pause between two tries it is less than makes the engine stuck."""
        return 4.0

    def writer(self) -> sa.Engine:
        """See `Backend`."""
        return sa.create_engine("postgresql+psycopg://", creator=self._writing, pool_size=1, max_overflow=0)

    def reader(self) -> sa.Engine:
        """See `Backend`."""

        def reading() -> Session:
            return self._connect(_READS, READ_S, prepare_threshold=None)

        return sa.create_engine(
            "postgresql+psycopg://", creator=reading, pool_size=4, max_overflow=12, isolation_level="AUTOCOMMIT"
        )

    def opened(self, connection: sa.Connection) -> None:
        """Write our token."""
        token = uuid4()
        connection.execute(sa.delete(holder))
        connection.execute(sa.insert(holder), {"one": 1, "token": token, "since": time.time_ns()})
        self._token = token

    def set_durable(self, connection: sa.Connection, durable: bool) -> None:  # noqa: FBT001  as `Backend`
        """Do nothing: every commit is durable, also on a standby that takes over."""

    def set_patient(self, connection: sa.Connection, patient: bool) -> None:  # noqa: FBT001  as `Backend`
        """See `Backend`."""
        session: Any = connection.connection.driver_connection
        session.patience_s = None if patient else ANSWER_S
        if patient:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")

    def transaction(self, connection: sa.Connection) -> int | None:
        """See `Backend`."""
        return int(connection.exec_driver_sql("SELECT pg_current_xact_id()::text").scalar_one())

    def wrote_last(self, connection: sa.Connection, transaction: int, table: sa.Table) -> bool:
        """See `Backend`.

        The number alone tells nothing: a server that dies before its log is written gives it to another transaction
        (and `pg_xact_status` then tells of that one, or that it lies in the future). No other one wrote this row.
        """
        query = f"SELECT xmin = CAST(CAST(%s AS xid8) AS xid) FROM {table.name}"  # noqa: S608  a table of ours
        return bool(connection.exec_driver_sql(query, (str(transaction),)).scalar())

    def error_type(self, error: sa.exc.DBAPIError) -> type[Exception] | None:
        """See `Backend`."""
        state = getattr(error.orig, "sqlstate", None)
        if state in _BROKEN:
            return StateBroken
        if state is None:  # not from the server: the connection failed, unless the driver refuses what it is given
            return None if isinstance(error, _OURS) and not error.connection_invalidated else StateAway
        if error.connection_invalidated or state.startswith(_AWAY):
            return StateAway
        return StateUnavailable if state.startswith(_PASSING) else None

    def error_text(self, error: sa.exc.DBAPIError) -> str:
        """See `Backend`."""
        return _one_line(error.orig)

    def last_number(self, connection: sa.Connection, column: sa.Column[Any]) -> int:
        """See `Backend`."""
        sequence = self._sequence(connection, column)
        return int(connection.execute(sa.select(sa.func.pg_sequence_last_value(sequence))).scalar() or 0)

    def continue_after(self, connection: sa.Connection, column: sa.Column[Any], number: int) -> None:
        """See `Backend`."""
        sequence = self._sequence(connection, column)
        connection.execute(sa.select(sa.func.setval(sequence, max(number, 1), number > 0)))

    def settle(self, connection: sa.Connection, tables: Sequence[str]) -> None:
        """Update the planner's statistics now rather than in a minute."""
        for table in tables:
            connection.exec_driver_sql(f'ANALYZE "{table}"')

    def close(self) -> None:
        """Do nothing: the lock ended with its session."""

    def _sequence(self, connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        query = sa.select(sa.func.pg_get_serial_sequence(column.table.name, column.name))
        return sa.cast(connection.execute(query).scalar_one(), REGCLASS)

    def _connect(self, settings: Mapping[str, str], patience_s: float, **options: Any) -> Session:
        """Open a session. Raises psycopg.Error, StateAway."""
        with self._silence.opening():
            session = connect(self._config, self._password, settings, **options)
        session.silence, session.patience_s = self._silence, patience_s
        return session

    def _writing(self) -> Session:
        """Connect the writing session and ensure that it is the only one.

        Raises:
            StateUnavailable: the server cannot be used, or another session writes.
            StateBroken: another service has written since we did.
        """
        connection = self._connect(_WRITES, ANSWER_S)
        with closed_on_failure(connection.close):
            self._require_usable(connection)
            self._require_ours(connection)
            connection.commit()
        return connection

    def _require_usable(self, connection: psycopg.Connection[Any]) -> None:
        version = connection.info.server_version
        if version < _OLDEST:
            raise StateUnavailable(f"{self.name}: PostgreSQL {version // 10000} is too old; 13 or newer is needed")
        if _scalar(connection, "SELECT pg_is_in_recovery()"):
            raise StateUnavailable(f"{self.name}: is a standby, which takes no writes")
        encoding = _scalar(connection, "SHOW server_encoding")
        if encoding != "UTF8":
            raise StateUnavailable(f"{self.name}: its encoding is {encoding}; UTF8 is needed")
        off = [name for name in ("fsync", "full_page_writes") if _scalar(connection, f"SHOW {name}") != "on"]
        if off:
            problem = f"{' and '.join(off)} off at the server: a power cut may take what it has committed"
            if self._token is None:
                raise StateUnavailable(f"{self.name}: {problem}. Switch it on")
            emit(StateNotDurable(self.name, problem))  # stopping alarms now would be worse

    def _require_ours(self, connection: psycopg.Connection[Any]) -> None:
        patience = time.monotonic() + (_LINGER_S if self._token is None else 0)
        while not _scalar(connection, "SELECT pg_try_advisory_lock(%s)", _LOCK):
            self._require_token(connection)
            if time.monotonic() >= patience:
                writer = _writer(connection) or "which ends just now"
                if self._token is None:
                    raise _used(self.name, writer)
                raise StateUnavailable(f"{self.name}: the server has not ended our earlier session yet ({writer})")
            time.sleep(0.1)
        self._require_token(connection)

    def _require_token(self, connection: psycopg.Connection[Any]) -> None:
        if self._token is not None and _scalar(connection, "SELECT token FROM holder") != self._token:
            raise StateBroken(f"{self.name}: another service has written here since the connection was lost")


def connect(
    config: StateConfig, password: Reloaded[str | None], settings: Mapping[str, str], **options: Any
) -> Session:
    """Open a session with these settings. Raises psycopg.Error; StateAway if the password was never readable."""
    server = config.server
    if server is None:
        raise ValueError("these settings name no server")
    try:
        word = password.get()
    except InvalidConfig as invalid:
        raise StateAway(f"{server}: {invalid.faults[0].key}: {invalid.faults[0].expected.en}") from invalid
    session = Session.connect(
        user=server.user,
        password=word,
        host=server.host,
        port=server.port,
        dbname=server.name,
        sslmode=config.tls,
        sslrootcert=None if config.ca_file is None else str(config.ca_file),
        application_name="yujing",
        client_encoding="UTF8",
        options=" ".join(f"-c {name}={value}" for name, value in (_SESSION | dict(settings)).items()),
        **_REACHING,
        **options,
    )
    session.adapters.register_dumper(str, _Clean)
    set_json_dumps(json_text, session)
    return session


def _one_line(error: BaseException | None) -> str:
    """The message of the server or library, without secrets or the values of a query."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error).split())


def _scalar(connection: psycopg.Connection[Any], query: LiteralString, *values: Any) -> Any:
    """The first column of the first row, or None."""
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def require_unused(config: StateConfig) -> None:
    """Raise StateUnavailable if a session writes there, or that cannot be determined."""
    with _read_session(config) as connection:
        writer = _writer(connection)
    if writer is not None:
        raise _used(str(config.server), writer)


def _used(name: str, writer: str) -> StateUnavailable:
    return StateUnavailable(f"{name}: another session writes here ({writer}); stop it first")


def _writer(connection: psycopg.Connection[Any]) -> str | None:
    """The session that holds the lock, as far as the server shows it; None if none does."""
    row = connection.execute(
        "SELECT coalesce(host(a.client_addr), 'the same machine'), a.backend_start::timestamptz(0)::text"
        " FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (l.classid::bigint << 32 | l.objid::bigint) = %s",
        [_LOCK],
    ).fetchone()
    return f"from {row[0]}, since {row[1]}" if row else None


def peek(config: StateConfig, query: LiteralString) -> tuple[int, ...] | None:
    """The first row of a query, read from outside the service; None without a row or table.

    Raises:
        StateUnavailable: the server cannot be queried.
    """
    with _read_session(config) as connection:
        try:
            return connection.execute(query).fetchone()
        except psycopg.errors.UndefinedTable:
            return None


@contextmanager
def _read_session(config: StateConfig) -> Iterator[psycopg.Connection[Any]]:
    """A read-only session for one query. Raises StateUnavailable."""
    try:
        with connect(config, renewed_password("state.password", config.password), _READS) as session:
            session.patience_s = ANSWER_S  # it is asked for a row
            yield session
    except StateAway as error:  # a mere query must not make the service start without it
        raise StateUnavailable(str(error)) from error
    except psycopg.Error as error:
        raise StateUnavailable(f"{config.server}: {_one_line(error)}") from error
