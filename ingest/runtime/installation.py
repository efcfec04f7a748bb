"""Verifies that journal and state database belong to one installation, and never replaces missing data silently.

Both databases carry the id of the installation. A first start must be requested (`yujing init`, or `run --new`): an
empty folder may be an unmounted disk or a mistyped path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from ingest.base.telemetry import Event, emit
from ingest.storage.journal.journal import Journal
from ingest.storage.state.config import StateConfig
from ingest.storage.state.installation import InstallationStore
from ingest.storage.state.read_only import never_used, require_unused

_ONCE: Final = (
    "take --new (or init) out of whatever starts the service: with it, a lost disk is taken for a first start"
)


@dataclass(frozen=True, slots=True)
class InstallationThere(Event, level="warning"):
    """Data was asked to be begun anew, and is there: nothing was done. Whatever starts the service asks each time."""

    installation: str
    expected: str = _ONCE


@dataclass(frozen=True, slots=True)
class InstallationBegun(Event, level="warning"):
    """Data was begun anew, as somebody asked for; to be asked for once."""

    installation: str
    files: str
    expected: str = _ONCE


class DataMissing(Exception):
    """Data of this installation is missing; the message says which, and what to do."""


def require_data(journal: Path, state: StateConfig, *, new: bool, names: tuple[str, str]) -> None:
    """Check that the database files exist, before anything is written in their place.

    Args:
        journal: its file.
        state: where the state database is.
        new: whether missing data may be created.
        names: of the two, for people: their paths.

    Raises:
        DataMissing: as `require_installation`, of files that are not there.
        StateUnavailable: there is no journal, and another service writes to the state database, so it is not ours.
    """
    nowhere = state.server is None and not _begun(state.path)
    if not _begun(journal):
        require_unused(state)
        _require((True, nowhere or never_used(state)), new=new, names=names)
    elif nowhere:
        _require((False, True), new=new, names=names)


def _begun(file: Path) -> bool:
    """Whether the file exists and is not empty: a full disk or an interrupted copy leaves empty ones."""
    return file.exists() and file.stat().st_size > 0


def require_installation(
    journal: Journal, state: InstallationStore, *, new: bool, names: tuple[str, str] = ("journal", "state")
) -> str:
    """Return the installation id of journal and state database; write it into those that have none yet.

    Data without an id is from a version before ids, and is accepted. A state database may be created beside an existing
    journal, but not a journal beside an existing state database: it numbers the points.

    Args:
        journal: as opened.
        state: of the state database, as opened.
        new: whether missing data may be created.
        names: of the two, for people: their paths.

    Raises:
        DataMissing: one of them is unexpectedly empty, or they belong to two installations.
    """
    first, second = journal.installation(), state.read()
    if first and second and first != second:
        raise DataMissing(_of_two(names, first, second))
    lost = (first is None and journal.empty(), second is None and state.empty())
    _require(lost, new=new, names=names)
    installation = first or second or str(uuid4())
    if first is None:  # before the state: a crash between the two leaves nothing that a next start would refuse
        journal.mark(installation)
    if second is None:
        state.mark(installation)
    if any(lost):
        begun = ", ".join(name for name, missing in zip(names, lost, strict=True) if missing)
        emit(InstallationBegun(installation, begun))
    elif new:
        emit(InstallationThere(installation))
    return installation


def _require(lost: tuple[bool, bool], *, new: bool, names: tuple[str, str]) -> None:
    """Raise DataMissing if journal or state are empty and may not be created."""
    match lost:
        case (True, True) if not new:
            raise DataMissing(_nothing(names))
        case (True, False):
            raise DataMissing(
                _half(
                    names[0], names[1], "将状态库也移开，再运行 yujing init", "move the state database away, too, then"
                )
            )
        case (False, True) if not new:
            raise DataMissing(
                _half(names[1], names[0], "运行 yujing init", "with its alarms, warnings and audit trail,")
            )


def _nothing(names: tuple[str, str]) -> str:
    return (
        f"{names[0]} 和 {names[1]} 都是空的：数据盘未挂载？路径写错？仅首次启动时运行 yujing init。"
        f" {names[0]} and {names[1]} hold nothing: is the disk mounted, are the paths right?"
        " Only for a first start: yujing init, or yujing run --new"
    )


def _half(missing: str, there: str, then_zh: str, then: str) -> str:
    return (
        f"{missing} 是空的，而 {there} 有数据：请从同一备份恢复两者；仅当确已丢失：{then_zh}。"
        f" {missing} is empty, though {there} is not: restore both from one backup; only if it is lost for good,"
        f" {then} yujing init"
    )


def _of_two(names: tuple[str, str], first: str, second: str) -> str:
    return (
        f"{names[0]} 属于安装 {first}，{names[1]} 属于安装 {second}：请检查路径，或从同一备份恢复两者。"
        f" {names[0]} is of installation {first}, {names[1]} of {second}: mend the paths in the settings,"
        " or restore both from one backup"
    )
