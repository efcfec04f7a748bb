"""The protocol of the two systems that can hold the state database, and the choice between them by the settings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from ingest.base.extras import needing
from ingest.storage.state.config import SERVER_EXTRA, StateConfig


class Backend(Protocol):
    """A SQLite file or a PostgreSQL server. Raises SQLAlchemy's errors, which `error_type` classifies."""

    @property
    def name(self) -> str:
        """Its name in messages, without secrets."""

    @property
    def turn_s(self) -> float:
        """Longest wait for the end of another write of this process, s; negative: for ever."""

    def writer(self) -> sa.Engine:
        """Create the engine of the single durable writing connection. Nobody else may write.

        Connecting may raise StateUnavailable (another process writes there) and StateBroken (one has written there
        since we did).
        """

    def reader(self) -> sa.Engine:
        """Create the engine of several read-only connections."""

    def opened(self, connection: sa.Connection) -> None:
        """Take possession of the database in the first transaction, after the migrations."""

    def set_durable(self, connection: sa.Connection, durable: bool) -> None:  # noqa: FBT001  a value, not a mode
        """Choose whether the transaction that begins is on disk once committed, or only with a later one."""

    def set_patient(self, connection: sa.Connection, patient: bool) -> None:  # noqa: FBT001  a value, not a mode
        """Choose whether statements of the transaction that begins may take as long as they do, as migrations must."""

    def transaction(self, connection: sa.Connection) -> int | None:
        """The number of the transaction under way, if its outcome can be queried later."""

    def wrote_last(self, connection: sa.Connection, transaction: int, table: sa.Table) -> bool:
        """Whether the one row of a table is as that transaction wrote it; the session that ran it has ended."""

    def error_type(self, error: sa.exc.DBAPIError) -> type[Exception] | None:
        """Classify an error: StateBroken, StateUnavailable, StateAway, or None for a fault of ours."""

    def error_text(self, error: sa.exc.DBAPIError) -> str:
        """The database's own error message, on one line."""

    def last_number(self, connection: sa.Connection, column: sa.Column[Any]) -> int:
        """The newest number the column's counter has given, 0 if none."""

    def continue_after(self, connection: sa.Connection, column: sa.Column[Any], number: int) -> None:
        """Make the column's counter give greater numbers only."""

    def settle(self, connection: sa.Connection, tables: Sequence[str]) -> None:
        """Do what is due after these tables were filled in bulk."""

    def close(self) -> None:
        """Release the database for other writers."""


def open_backend(config: StateConfig) -> Backend:
    """Create the backend the settings choose, without connecting.

    Raises:
        StateUnavailable: another process writes to the file.
    """
    # Only the one in use is loaded.
    if config.server is None:
        from ingest.storage.state.sqlite import Sqlite  # noqa: PLC0415

        return Sqlite(config.path)
    with needing(SERVER_EXTRA, f"state.url = {config.server}"):
        from ingest.storage.state.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(config)


def json_text(value: Any) -> str:
    r"""Encode JSON as both systems accept it: SQLite would store NaN and Infinity, which PostgreSQL refuses.

    >>> json_text({"limit": float("nan"), "at": [1, float("inf")], "名": "值"})
    '{"limit":null,"at":[1,null],"名":"值"}'
    >>> json_text({"half": "\ud83d", "limit": float("nan")})
    '{"half": "\\ud83d", "limit": null}'
    """
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a character, which only an escape can express
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
