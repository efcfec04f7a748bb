"""What the state database needs of the two systems it can lie in, and which one the settings mean."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from ingest.base.extras import needing
from ingest.storage.state.config import SERVER_EXTRA, StateConfig


class Backend(Protocol):
    """A file or a server. Its errors are those of SQLAlchemy; `meaning` says what they mean for us."""

    @property
    def name(self) -> str:
        """What it is called in messages; no secret stands in it."""

    def writer(self) -> sa.Engine:
        """Connect one connection, that writes durably. Nobody else may write: it is the only one in the world.

        Connecting may raise StateUnavailable (another process writes there) and StateBroken (one has written there
        since we did).
        """

    def reader(self) -> sa.Engine:
        """Connect several connections, that cannot write."""

    def opened(self, connection: sa.Connection) -> None:
        """Do what belongs to the first transaction, after the migrations: from here on it is ours."""

    def lasting(self, connection: sa.Connection, lasting: bool) -> None:  # noqa: FBT001  what is said, not how
        """Have the transaction that begins be on disk once it is committed; or let it be so with a later one."""

    def transaction(self, connection: sa.Connection) -> int | None:
        """Number the transaction under way, if its outcome can be asked for later."""

    def kept(self, connection: sa.Connection, transaction: int) -> bool | None:
        """Tell whether that transaction was committed; None while it is not decided."""

    def meaning(self, error: sa.exc.DBAPIError) -> type[Exception] | None:
        """StateBroken, StateUnavailable, StateAway, or None: a fault of ours."""

    def said(self, error: sa.exc.DBAPIError) -> str:
        """Return what the database said, on one line."""

    def last_given(self, connection: sa.Connection, column: sa.Column[Any]) -> int:
        """Return the newest number the column's counter has given, 0 if none."""

    def go_on_after(self, connection: sa.Connection, column: sa.Column[Any], number: int) -> None:
        """Let the column's counter give greater numbers only."""

    def settle(self, connection: sa.Connection, tables: Sequence[str]) -> None:
        """Do what is to be done once these tables were filled at one go."""

    def close(self) -> None:
        """Let others write."""


def open_backend(config: StateConfig) -> Backend:
    """The one that is meant; nothing is connected yet.

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
    """JSON as both systems take it: SQLite would keep NaN and Infinity, which are no JSON and PostgreSQL refuses.

    >>> json_text({"limit": float("nan"), "at": [1, float("inf")]})
    '{"limit": null, "at": [1, null]}'
    """
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
