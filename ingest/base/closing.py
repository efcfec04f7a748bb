"""Closes what a constructor has opened when the constructor fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def closed_on_failure(close: Callable[[], object]) -> Iterator[None]:
    """Call `close` if the block fails, and let the failure through.

    Left to the garbage collector a connection stays open for as long as somebody holds the exception's traceback, and
    with it the file and its lock; Python 3.13 warns of a SQLite connection that ends so.

    >>> with closed_on_failure(lambda: print("closed")):
    ...     print("built")
    built
    """
    try:
        yield
    except BaseException:
        close()
        raise
