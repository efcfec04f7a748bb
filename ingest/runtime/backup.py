"""Backs up a running installation into one folder, and restores it.

The two databases must fit each other: the state records how far it has evaluated the journal. Its snapshot is taken
first, the journal's a moment later, so that the state is never ahead of the journal's copy; entries the state does not
know yet are evaluated again after a restore. Heads of the audit trail are older than the copied trail, evidence is
newer than the rows that name it: either way nothing is missing that the databases refer to. A history in DuckDB is
copied after the journal, which records how far it is written: what it has beyond that is written again, and replaced.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ingest.base import build
from ingest.base.extras import needing
from ingest.domain.model.files import sync
from ingest.runtime.audit_trail import audit_folder, spool_folder
from ingest.runtime.opening import PLANTS_IN_FORCE
from ingest.runtime.settings import Settings
from ingest.runtime.settings.in_force import IN_FORCE
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.journal.backup import HeldJournal, count_journal, held_journal
from ingest.storage.state.backup import HeldState, count_state, held_state, skip_numbers

JOURNAL: Final = "journal.db"
STATE: Final = "state.db"
HISTORY: Final = "history.duckdb"
EVIDENCE: Final = "evidence"
MANIFEST: Final = "manifest.json"
_SETTINGS: Final = "settings"
_FORMAT: Final = 1

Bar = Callable[[str, int], Any]
"""Given a name and a total, returns a context manager that yields a function to report progress."""


class NotTaken(Exception):
    """Backup or restore failed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """The manifest of a complete backup.

    Attributes:
        taken: when, ISO 8601.
        version: of the service.
        counts: number of records and files, by kind.
    """

    taken: str
    version: str
    counts: Mapping[str, int]
    format: int = _FORMAT


def take(settings: Settings, file: Path, to: Path, now: str, bar: Bar, *, history: bool = False) -> Backup:
    """Copy everything into a new folder, which gets its name only once it is complete.

    Args:
        settings: in force; the state database is a file.
        file: the settings file.
        to: the folder, not there yet; the one above it is.
        now: ISO 8601.
        bar: shows progress.
        history: with the history in DuckDB.

    Raises:
        NotTaken: it cannot be made there, or the journal was trimmed beyond what the state needs during the copy.
        HistoryUnavailable: the history cannot be copied now.
        JournalUnavailable, JournalBroken, StateUnavailable, OSError: something cannot be read or written.
    """
    part = to.with_name(f".{to.name}.part")
    stored = history_file(settings) if history else None
    if stored is not None and not stored.exists():
        stored = None
    _require_room(settings, to, part, stored)
    part.mkdir(mode=0o700)
    try:
        for folder in _beside(settings):
            _copy_folder(folder, part / folder.name)
        _copy_databases(settings, part, bar)
        if stored is not None:
            _copy_history(stored, part / HISTORY, bar)
        _copy_evidence(settings.cases.evidence, part / EVIDENCE, bar)
        _copy_settings(settings, file, part / _SETTINGS)
        made = Backup(now, build.version(), _counts(part / JOURNAL, part / STATE, part / EVIDENCE, part / HISTORY))
        (part / MANIFEST).write_text(json.dumps(asdict(made), indent=1))
        _sync_all(part)
        part.rename(to)
        sync(to.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return made


def restore(settings: Settings, source: Path, bar: Bar, note: Callable[[], None]) -> tuple[Backup, Mapping[str, int]]:
    """Restore a backup to where the settings say, into empty folders; returns its manifest and the restored counts.

    Files keep their mode, and their owner where root does it. The databases get their names last: until then no service
    starts on what is there.

    Args:
        settings: in force.
        source: the backup.
        bar: shows progress.
        note: records the restore in the data.

    Raises:
        NotTaken: it is not a complete backup, a folder is not empty, or there is not enough room.
        JournalUnavailable, JournalBroken, StateUnavailable, OSError: something cannot be read or written.
    """
    manifest = read(source)
    folders = dict.fromkeys((settings.journal.path.parent, settings.state.path.parent, settings.cases.evidence))
    for folder in folders:
        _require_empty(folder)
    databases = [(STATE, settings.state.path), (JOURNAL, settings.journal.path)]
    stored = history_file(settings)
    if stored is not None and (source / HISTORY).exists():
        _require_none(stored)
        databases.append((HISTORY, stored))
        folders[stored.parent] = None
    _require_free(source, next(path for path in (folder, *folder.absolute().parents) if path.exists()))
    for folder in folders:
        _make_folder(folder, source)
    parts = [path.with_name(f".{path.name}.part") for _, path in databases]
    with bar("数据库 databases", len(databases)) as advance:
        for (name, _), part in zip(databases, parts, strict=True):
            _copy_file(source / name, part)
            advance(1)
    _copy_evidence(source / EVIDENCE, settings.cases.evidence, bar)
    for folder in _beside(settings):
        _copy_folder(source / folder.name, folder)
    skip_numbers(parts[0])
    found = _counts(parts[1], parts[0], settings.cases.evidence, parts[-1] if len(parts) > 2 else None)
    note()
    for folder in folders:
        _own_all(source, folder)
        _sync_all(folder)
    # A state alone is refused at a start, as it should be; a history alone would look like a new installation.
    for part, (_, path) in sorted(zip(parts, databases, strict=True), key=lambda pair: pair[1][0] == HISTORY):
        part.rename(path)
        sync(path.parent)
    return manifest, found


def read(source: Path) -> Backup:
    """Read a backup's manifest. Raises NotTaken: it is not a complete backup, or of another format."""
    try:
        manifest = Backup(**json.loads((source / MANIFEST).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise NotTaken(
            f"{source}: 不是完整的备份,请指明 yujing backup 建立的文件夹 no whole backup ({error});"
            " name a folder that yujing backup made"
        ) from None
    if manifest.format != _FORMAT:
        raise NotTaken(
            f"{source}: 备份格式 a backup of format {manifest.format}; expected {_FORMAT}:"
            f" 请用版本 {manifest.version} 恢复 restore it by yujing {manifest.version}, which made it"
        )
    return manifest


def _copy_databases(settings: Settings, part: Path, bar: Bar) -> None:
    with held_journal(settings.journal.path) as before:
        oldest = before.oldest()
    with held_state(settings.state.path) as state, held_journal(settings.journal.path) as journal:
        _require_entries(settings, oldest, state, journal)
        with bar("状态库 state", state.pages()) as advance:
            state.copy(part / STATE, advance)
        with bar("日志库 journal", journal.pages()) as advance:
            journal.copy(part / JOURNAL, advance)


def _require_entries(settings: Settings, oldest: int, state: HeldState, journal: HeldJournal) -> None:
    """Raise NotTaken if the journal was trimmed beyond what the held state needs, between the two."""
    if journal.oldest() > max(oldest, state.engine_at().snapshot_cursor + 1):
        raise NotTaken(
            f"{settings.journal.path}: 恰在此刻被清理,请再次运行 was trimmed at this very moment; run it again."
            " journal.retention_h > 0 时不会发生 It does not happen with journal.retention_h above 0"
        )


def history_file(settings: Settings) -> Path | None:
    """Return the history's file if it is in DuckDB, else None."""
    return settings.history.path if isinstance(settings.history, DuckDBConfig) else None


def _copy_history(path: Path, to: Path, bar: Bar) -> None:
    with needing("duckdb", f"{path}"):
        from ingest.storage.history.duck_snapshot import copy_held  # noqa: PLC0415  30 MB that other histories need not load

    with bar("历史库 history", path.stat().st_size) as advance:
        copy_held(path, to, advance)


def _counts(journal: Path, state: Path, evidence: Path, history: Path | None) -> Mapping[str, int]:
    counts = {**count_journal(journal), **count_state(state), "evidence": sum(1 for _ in _files(evidence))}
    if history is not None and history.exists():
        with needing("duckdb", f"{history}"):
            from ingest.storage.history.duck_snapshot import count_stored  # noqa: PLC0415  as above

        counts["stored"] = count_stored(history)
    return counts


def _beside(settings: Settings) -> tuple[Path, ...]:
    """Return the folders beside the journal to copy; sessions are not among them: people sign in again."""
    folder = settings.journal.path.parent
    return (
        spool_folder(settings),  # before the state: an act may then be in both, and is never in neither
        audit_folder(settings),
        folder / IN_FORCE,
        folder / PLANTS_IN_FORCE,
    )


def _copy_settings(settings: Settings, file: Path, to: Path) -> None:
    """Copy settings and plant files as people wrote them; they contain no secrets."""
    to.mkdir(mode=0o700)
    for path in filter(None, (file, settings.warnings.rules)):
        if path.is_file():
            _copy_file(path, to / path.name)
    if settings.plants.is_dir():
        _copy_folder(settings.plants, to / "plants")


def _copy_folder(source: Path, to: Path) -> None:
    if source.is_dir():
        _make_folder(to, source)
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.name.startswith("."):  # a file being written
                with suppress(FileNotFoundError):
                    _copy_file(path, to / path.name)


def _copy_evidence(source: Path, to: Path, bar: Bar) -> None:
    files = list(_files(source))
    if source.is_dir():
        _make_folder(to, source)
    with bar("证据 evidence", len(files)) as advance:
        for file in files:
            _make_folder(to / file.parent.name, file.parent)
            _link(file, to / file.parent.name / file.name)
            advance(1)


def _files(evidence: Path) -> Iterator[Path]:
    return (path for path in sorted(evidence.glob("*/*")) if not path.name.startswith("."))


def _link(source: Path, to: Path) -> None:
    """Hard-link evidence, which never changes, or copy it to another disk."""
    try:
        os.link(source, to)
    except OSError:
        _copy_file(source, to)


def _copy_file(source: Path, to: Path) -> None:
    """Copy a file, readable by its owner alone."""
    shutil.copyfile(source, to)
    to.chmod(stat.S_IMODE(source.stat().st_mode) & 0o700)


def _make_folder(to: Path, source: Path) -> None:
    """Create a folder and its parents, accessible to the service's user alone."""
    if not to.exists():
        _make_folder(to.parent, source)
        to.mkdir(mode=0o700)
        _own(source, to)


def _own(source: Path, to: Path) -> None:
    if os.geteuid() == 0:
        like = source.stat()
        os.chown(to, like.st_uid, like.st_gid)


def _own_all(source: Path, folder: Path) -> None:
    for path in folder.rglob("*"):
        _own(source, path)


def _require_empty(folder: Path) -> None:
    found = sorted(path.name for path in folder.iterdir() if path.name != "lost+found") if folder.is_dir() else []
    if found:
        raise NotTaken(
            f"{folder}: 不是空的,未作改动;请先移开 is not empty ({', '.join(found[:3])}…), nothing was changed;"
            f" move it away first: mv {folder} {folder}-old"
        )


def _require_none(path: Path) -> None:
    if path.exists():
        raise NotTaken(f"{path}: 已存在,未作改动;请先移开 is there already, nothing was changed; move it away first")


def _require_room(settings: Settings, to: Path, part: Path, stored: Path | None) -> None:
    """Raise NotTaken if no new folder can be made, or the free space is not enough for the copy and the reserve."""
    if to.exists():
        raise NotTaken(f"{to}: 已存在,请用新名称 is there already; give a new name")
    if part.exists():
        raise NotTaken(
            f"{part}: 另一备份正在进行或曾中断 another backup is under way, or was cut off;"
            f" 若已中断请删除 if so, remove it: rm -r {part}"
        )
    if not to.parent.is_dir():
        raise NotTaken(f"{to.parent}: 没有此文件夹 there is no such folder; is the disk mounted?")
    need = sum(
        path.stat().st_size
        for database in filter(None, (settings.journal.path, settings.state.path, stored))
        for path in database.parent.glob(f"{database.name}*")
        if path.name in (database.name, f"{database.name}-wal")
    )
    same = settings.journal.path.exists() and settings.journal.path.stat().st_dev == to.parent.stat().st_dev
    evidence = settings.cases.evidence
    if evidence.is_dir() and evidence.stat().st_dev != to.parent.stat().st_dev:
        need += sum(file.stat().st_size for file in _files(evidence))
    _require_bytes(to.parent, need + (int(settings.journal.reserve_mb * (1 << 20)) if same else 0))


def _require_free(source: Path, to: Path) -> None:
    linked = source.stat().st_dev == to.stat().st_dev
    stored = [source / HISTORY] if (source / HISTORY).exists() else []
    files = [source / JOURNAL, source / STATE, *stored, *([] if linked else _files(source / EVIDENCE))]
    _require_bytes(to, sum(file.stat().st_size for file in files))


def _require_bytes(folder: Path, need: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < need:
        raise NotTaken(
            f"{folder}: 空间不足,请换一个磁盘 not enough room: {free >> 20} MiB free, {(need >> 20) + 1} MiB needed;"
            " make room or take another disk"
        )


def _sync_all(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for name in files:
            sync(Path(place) / name)
        sync(Path(place))
