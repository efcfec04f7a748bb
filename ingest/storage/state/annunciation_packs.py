"""Packs annunciations into fixed columns: encodes a pack as a row, and merges several into one record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.annunciations import OPEN, Annunciations

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
"""One annunciation, 46 bytes: `seq` is the number of the event that raised it, `rule` is a number in table
`annunciation_rule`, the rest is as in `Annunciations`."""

_KINDS: Final[Mapping[str, np.dtype[Any]]] = {name: COLUMNS[name] for name in COLUMNS.names or ()}

Rule = tuple[str, str, str]
"""Plant, point and code."""

Raise = tuple[Rule, tuple[int, int, bool, int, int, int, int]]
"""One annunciation: its rule, and `COLUMNS` but for `rule`, in their order."""


def rule_of(row: Mapping[str, Any]) -> Rule:
    """The rule named by a row of table `annunciation` or `annunciation_rule`. Raises ValueError if it is malformed."""
    plant, point, code = names = (row["plant"], row["point"], row["rule"])
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"a rule of names {names}")
    return plant, point, code


def raise_of(row: Mapping[str, Any]) -> Raise:
    """The annunciation in a row of table `annunciation`. Raises ValueError, TypeError if it is malformed."""
    rule = rule_of(row)
    if row["level"] not in {1, 2}:
        raise ValueError(f"level {row['level']!r} of {rule}")
    acked, returned = (OPEN if row[name] is None else int(row[name]) for name in ("acked", "returned"))
    times = (int(row["raised"]), int(row["called"]), acked, returned)
    return rule, (int(row["seq"]), int(row["level"]), bool(row["hidden"]), *times)


def columns_of(raises: Iterable[Raise], number: Callable[[Rule], int]) -> NDArray[np.void]:
    """Convert single annunciations to `COLUMNS`."""
    return np.array([(seq, number(rule), *rest) for rule, (seq, *rest) in raises], COLUMNS)


def pack_row(columns: NDArray[np.void]) -> dict[str, Any]:
    """A new row of table `annunciation_pack` from `COLUMNS`, which must not be empty."""
    called = columns["called"]
    return {"first": int(called.min()), "last": int(called.max()), "columns": columns.tobytes()}


def pack_of(row: Mapping[str, Any], known: NDArray[np.bool_]) -> NDArray[np.void]:
    """The `COLUMNS` in a row. Raises ValueError if it is damaged.

    `known`: whether there is a rule of that number.
    """
    columns = np.frombuffer(row["columns"], COLUMNS)
    rule = columns["rule"]
    if not len(columns) or not 0 <= rule.min() <= rule.max() < len(known) or not known[rule].all():
        raise ValueError(f"{len(columns)} annunciations, not all of them of rules that are known")
    return columns


def mask(rules: Collection[int], chosen: Collection[int] | None = None) -> NDArray[np.bool_]:
    """A mask over rule numbers: whether the number is among `chosen` (None = all of `rules`)."""
    found = np.zeros(max(rules, default=0) + 1, np.bool_)
    found[[*(rules if chosen is None else chosen)]] = True
    return found


def annunciations_of(
    packs: Sequence[NDArray[np.void]],
    rules: Mapping[int, Rule],
    plants: Collection[str] | None,
    start: int,
    end: int,
) -> Annunciations:
    """The annunciations of these plants (None = all) with start <= called < end, each once, in order of `called`.

    The result does not depend on how packs (each has `COLUMNS`) hold them. `rules`: at least those that occur, by
    number.
    """
    columns = {
        name: np.concatenate([np.empty(0, kind), *(pack[name] for pack in packs)]) for name, kind in _KINDS.items()
    }
    called, rule = columns["called"], columns["rule"]
    within = (start <= called) & (called < end)
    if plants is not None:
        within &= mask(rules, [number for number, (plant, _, _) in rules.items() if plant in plants])[rule]
    order = np.flatnonzero(within)
    order = order[np.lexsort((columns["seq"][order], called[order]))]  # of one moment: in the event log's order
    order = order[np.diff(columns["seq"][order], prepend=-1) != 0]  # duplicates have the same `called`
    number = rule[order]
    first = np.full(max(rules, default=0) + 1, len(number))
    first[number[::-1]] = np.arange(len(number))[::-1]
    occur = number[np.sort(first[first < len(number)])]
    place = np.zeros(len(first), np.int32)
    place[occur] = np.arange(len(occur))
    rest = (columns[name][order] for name in ("level", "raised", "called", "acked", "returned", "hidden"))
    return Annunciations(tuple(rules[at] for at in occur.tolist()), place[number], *rest)
