"""Optional libraries, the extras of the package, and the error for a missing one.

They are imported only where they are used. An installation from the index includes those of DuckDB and of workbooks;
one that left them out gets the same error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("aiomqtt", "amqtt"),
    "duckdb": ("duckdb",),
    "influxdb2": ("influxdb_client",),
    "postgresql": ("psycopg",),
    "xlsx": ("xlsxwriter",),
}
"""Extra of the package -> the modules it brings."""


class ExtraMissing(LookupError):
    """Something needs libraries that are not installed; the message names the extra that installs them."""

    def __init__(self, what: str, extra: str, why: str = "") -> None:
        reason = f" ({why})" if why else ""
        super().__init__(f"{what}: 需要附加组件 needs the extra {extra}: {command(extra)}{reason}")
        self.extra = extra


def command(extra: str) -> str:
    """Return the command that installs an extra.

    >>> command("duckdb")
    "pip install 'yujing[duckdb]'"
    """
    return f"pip install 'yujing[{extra}]'"


def installed(extra: str) -> bool:
    """Whether all modules of an extra are installed; imports none of them."""
    return all(map(_there, EXTRAS[extra]))


def require(extra: str, what: str) -> None:
    """Require an installed extra. Raises ExtraMissing; `what` needs it, as people wrote it."""
    if not installed(extra):
        raise ExtraMissing(what, extra)


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Context for imports of an extra's modules. Raises ExtraMissing, also if a library cannot be loaded."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing(what, extra, str(error)) from error


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
