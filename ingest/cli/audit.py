"""`yujing audit`: lists the audit trail and verifies its hash chain; reads only, also while the service runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.text import Text

from ingest.cli.configured import INVALID, ConfigFile, configured, format_time, progress_bar, say, table_of, time_range
from ingest.cli.quarantine import escape_line
from ingest.domain.model.payload import iso
from ingest.runtime.audit_trail import audit_folder
from ingest.storage.state.audit import AuditRow, AuditStore
from ingest.storage.state.audit_heads import AuditHeads, Forged
from ingest.storage.state.read_only import reading
from ingest.storage.state.unreadable import Rows, Unreadable
from ingest.web.inputs import EXACT

app = typer.Typer(no_args_is_help=True, help="审计记录 Who did what, and whether the trail is whole.")

_DEFAULT: Final = Path("yujing.toml")


@app.command("list")
def list_(
    config: ConfigFile = _DEFAULT,
    *,
    plant: Annotated[str | None, typer.Option(help="企业标识 Only of this plant.")] = None,
    subject: Annotated[str | None, typer.Option(help="记录标识 Only about this record.")] = None,
    actor: Annotated[str | None, typer.Option(help="人员 Only what this token's name did.")] = None,
    since: Annotated[str | None, typer.Option(help="起 From then on.")] = None,
    until: Annotated[str | None, typer.Option(help="止(不含) Before then.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=EXACT, help="最多行数 Most rows, newest first.")] = 50,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """谁何时做了什么 Who did what, newest first."""
    times = time_range(since, until, names=("--since", "--until"))
    with configured(config) as settings, reading(settings.state) as connection:
        trail = AuditStore(_query(connection))
        rows = trail.acts(
            limit=limit,
            plants=frozenset({plant}) if plant else None,
            subject=subject,
            actor=actor,
            since=times.start if since else None,
            until=times.stop if until else None,
        )
    if json_:
        typer.echo(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=2))
        return
    table = table_of("序号 no.", "时间 time", "人员 who", "操作 action", "对象 what", "说明 detail")
    for row in rows:
        act = row.act
        detail = escape_line(json.dumps(act.detail, ensure_ascii=False))
        what = f"{act.kind}\n{escape_line(act.subject)}\n{act.plant}"
        texts = (f"{escape_line(act.actor)}\n{act.role}", escape_line(act.action), what, detail)
        table.add_row(str(row.seq), format_time(act.time), *(Text(text) for text in texts))
    Console(highlight=False).print(table)


@app.command()
def verify(config: ConfigFile = _DEFAULT) -> None:
    """核验全部记录 Hash the whole trail anew; exit code 2 if a row is not as it was written, or rows are gone."""
    with configured(config) as settings, reading(settings.state) as connection:
        heads = AuditHeads(audit_folder(settings))
        trail = AuditStore(_query(connection), heads.all)
        with progress_bar("核验 verifying", len(trail)) as done:
            try:
                verdict = trail.verify(done)
            except Forged as error:
                say.print(f"[red]✗[/] 链头不可信 the head kept outside is not to be trusted: {error}")
                raise typer.Exit(INVALID) from None
    for row in verdict.missing:
        say.print(
            f"[red]✗[/] 第 {row} 条曾在而现无,记录被截断或库自旧备份恢复 row {row} was there and is gone: rows were cut"
            f" off, or an older backup was restored ({audit_folder(settings)})"
        )
    if verdict.broken is not None:
        say.print(
            f"[red]✗[/] 第 {verdict.broken} 条被改动或缺失 row {verdict.broken} was changed, or one before it is gone;"
            f" 此前 {verdict.rows} 条完好 the {verdict.rows} before it are whole"
        )
        raise typer.Exit(INVALID)
    if verdict.missing:
        raise typer.Exit(INVALID)
    typer.echo(
        f"完好 whole: {verdict.rows} 条记录 rows\n最新哈希,请另行保存 newest hash, keep it elsewhere: {verdict.newest}"
    )


def _query(connection: sa.Connection) -> Callable[[sa.Select[Any]], Rows]:
    return partial(Unreadable().rows, connection)


def _as_json(row: AuditRow) -> dict[str, Any]:
    act = row.act
    return {
        "seq": row.seq,
        "time": iso(act.time),
        "actor": act.actor,
        "role": act.role,
        "action": act.action,
        "kind": act.kind,
        "subject": act.subject,
        "plant": act.plant,
        "detail": dict(act.detail),
        "hash": row.hash,
    }
