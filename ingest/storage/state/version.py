"""Checks which version of the service wrote a state database, and whether this one can read it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from ingest.storage.state.errors import StateNewer

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))


def require_known(connection: sa.Connection, name: str) -> bool:
    """Check that this version knows the schema; an older or missing one is known.

    Args:
        connection: to the database; only read from.
        name: of the database, for people.

    Returns:
        Whether it is the newest, so that nothing is to be migrated.

    Raises:
        StateNewer: a newer version of the service wrote it.
        sqlalchemy.exc.DBAPIError: its version cannot be read.
    """
    begun = sa.inspect(connection).has_table(_VERSION.name)
    heads = {*connection.scalars(sa.select(_VERSION.c.version_num))} if begun else set[str]()
    newer = heads - known()
    if newer:
        raise StateNewer(
            f"{name}: a state database of version {', '.join(sorted(newer))}; this yujing reads up to {max(known())}."
            " Run the version that wrote it, or restore a backup of before the upgrade"
        )
    return heads == {max(known())}


@cache
def known() -> frozenset[str]:
    """Return the revisions of this version's migrations, by the names of their files: without loading Alembic."""
    return frozenset(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
