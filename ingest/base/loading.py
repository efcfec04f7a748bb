"""Suspends garbage collection while code is loaded, since none of it is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Take what is loaded meanwhile out of garbage collection: a sixth of what it takes to start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
