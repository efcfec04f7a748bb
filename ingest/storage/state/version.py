"""Checks which version of the service wrote a state database, and whether this one can read it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ingest.storage.state.errors import StateNewer

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrations() -> AlembicConfig:
    """Alembic's configuration with the migrations of this version."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


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
    heads = {*MigrationContext.configure(connection).get_current_heads()}
    newer = heads - _known()
    if newer:
        raise StateNewer(
            f"{name}: a state database of version {', '.join(sorted(newer))}; this yujing reads up to {max(_known())}."
            " Run the version that wrote it, or restore a backup of before the upgrade"
        )
    return heads == {max(_known())}


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(migrations()).walk_revisions())
