"""`yujing backup` and `yujing restore`: copies an installation's data to a folder, and restores it from there."""

from __future__ import annotations

import getpass
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.cli.configured import (
    INVALID,
    LOST,
    UNAVAILABLE,
    ConfigFile,
    configured,
    enter,
    format_time,
    print_error,
    progress_bar,
    say,
)
from ingest.domain.model.audit import Act
from ingest.runtime.audit_trail import leave, spool_folder
from ingest.runtime.backup import NotTaken, history_file, take
from ingest.runtime.backup import restore as put_back
from ingest.runtime.settings import Settings
from ingest.storage.history.errors import HistoryUnavailable

_DEFAULT: Final = Path("yujing.toml")

_NAMES: Final = {
    "entries": "日志条目 entries of the journal",
    "readings": "读数 readings",
    "quarantined": "隔离消息 messages in quarantine",
    "alarms": "报警 alarms",
    "warnings": "预警 warnings",
    "audit": "审计记录 rows of the audit trail",
    "evidence": "证据文件 files of evidence",
    "stored": "历史库读数 readings of the history",
}


def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="新文件夹 A folder that is not there yet.")],
    config: ConfigFile = _DEFAULT,
    *,
    history: Annotated[bool, typer.Option("--history", help="连同历史库 With the history, if it is a file.")] = False,
) -> None:
    """备份,服务可继续运行 Copy journal, state and evidence into a new folder, also while the service runs."""
    to = to.absolute()  # counted from the caller's folder, before changing to that of the settings
    file = enter(config)
    with configured(file, writing=True) as settings:
        _require_file(settings)
        try:
            made = take(settings, file, to, format_time(time.time_ns()), progress_bar, history=history)
        except NotTaken as error:
            _refuse(error)
        except HistoryUnavailable as error:
            print_error(error)
            raise typer.Exit(UNAVAILABLE) from None
        _record_act(settings, "backed-up", to)
    typer.echo(f"已备份 backed up: {to}")
    for kind, count in made.counts.items():
        typer.echo(f"  {_NAMES[kind]}: {count}")
    if "stored" not in made.counts and (stored := history_file(settings)) is not None:
        typer.echo(f"不含历史库 without the history ({stored}): --history 可一并备份 takes it along.")
    typer.echo("不含密钥文件 without secrets and certificates: 另行保管 keep those apart.")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="备份文件夹 A folder that yujing backup made.")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """恢复到空的数据文件夹 Put a backup into empty folders, before the service starts; 3: something differs."""
    source = source.absolute()
    with configured(config, writing=True) as settings:
        _require_file(settings)
        try:
            record = partial(_record_act, settings, "restored", source)
            manifest, found = put_back(settings, source, progress_bar, record)
        except NotTaken as error:
            _refuse(error)
    typer.echo(f"已恢复 restored: {source} ({manifest.taken}, yujing {manifest.version})")
    differ = [kind for kind, count in manifest.counts.items() if found.get(kind) != count]
    for kind, count in manifest.counts.items():
        mark = " ✗ 不同 differs" if kind in differ else ""
        typer.echo(f"  {_NAMES.get(kind, kind)}: 备份 backup {count}, 现有 restored {found.get(kind, 0)}{mark}")
    if differ:
        say.print("✗ 与备份不符,请换一份备份 not what was backed up: take another backup", markup=False)
        raise typer.Exit(LOST)
    typer.echo(
        "配置和企业文件未改,备份中的见 settings and plant files were left as they are; those of the backup:"
        f" {source}/settings\n"
        "然后运行 yujing verify 和 yujing audit verify,再启动服务。 Run both of these, then start the service."
    )


def _require_file(settings: Settings) -> None:
    if settings.state.server is not None:
        _refuse(
            NotTaken(
                f"{settings.state.server}: 状态库在 PostgreSQL 上,见 docs/operations.md“备份”"
                " the state database is on PostgreSQL: docs/operations.md, Backup, by pg_dump and pg_restore"
            )
        )


def _record_act(settings: Settings, action: str, folder: Path) -> None:
    detail = {"folder": str(folder)}
    act = Act(time.time_ns(), getpass.getuser(), "shell", action, "data", "data", "", detail)
    leave(spool_folder(settings), act)


def _refuse(error: NotTaken) -> None:
    say.print(f"✗ {error}", markup=False)
    raise typer.Exit(INVALID)
