"""Compares two versions of a plant file value by value."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

NAMED_BY: Final = ("id", "code", "kind", "name")
"""The first of these keys that an entry of a list has identifies it in both versions."""


@dataclass(frozen=True, slots=True)
class Change:
    """One changed value. `before` None: it was added; `after` None: it was removed."""

    key: str
    before: object
    after: object


def changes(before: bytes | None, after: bytes | None) -> list[Change]:
    r"""Return what changed between the texts of a plant file, in the order of its keys.

    >>> old = b'[[points]]\nid = "P1"\n[points.limits]\nHH = 5.0'
    >>> changes(old, old.replace(b"5.0", b"6.0"))
    [Change(key='points.P1.limits.HH', before=5.0, after=6.0)]
    """
    old, new = dict(_values(before)), dict(_values(after))
    keys = [*old, *(key for key in new if key not in old)]
    return [Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]


def _values(text: bytes | None) -> Iterator[tuple[str, object]]:
    if text is None:
        return
    try:
        yield from _flat("", tomllib.loads(text.decode()))
    except ValueError:  # of an earlier version of the service, whose files we cannot read
        yield "(file)", f"{len(text)} bytes"


def _flat(key: str, value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
        seen: dict[str, int] = {}
        for entry in value:
            name = str(next((entry[by] for by in NAMED_BY if by in entry), ""))
            seen[name] = seen.get(name, 0) + 1
            yield from _flat(f"{key}.{name}" + (f"#{seen[name]}" if seen[name] > 1 or not name else ""), entry)
    else:
        yield key, value if isinstance(value, str | int | float | bool) else str(value)
