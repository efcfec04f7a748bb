"""Writes acts of the service and of commands into the audit trail, and stores the trail's heads outside of it."""

from __future__ import annotations

import json
import os
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.audit import YUJING, Act
from ingest.domain.model.files import write_whole
from ingest.plants.changes import changes
from ingest.runtime.settings import Settings
from ingest.storage.state.audit import AuditStore, append, missing
from ingest.storage.state.audit_heads import AuditHeads, Forged
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateBroken, StateInDoubt, StateUnavailable

WAITING: Final = 10_000
"""The most acts that wait while the state database is unavailable; beyond that the oldest are logged and dropped."""

_CHANGES: Final = 200
_VALUE: Final = 100


@dataclass(frozen=True, slots=True)
class ActLost(Event, level="error"):
    """Acts that are not in the audit trail, since the state database was away for too long."""

    action: str
    actor: str
    subject: str


@dataclass(frozen=True, slots=True)
class AuditTrailCut(Event, level="error"):
    """Times the audit trail was found without a row it had: rows were cut off, or an older backup was restored."""

    seq: int


@dataclass(frozen=True, slots=True)
class AuditHeadNotKept(Event, level="error"):
    """The newest head of the audit trail could not be kept outside of it, or what is kept there was changed."""

    error: str


def audit_folder(settings: Settings) -> Path:
    """Return the folder of the trail's heads: beside the journal, not in the state database."""
    return settings.journal.path.with_name("audit")


def spool_folder(settings: Settings) -> Path:
    """Return the folder where commands leave acts for the service."""
    return settings.journal.path.with_name("audit-waiting")


class Recorder:
    """Queues acts from any thread without blocking; `write` puts them into the trail."""

    def __init__(self, database: Database, spool: Path) -> None:
        """`spool`: the folder in which other commands leave acts."""
        self._database = database
        self._spool = spool
        self._waiting: deque[Act] = deque()
        self._writing = Lock()
        self._doubt = False  # those that wait may be written already

    def note(self, act: Act) -> None:
        """Queue an act."""
        self._waiting.append(act)
        while len(self._waiting) > WAITING:
            lost = self._waiting.popleft()
            emit(ActLost(lost.action, lost.actor, lost.subject))

    def write(self) -> None:
        """Write all queued acts, also those of commands, once. On StateUnavailable or StateBroken they stay queued."""
        with self._writing:
            files = _left(self._spool)
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                acts = [*(act for file in files for act in _read(file)), *waiting]
                if acts:
                    with self._database.write() as connection:
                        # Some may be written already: the server went away, or the process ended with files left.
                        append(connection, missing(connection, acts) if files or self._doubt else acts)
                    self._doubt = False
            except BaseException as error:
                self._doubt = self._doubt or isinstance(error, StateInDoubt)
                self._waiting.extendleft(reversed(waiting))
                raise
            for file in files:
                file.unlink(missing_ok=True)


def of_plant_file(time: int, name: str, before: bytes | None, after: bytes | None) -> Act:
    """Return the act for a plant file that came into force or was removed, with each changed value."""
    found = changes(before, after) if before is not None and after is not None else []
    action = "added" if before is None else "removed" if after is None else "changed"
    lines = [f"{change.key}: {_shown(change.before)} → {_shown(change.after)}" for change in found[:_CHANGES]]
    detail = {"changes": lines, "more": max(0, len(found) - _CHANGES)}
    return Act(time, YUJING, "service", action, "plant-file", name, name.removesuffix(".toml"), detail)


def _shown(value: object) -> str:
    return "–" if value is None else str(value)[:_VALUE]


def leave(spool: Path, act: Act) -> None:
    """Leave an act for the service, which writes it within seconds or when it starts. Raises OSError."""
    write_whole(spool / f"{act.time}-{uuid.uuid4()}.json", json.dumps([asdict(act)], ensure_ascii=False).encode())


def keep_head(trail: AuditStore, heads: AuditHeads) -> None:
    """Store the trail's newest head outside of it; a stored head missing from the trail is reported and set aside."""
    try:
        kept = heads.newest()
        newest, has_kept = trail.head_beside(kept)
        if kept is not None and not has_kept:
            emit(AuditTrailCut(kept.seq))
            heads.mark_lost(kept)
        if newest is not None and newest != kept:
            heads.keep(newest)
    except (OSError, Forged) as error:
        emit(AuditHeadNotKept(str(error)))


def settle_trail(recorder: Recorder, trail: AuditStore, heads: AuditHeads) -> None:
    """Write queued acts and store the newest head, once; acts stay queued if the state database is unavailable."""
    try:
        recorder.write()
        keep_head(trail, heads)
    except (StateUnavailable, StateBroken):
        return  # the database reports it itself


def _left(spool: Path) -> list[Path]:
    """Return the files commands left, oldest first."""
    try:
        with os.scandir(spool) as found:
            return sorted(Path(dir_entry.path) for dir_entry in found if dir_entry.name.endswith(".json"))
    except FileNotFoundError:
        return []


def _read(file: Path) -> Iterable[Act]:
    try:
        return [Act(**load) for load in json.loads(file.read_bytes())]
    except (OSError, ValueError, TypeError) as error:
        emit(ActLost("(unreadable)", str(error), file.name))
        file.unlink(missing_ok=True)
        return []
