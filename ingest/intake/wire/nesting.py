"""Tells how deep JSON is nested before anything recursive reads it.

Python's parser nests as deep as the interpreter's limit allows, and ends there with an error. But whatever else the
interpreter runs at that depth, such as the finalizers of objects that are collected meanwhile, fails as well, and
nobody hears of it.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

DEEPEST: Final = 500
"""Half of the interpreter's limit; a frame has three levels."""

_strings: Final = re.compile(rb'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)', re.DOTALL)
_steps: Final = np.zeros(256, np.int32)
_steps[[ord("["), ord("{")]] = 1
_steps[[ord("]"), ord("}")]] = -1


def require_shallow(json: bytes) -> None:
    """Raise ValueError if arrays and objects are nested deeper than `DEEPEST`. Linear in the bytes, whatever they are.

    >>> require_shallow(b'["[[[[", {}, "]"],' * 200)
    >>> require_shallow(b'[{"a": [' * 200)
    Traceback (most recent call last):
    ValueError: nested deeper than 500
    """
    if json.count(b"[") + json.count(b"{") <= DEEPEST:
        return
    bare = np.frombuffer(_strings.sub(b"", json), np.uint8)
    if np.cumsum(_steps[bare]).max(initial=0) > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
