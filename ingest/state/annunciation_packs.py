"""Annunciations as fixed columns: how a pack of them lies in a row, and how several become one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.model.annunciations import OPEN, Annunciations

COLUMNS: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("rule", "<i4"),
        ("level", "i1"),
        ("hidden", "?"),
        ("raised", "<i8"),
        ("called", "<i8"),
        ("acked", "<i8"),
        ("returned", "<i8"),
    ]
)
"""One annunciation, 46 bytes: `seq` is the number of the event that raised it, the rest is as in `Annunciations`."""


Raise = tuple[tuple[str, str, str], tuple[int, int, bool, int, int, int, int]]
"""One annunciation: plant, point and code of its rule, and `COLUMNS` but for `rule`, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Annunciations in any order: `COLUMNS` of each, whose `rule` is a place in `rules` (plant, point, code)."""

    rules: tuple[tuple[str, str, str], ...]
    columns: NDArray[np.void]


def raise_of(row: Mapping[str, Any]) -> Raise:
    """The annunciation that a row of table `annunciation` holds. Raises ValueError, TypeError if none of ours does."""
    rule = (row["plant"], row["point"], row["rule"])
    if not all(isinstance(name, str) for name in rule) or row["level"] not in {1, 2}:
        raise ValueError(f"level {row['level']!r} of {rule}")
    acked, returned = (OPEN if row[name] is None else int(row[name]) for name in ("acked", "returned"))
    times = (int(row["raised"]), int(row["called"]), acked, returned)
    return rule, (int(row["seq"]), int(row["level"]), bool(row["hidden"]), *times)


def packed(raises: Iterable[Raise]) -> Pack:
    """Single annunciations as columns."""
    rules: dict[tuple[str, str, str], int] = {}
    columns = [(seq, rules.setdefault(rule, len(rules)), *rest) for rule, (seq, *rest) in raises]
    return Pack(tuple(rules), np.array(columns, COLUMNS))


def pack_row(pack: Pack) -> dict[str, Any]:
    """The pack as a new row of table `annunciation_pack`. It must not be empty."""
    called = pack.columns["called"]
    return {
        "first": int(called.min()),
        "last": int(called.max()),
        "rules": [list(names) for names in zip(*pack.rules, strict=True)],
        "columns": pack.columns.tobytes(),
    }


def pack_of(row: Mapping[str, Any]) -> Pack:
    """The pack a row holds. Raises ValueError if it is not as it was written."""
    columns = np.frombuffer(row["columns"], COLUMNS)
    plants, points, codes = row["rules"]
    rules = tuple(zip(plants, points, codes, strict=True))
    if not len(columns) or not 0 <= columns["rule"].min() <= columns["rule"].max() < len(rules):
        raise ValueError(f"{len(columns)} annunciations of rules that are not among the {len(rules)} of the pack")
    return Pack(rules, columns)


def annunciations_of(packs: Sequence[Pack], plants: Collection[str] | None, start: int, end: int) -> Annunciations:
    """Those of these plants (None = all) with start <= called < end, each once, in the order in which they called.

    However they are spread over packs, the same comes out.
    """
    rules, found = _joined(packs, start, end)
    if plants is not None:
        chosen = np.array([plant in plants for plant, _, _ in rules], np.bool_)
        found = found[chosen[found["rule"]]]
    _, once = np.unique(found["seq"], return_index=True)  # in the order of the event log, for those of one moment
    found = found[once]
    found = found[np.argsort(found["called"], kind="stable")]
    _, first, rule = np.unique(found["rule"], return_index=True, return_inverse=True)
    return Annunciations(
        tuple(rules[at] for at in found["rule"][np.sort(first)].tolist()),
        np.argsort(np.argsort(first))[rule].astype(np.int32),  # numbered as they first called
        *(np.ascontiguousarray(found[name]) for name in ("level", "raised", "called", "acked", "returned", "hidden")),
    )


def _joined(packs: Sequence[Pack], start: int, end: int) -> tuple[list[tuple[str, str, str]], NDArray[np.void]]:
    """All of the span, with one numbering of rules."""
    rules: dict[tuple[str, str, str], int] = {}
    parts = [np.empty(0, COLUMNS)]
    for pack in packs:
        called = pack.columns["called"]
        part = pack.columns[(start <= called) & (called < end)]
        number = np.array([rules.setdefault(rule, len(rules)) for rule in pack.rules], np.int32)
        part["rule"] = number[part["rule"]]
        parts.append(part)
    return list(rules), np.concatenate(parts)
