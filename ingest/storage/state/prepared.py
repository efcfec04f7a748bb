"""Executes statements that are executed again and again, such as those of each alarm, at half the usual cost.

SQLAlchemy compiles each of them once, to the SQL and the conversions of values of its dialect. The driver's own cursor
then executes it, without the context and the result that SQLAlchemy makes of each execution. Transactions, hooks and
errors are SQLAlchemy's as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import sqlalchemy as sa

Statement: TypeAlias = sa.Executable
"""Built once: it is remembered with what it was compiled to."""

_Convert = Callable[[Any], Any]

_NO_ROW: Final[Mapping[str, Any]] = {}
_ROW: Final = methodcaller("fetchone")
_COUNT: Final = attrgetter("rowcount")


def first(connection: sa.Connection, statement: Statement, row: Mapping[str, Any] = _NO_ROW) -> tuple[Any, ...] | None:
    """Execute a statement with these values, and return its first row, as the driver gives it; None: there is none."""
    compiled = _compiled(connection.dialect, statement, tuple(row))
    found: tuple[Any, ...] | None = _run(connection, compiled.sql, compiled.parameters(row), _ROW)
    return found


def change(connection: sa.Connection, statement: Statement, *rows: Mapping[str, Any]) -> int:
    """Execute a statement once with the values of each row, which have the same names; returns the rows it changed."""
    compiled = _compiled(connection.dialect, statement, tuple(rows[0]))
    parameters = [compiled.parameters(row) for row in rows]
    single = len(parameters) == 1
    changed: int = _run(connection, compiled.sql, parameters[0] if single else parameters, _COUNT, many=not single)
    return changed


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in the SQL of a dialect.

    Attributes:
        named: whether the driver takes parameters by their names, and not by their places.
        binds: the parameters in order, and how the value of each is converted for the driver.
        fixed: the values that the statement itself brings along.
    """

    sql: str
    named: bool
    binds: Sequence[tuple[str, _Convert | None]]
    fixed: Mapping[str, Any]

    def parameters(self, row: Mapping[str, Any]) -> Any:
        """The values of a row, converted for the driver."""
        values = {**self.fixed, **row} if self.fixed else row
        if self.named:
            return {name: values[name] if convert is None else convert(values[name]) for name, convert in self.binds}
        return [values[name] if convert is None else convert(values[name]) for name, convert in self.binds]


_known: WeakKeyDictionary[sa.Dialect, dict[tuple[Statement, tuple[str, ...]], _Compiled]] = WeakKeyDictionary()


def _compiled(dialect: sa.Dialect, statement: Statement, names: tuple[str, ...]) -> _Compiled:
    known = _known.setdefault(dialect, {})
    found = known.get((statement, names))
    if found is None:
        found = known[statement, names] = _compile(dialect, statement, names)
    return found


def _compile(dialect: sa.Dialect, statement: Statement, names: tuple[str, ...]) -> _Compiled:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined]
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise TypeError(f"its SQL depends on its values: {compiled}")
    types = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
    order = compiled.positiontup if compiled.positional else [*types]
    fixed = {name: value for name, value in compiled.params.items() if name not in names}
    binds = [(name, types[name].bind_processor(dialect)) for name in order]
    return _Compiled(str(compiled), not compiled.positional, binds, fixed)


def _run(
    connection: sa.Connection, sql: str, parameters: Any, answer: Callable[[Any], Any], *, many: bool = False
) -> Any:
    """Execute it over a cursor of the driver; its errors become what SQLAlchemy makes of them."""
    raw, dialect = connection.connection, connection.dialect
    cursor = raw.cursor()
    try:
        hooks = dialect.dispatch.do_executemany if many else dialect.dispatch.do_execute
        if not any(hook(cursor, sql, parameters, None) for hook in hooks):
            (cursor.executemany if many else cursor.execute)(sql, parameters)
        return answer(cursor)
    except dialect.loaded_dbapi.Error as error:
        gone = dialect.is_disconnect(error, raw, cursor)
        if gone:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
        ) from error
    finally:
        cursor.close()
