"""The audit trail: append-only rows, each hashed together with the one before it.

The database refuses to change or delete them; whoever circumvents that breaks the chain, which `verify` finds. Rows
cut off at the end are detected by the heads kept outside (`ingest.storage.state.audit_heads`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlalchemy as sa

from ingest.domain.model.audit import Act, ActKind, ActRole
from ingest.storage.state import tables as t
from ingest.storage.state.audit_heads import AuditHead
from ingest.storage.state.prepared import change, first
from ingest.storage.state.unreadable import Rows, Unreadable

_FIRST: Final = "0" * 64
"""The hash before the first row."""

_ADD: Final = sa.insert(t.audit)
_NEWEST: Final = sa.select(t.audit.c.seq, t.audit.c.hash).order_by(t.audit.c.seq.desc()).limit(1)

_LAST: Final = sa.select(sa.func.max(t.audit.c.seq)).scalar_subquery()
_HEADS: Final = (
    sa.select(t.audit.c.seq, t.audit.c.hash)
    .where(sa.or_(t.audit.c.seq == sa.bindparam("of_seq"), t.audit.c.seq == _LAST))
    .order_by(t.audit.c.seq.desc())
)

_ACT: Final = ("time", "actor", "role", "action", "kind", "subject", "plant", "detail")
_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An act as stored in the trail."""

    seq: int
    act: Act
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying the trail.

    Attributes:
        rows: how many rows from the first on are unchanged.
        newest: the hash of the last of them.
        broken: the first row that was changed.
        missing: rows known by the heads kept outside that are not in the trail; of each cut the newest.
    """

    rows: int
    newest: str
    broken: int | None
    missing: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether no row was changed and none is missing."""
        return self.broken is None and not self.missing


def append(connection: sa.Connection, acts: Iterable[Act]) -> None:
    """Append acts to the trail, in the transaction that does what they record."""
    rows: list[dict[str, Any]] = []
    acts = list(acts)
    if not acts:
        return
    last = first(connection, _NEWEST)
    seq, before = last or (0, _FIRST)
    for act in acts:
        seq += 1
        row = {"seq": seq, **_fields(act)}
        before = row["hash"] = _chained(before, row)
        rows.append(row)
    change(connection, _ADD, *rows)


def missing(connection: sa.Connection, acts: Sequence[Act]) -> list[Act]:
    """Return those of the acts that are not in the trail, to repeat an `append` whose outcome is unknown."""
    found = connection.execute(sa.select(t.audit).where(t.audit.c.time.in_({act.time for act in acts}))).mappings()
    known = {tuple(row[name] for name in _ACT) for row in found}
    return [act for act in acts if tuple(_fields(act).values()) not in known]


class AuditStore:
    """The audit trail as committed."""

    def __init__(
        self, rows: Callable[[sa.Select[Any]], Rows], heads: Callable[[], Sequence[AuditHead]] = lambda: ()
    ) -> None:
        """`rows`: queries the state database, from inside the service or beside it. `heads`: those kept outside."""
        self._rows = rows
        self._heads = heads
        self._unreadable = Unreadable()

    def acts(
        self,
        *,
        limit: int,
        before: int | None = None,
        plants: frozenset[str] | None = None,
        kind: ActKind | None = None,
        subject: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> list[AuditRow]:
        """Acts, newest first; `before` = seq of the last one seen. None: any. Times are ns; `until` is exclusive."""
        column = t.audit.c
        query = sa.select(t.audit).order_by(column.seq.desc())
        if before is not None:
            query = query.where(column.seq < before)
        if plants is not None:
            query = query.where(column.plant.in_(plants))
        for named, wanted in ((column.kind, kind), (column.subject, subject), (column.actor, actor)):
            if wanted is not None:
                query = query.where(named == wanted)
        if since is not None:
            query = query.where(column.time >= since)
        if until is not None:
            query = query.where(column.time < until)
        return self._unreadable.page(query, limit, lambda most: self._rows(query.limit(most)), _row)

    def __len__(self) -> int:
        """The number of acts."""
        return int(self._rows(sa.select(sa.func.count().label("acts")).select_from(t.audit))[0]["acts"])

    def head(self) -> AuditHead | None:
        """The newest row, to be kept outside; None if there are no rows."""
        return next((AuditHead(row["seq"], row["hash"]) for row in self._rows(_NEWEST)), None)

    def has(self, head: AuditHead) -> bool:
        """Whether the trail has that row."""
        return self.head_beside(head)[1]

    def head_beside(self, known: AuditHead | None) -> tuple[AuditHead | None, bool]:
        """The newest row, as `head`, and whether the trail has the row that is known, by one query."""
        rows = self._rows(_HEADS.params(of_seq=0 if known is None else known.seq))
        found = [AuditHead(row["seq"], row["hash"]) for row in rows]
        return found[0] if found else None, known is None or known in found

    def verify(self, done: Callable[[int], None] = lambda _rows: None) -> Verification:
        """Read the whole trail and recompute its hashes; `done` is called with the number of rows just read."""
        missing = tuple(sorted(head.seq for head in self._heads() if not self.has(head)))
        rows, before = 0, _FIRST
        for row in self._all(done):
            rows += 1
            if row["hash"] != _chained(before, row):
                return Verification(rows - 1, before, rows, missing)
            before = row["hash"]
        return Verification(rows, before, None, missing)

    def _all(self, done: Callable[[int], None]) -> Iterator[dict[str, Any]]:
        last = -1
        while rows := self._rows(sa.select(t.audit).where(t.audit.c.seq > last).order_by(t.audit.c.seq).limit(_PAGE)):
            yield from rows
            last = rows[-1]["seq"]
            done(len(rows))


def _fields(act: Act) -> dict[str, Any]:
    """The act as it is stored and hashed, in that order."""
    detail = json.dumps(act.detail, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return {name: getattr(act, name) for name in _ACT} | {"detail": detail}


def _chained(before: str, row: dict[str, Any]) -> str:
    content = json.dumps([before, *(row[name] for name in ("seq", *_ACT))], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _row(row: Mapping[str, Any]) -> AuditRow:
    detail = json.loads(row["detail"])
    role, kind = cast("ActRole", row["role"]), cast("ActKind", row["kind"])
    act = Act(row["time"], row["actor"], role, row["action"], kind, row["subject"], row["plant"], detail)
    return AuditRow(row["seq"], act, row["hash"])
