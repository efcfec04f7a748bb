"""One folder with all this installation would need again, taken while the service runs, and its way back.

Two databases are copied that must fit each other: the state knows how far in the journal it has judged. It is held
first, the journal a moment later, so that the state is never ahead of the journal's copy; an entry the state does not
know yet is judged again after the restore. Heads of the audit trail are older than the copied trail, evidence is newer
than the rows that name it: either way nothing is missed that the databases speak of. A history in DuckDB comes after
the journal, which knows how far it is written: what it has beyond that is written again, and replaced.
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
"""Makes a context that yields what is called with how much was done just now: of what, and how much there is."""


class NotTaken(Exception):
    """There is no new backup, or no restored data; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a whole backup says of itself.

    Attributes:
        taken: when, ISO 8601.
        version: of the service.
        counts: what it holds, by kind.
    """

    taken: str
    version: str
    counts: Mapping[str, int]
    format: int = _FORMAT


def take(settings: Settings, file: Path, to: Path, now: str, bar: Bar, *, history: bool = False) -> Backup:
    """Copy everything into a new folder, which has its name only once it is whole.

    Args:
        settings: in force; the state database is a file.
        file: the settings file.
        to: the folder, not there yet; the one above it is.
        now: ISO 8601.
        bar: for a person who looks on.
        history: with the history in DuckDB.

    Raises:
        NotTaken: it cannot be made there, or the journal let go of what the state needs at that very moment.
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
    """Put a backup where the settings say, into empty folders; what it says of itself, and what is there now.

    Files keep their mode, and their owner where root does it. The databases get their names last: until then no service
    starts on what is there.

    Args:
        settings: in force.
        source: the backup.
        bar: for a person who looks on.
        note: leaves in the data what is done here.

    Raises:
        NotTaken: it is no whole backup, there is something already, or not enough room.
        JournalUnavailable, JournalBroken, StateUnavailable, OSError: something cannot be read or written.
    """
    said = read(source)
    folders = dict.fromkeys((settings.journal.path.parent, settings.state.path.parent, settings.cases.evidence))
    for folder in folders:
        _require_empty(folder)
    databases = [(STATE, settings.state.path), (JOURNAL, settings.journal.path)]
    stored = history_file(settings)
    if stored is not None and (source / HISTORY).exists():
        _require_none(stored)
        databases.append((HISTORY, stored))
        folders[stored.parent] = None
    _require_free(source, next(one for one in (folder, *folder.absolute().parents) if one.exists()))
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
    # A state alone is refused at a start, as it should be; a history alone would be taken for a new installation's.
    for part, (_, path) in sorted(zip(parts, databases, strict=True), key=lambda one: one[1][0] == HISTORY):
        part.rename(path)
        sync(path.parent)
    return said, found


def read(source: Path) -> Backup:
    """What the backup says of itself. Raises NotTaken: it is none, or not whole, or of a later version."""
    try:
        said = Backup(**json.loads((source / MANIFEST).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise NotTaken(
            f"{source}: 不是完整的备份,请指明 yujing backup 建立的文件夹 no whole backup ({error});"
            " name a folder that yujing backup made"
        ) from None
    if said.format != _FORMAT:
        raise NotTaken(
            f"{source}: 备份格式 a backup of format {said.format}; expected {_FORMAT}:"
            f" 请用版本 {said.version} 恢复 restore it by yujing {said.version}, which made it"
        )
    return said


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
    """The history's file, if it is one."""
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
    """Folders beside the journal that belong to it; people sign in anew, so sessions are not among them."""
    folder = settings.journal.path.parent
    return (
        spool_folder(settings),  # before the state: an act may then be in both, and is never in neither
        audit_folder(settings),
        folder / IN_FORCE,
        folder / PLANTS_IN_FORCE,
    )


def _copy_settings(settings: Settings, file: Path, to: Path) -> None:
    """The files as people wrote them; secrets are not in them."""
    to.mkdir(mode=0o700)
    for one in filter(None, (file, settings.warnings.rules)):
        if one.is_file():
            _copy_file(one, to / one.name)
    if settings.plants.is_dir():
        _copy_folder(settings.plants, to / "plants")


def _copy_folder(source: Path, to: Path) -> None:
    if source.is_dir():
        _make_folder(to, source)
        for path in sorted(source.iterdir()):
            if path.is_file() and not path.name.startswith("."):  # that is a file under way
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
    """Evidence is never changed: on the same disk one file serves both."""
    try:
        os.link(source, to)
    except OSError:
        _copy_file(source, to)


def _copy_file(source: Path, to: Path) -> None:
    """For its owner alone, whatever the mode it had."""
    shutil.copyfile(source, to)
    to.chmod(stat.S_IMODE(source.stat().st_mode) & 0o700)


def _make_folder(to: Path, source: Path) -> None:
    """The folder, and those above it, as the service makes them: for its user alone."""
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
    """Raise NotTaken where no new folder can be made, or what is free would not be enough for copy and alarms."""
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
