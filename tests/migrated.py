"""State databases as the migrations leave them: made once, copied for whoever asks.

Migrations take longer than most tests of what is in a database afterwards. The first database of a run is made
by them, on SQLite and on PostgreSQL, as is each that a process of its own opens.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path

from ingest.storage.state.database import Database


def opened(path: Path) -> Database:
    """The state database in that file; a new one where there is none. It is closed with whoever holds it.

    Python 3.13 reports connections that are left to the garbage collector.
    """
    database = Database(laid(path))
    for engine in (database._reader, database._writer):
        weakref.finalize(database, engine.dispose)
    return database


def laid(path: Path) -> Path:
    """The same file, with an empty state database of the newest schema in it where there was none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_blank(), path)
    return path


@cache
def _blank() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="yujing-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Database(folder / "state.db").close()
    return folder / "state.db"
