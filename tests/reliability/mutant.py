"""The service with its one safeguard taken out, for the oracle to find: commits are not synced to disk.

python -m tests.reliability.mutant run --config FILE
"""

from __future__ import annotations

from typing import Any

import apsw


class _Unsynced(apsw.Connection):
    """Whatever is asked for, `synchronous` becomes NORMAL, which in WAL mode syncs at checkpoints only."""

    def pragma(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name.lower() == "synchronous" and args:
            args = ("normal",)
        return super().pragma(name, *args, **kwargs)

    def execute(self, statements: str, *args: Any, **kwargs: Any) -> Any:
        if "synchronous" in statements.lower():
            statements = "PRAGMA synchronous = NORMAL"
        return super().execute(statements, *args, **kwargs)


if __name__ == "__main__":
    setattr(apsw, "Connection", _Unsynced)  # noqa: B010  a type cannot be assigned to
    from ingest.__main__ import main

    main()
