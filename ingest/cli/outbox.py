"""`yujing outbox`: lists what receivers were not sent yet, shows a message, drops some and sends some again."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from ingest.cli.configured import INVALID, ConfigFile, configured, format_time, say, table_of, time_range
from ingest.cli.quarantine import escape_line
from ingest.runtime.settings import Settings
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_rows import OutboxRow, backlogs, body_of, drop, find, send_again
from ingest.storage.state.read_only import ReadOnly

app = typer.Typer(no_args_is_help=True, help="待发消息 Messages for webhooks and the platform.")

_DEFAULT: Final = Path("yujing.toml")
_MOST_REASON: Final = 500

Connector = Annotated[str | None, typer.Option(help="接收方 Only for this receiver.")]


@app.command("list")
def list_(
    config: ConfigFile = _DEFAULT,
    *,
    connector: Connector = None,
    all_: Annotated[bool, typer.Option("--all", help="含已送达,新者在前 Delivered ones, too, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="最多行数 Most rows.")] = 50,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """列表与数量 What waits, oldest first, and how much for each receiver; beside a running service or without it."""
    with configured(config) as settings, ReadOnly(settings.state) as state:
        found, waiting = find(state, limit, connector, waiting=not all_), backlogs(state)
    known = {name: waiting.get(name) for name in dict.fromkeys([*settings.connectors.names(), *waiting])}
    if connector is not None and connector not in known and not found:
        _refuse_receiver(connector, [*known])
    if json_:
        counts = {name: None if backlog is None else asdict(backlog) for name, backlog in known.items()}
        typer.echo(json.dumps({"waiting": counts, "messages": [_as_json(row) for row in found]}, indent=2))
        return
    out = Console(highlight=False)
    table = table_of(
        "编号 seq", "接收方 receiver", "内容 kind", "企业 plant", "产生 created", "尝试 tries", "状态 state"
    )
    for row in found:
        state_text = (
            f"已送达 delivered {format_time(row.delivered)}" if row.delivered else row.last_error or "待发 waits"
        )
        table.add_row(
            *(str(row.seq), row.connector, row.kind, Text(escape_line(row.plant)), format_time(row.created)),
            *(str(row.attempts), Text(escape_line(state_text)[:200])),
        )
    out.print(table)
    for name, backlog in known.items():
        text = "无待发 nothing waits"
        if backlog is not None:
            oldest = format_time(backlog.oldest)
            text = f"待发 waiting {backlog.messages},最早 oldest {oldest},尝试 tries {backlog.attempts}"
        out.print(f"{name}: {text}", markup=False)


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="SEQ")], config: ConfigFile = _DEFAULT) -> None:
    """一条消息的全部内容 One message whole, as JSON."""
    with configured(config) as settings, ReadOnly(settings.state) as state:
        found = body_of(state, number)
    if found is None:
        say.print(f"✗ 没有该消息 no such message: {number}", markup=False)
        raise typer.Exit(INVALID)
    row, body = found
    typer.echo(json.dumps(_as_json(row) | {"body": body}, ensure_ascii=True, indent=2))


@app.command("drop")
def drop_(
    numbers: Annotated[list[int], typer.Argument(metavar="SEQ...", help="编号 Numbers, as `list` shows them.")],
    reason: Annotated[str, typer.Option(help="原因,记入操作记录 Why; it is kept in the audit trail.")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """放弃待发消息,先停服务 Delete messages that wait: their receiver never hears of them. Stop the service first."""
    if not reason.strip() or len(reason) > _MOST_REASON:
        raise typer.BadParameter(
            f"应为 1 至 {_MOST_REASON} 个字符 expected 1 to {_MOST_REASON} characters", param_hint="--reason"
        )
    with _writing(config) as (_, database):
        dropped = drop(database, numbers, time.time_ns(), getpass.getuser(), reason.strip())
    typer.echo(f"已放弃 dropped: {len(dropped)}")
    left = sorted({*numbers} - {row.seq for row in dropped})
    if left:
        _refuse_unknown(left)


@app.command()
def resend(
    connector: Annotated[str, typer.Option(help="接收方 The receiver.")],
    since: Annotated[str, typer.Option("--from", help="起 From this time.")],
    until: Annotated[str, typer.Option("--to", help="止 Until before this time.")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """重发已送达的消息,标识不变,先停服务 Send again what was created then, under its ids. Stop the service first."""
    created = time_range(since, until)
    with _writing(config) as (settings, database):
        if connector not in settings.connectors.names():
            _refuse_receiver(connector, settings.connectors.names())
        count = send_again(database, created, connector, time.time_ns(), getpass.getuser())
    typer.echo(f"启动后重发 sent again after the start: {count}")


@contextmanager
def _writing(config: Path) -> Iterator[tuple[Settings, Database]]:
    """The state database, while no service runs; the command ends with a message if one does, or there is none."""
    with configured(config, writing=True) as settings:
        if settings.state.server is None and not settings.state.path.exists():
            raise FileNotFoundError(f"{settings.state.path}: 没有状态库 there is no state database")
        database = Database(settings.state)
        try:
            yield settings, database
        finally:
            database.close()


def _refuse_unknown(numbers: list[int]) -> NoReturn:
    say.print(f"✗ 没有待发的该消息 no such message: {', '.join(map(str, numbers))}", markup=False)
    raise typer.Exit(INVALID)


def _refuse_receiver(connector: str, known: Sequence[str]) -> NoReturn:
    names = ", ".join(known) or "(无 none)"
    say.print(f"✗ {escape_line(connector)}: 配置中没有该接收方 expected one of: {names}", markup=False)
    raise typer.Exit(INVALID)


def _as_json(row: OutboxRow) -> dict[str, object]:
    return asdict(row) | {"id": str(row.id)}
