"""Tables to which rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op


def append_only(table: str) -> None:
    """Let the database itself refuse to change or delete rows of a table."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def keep_young(table: str, column: str, days: int) -> None:
    """Let rows of such a table be deleted once they are so old, by `column` (ns); nothing else changes for it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" WHEN OLD.{column} > (strftime('%s', 'now') - {days} * 86400) * 1000000000"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only for {days} days'); END"
        )
        return
    op.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete ON {table}")
    op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW"
        f" WHEN (OLD.{column} > (extract(epoch FROM now()) - {days} * 86400) * 1000000000)"
        f" EXECUTE FUNCTION {table}_append_only()"
    )


@contextmanager
def rewritten(table: str) -> Iterator[None]:
    """Let an upgrade change the rows of such a table. Afterwards none is deleted: see `keep_young`."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_no_update")
        op.execute(f"DROP TRIGGER {table}_no_delete")
    else:
        op.execute(f"DROP FUNCTION {table}_append_only() CASCADE")
    yield
    append_only(table)
