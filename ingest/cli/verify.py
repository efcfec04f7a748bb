"""`yujing verify`: checks journal, state database and snapshot for damage; reads only, also while the service runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import typer

from ingest.cli.configured import ConfigFile, configured, progress_bar, say
from ingest.cli.journal import DAMAGED, engine_cursors, fault_text
from ingest.engine.engine_state import SnapshotUnreadable, check_snapshot
from ingest.runtime.settings import Settings
from ingest.storage.journal.inspection import JournalInspection
from ingest.storage.state import tables as t
from ingest.storage.state.integrity import check_state, rows_of
from ingest.storage.state.read_only import reading

_DEFAULT: Final = Path("yujing.toml")
_REPAIR_HINT: Final = (
    "修复方法见 docs/operations.md“数据损坏”:状态库 yujing state repair;日志库和快照由服务自行绕过。"
    " What to do: docs/operations.md, damaged data. State database: yujing state repair. The service itself goes around"
    " damaged entries of the journal and makes snapshots anew."
)


def verify(config: ConfigFile = _DEFAULT) -> None:
    """校验日志库和状态库 Check journal, state database and snapshot; exit code 1 if anything is damaged."""
    with configured(config) as settings:
        found = [*_journal(settings), *_state(settings)]
    for fault in found:
        say.print(f"✗ {fault}", style="red", markup=False)
    if found:
        say.print(f"{len(found)} 处损坏 damaged places", markup=False)
        say.print(_REPAIR_HINT, markup=False)
        raise typer.Exit(DAMAGED)
    typer.echo("完好 sound: 日志库 journal, 状态库 state database, 快照 snapshot")


def _journal(settings: Settings) -> Iterator[str]:
    path = settings.journal.path
    with JournalInspection(path) as file, progress_bar("日志库 journal", file.span()[0]) as advance:
        for fault in file.check(engine_cursors(settings), lambda _entry: advance(1)):
            yield f"{path}: {fault_text(fault)}"


def _state(settings: Settings) -> Iterator[str]:
    name = settings.state.server or settings.state.path
    with reading(settings.state) as connection:
        with progress_bar("状态库 state", rows_of(connection)) as advance:
            for fault in check_state(connection, advance):
                yield f"{name}: {fault}"
        for (snapshot,) in connection.execute(sa.select(t.engine_state.c.snapshot)):
            try:
                if snapshot is not None:
                    check_snapshot(snapshot)
            except SnapshotUnreadable as error:
                yield f"{name}: engine_state, snapshot: {error}"
