"""Libraries that not every installation has: the extras of the package, and how one that is missing is told.

They are imported where they are used and nowhere else. An installation from the index has those of DuckDB and of
workbooks in any case; one that left them out is told of them like of the others.
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
    """Something was asked for that needs libraries which are not installed; says which extra brings them."""

    def __init__(self, what: str, extra: str, why: str = "") -> None:
        reason = f" ({why})" if why else ""
        super().__init__(f"{what}: 需要附加组件 needs the extra {extra}: {command(extra)}{reason}")
        self.extra = extra


def command(extra: str) -> str:
    """The command that installs an extra.

    >>> command("duckdb")
    "pip install 'yujing[duckdb]'"
    """
    return f"pip install 'yujing[{extra}]'"


def installed(extra: str) -> bool:
    """Whether all its modules are there; none of them is imported."""
    return all(map(_there, EXTRAS[extra]))


def require(extra: str, what: str) -> None:
    """Make sure that what needs an extra can be done. Raises ExtraMissing; `what` is as people wrote it."""
    if not installed(extra):
        raise ExtraMissing(what, extra)


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Import within it what needs an extra. Raises ExtraMissing, also where a library cannot be loaded."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing(what, extra, str(error)) from error


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
