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
from ingest.cli.running import RunningService, service_runs
from ingest.runtime.settings import Settings
from ingest.storage.state.database import Database
from ingest.storage.state.outbox_acts import By, drop, revive, send_again
from ingest.storage.state.outbox_rows import OutboxRow, backlogs, body_of, find
from ingest.storage.state.read_only import ReadOnly
from ingest.web.inputs import EXACT, storable

app = typer.Typer(no_args_is_help=True, help="待发消息 Messages for webhooks and the platform.")

_DEFAULT: Final = Path("yujing.toml")
_MOST_REASON: Final = 500
_AT_ONCE: Final = 500

Connector = Annotated[str | None, typer.Option(help="接收方 Only for this receiver.")]


@app.command("list")
def list_(
    config: ConfigFile = _DEFAULT,
    *,
    connector: Connector = None,
    all_: Annotated[bool, typer.Option("--all", help="全部,新者在前 Every message, newest first.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="只列被拒收的 Only those their receiver rejects.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=EXACT, help="最多行数 Most rows.")] = 50,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """列表与数量 What waits, oldest first, and how much for each receiver; beside a running service or without it."""
    if all_ and dead:
        raise typer.BadParameter("--all 与 --dead 只选其一 one of --all and --dead", param_hint="--dead")
    with configured(config) as settings, ReadOnly(settings.state) as state:
        found = find(state, limit, connector, "all" if all_ else "dead" if dead else "waiting")
        waiting = backlogs(state)
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
        table.add_row(
            *(str(row.seq), row.connector, row.kind, Text(escape_line(row.plant)), format_time(row.created)),
            *(str(row.attempts), Text(escape_line(_state_of(row))[:300])),
        )
    out.print(table)
    for name, backlog in known.items():
        text = "无待发 nothing waits"
        if backlog is not None and backlog.messages:
            oldest = format_time(backlog.oldest)
            text = f"待发 waiting {backlog.messages},最早 oldest {oldest},尝试 tries {backlog.attempts}"
        if backlog is not None and backlog.dead:
            text += f",拒收 rejected {backlog.dead}"
        out.print(f"{name}: {text}", markup=False)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="SEQ", min=0, max=EXACT)], config: ConfigFile = _DEFAULT
) -> None:
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
    numbers: Annotated[
        list[int], typer.Argument(metavar="SEQ...", min=0, max=EXACT, help="编号 Numbers, as `list` shows them.")
    ],
    reason: Annotated[str, typer.Option(help="原因,记入操作记录 Why; it is kept in the audit trail.")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """放弃待发或拒收的消息 Delete messages that wait or are rejected; by the service, if it runs."""
    if not reason.strip() or len(reason) > _MOST_REASON:
        raise typer.BadParameter(
            f"应为 1 至 {_MOST_REASON} 个字符 expected 1 to {_MOST_REASON} characters", param_hint="--reason"
        )
    try:
        storable(reason)
    except ValueError as error:
        raise typer.BadParameter(
            f"应为不含控制字符的文本 {escape_line(reason)}: expected {error}", param_hint="--reason"
        ) from error
    with _doing(config) as (_, at):
        if isinstance(at, RunningService):
            body = {"messages": numbers, "reason": reason.strip()}
            dropped = at.post("/outbox/drop", body)["messages"]
        else:
            dropped = [row.seq for row in drop(at, numbers, _by(), reason.strip())]
    typer.echo(f"已放弃 dropped: {len(dropped)}")
    if left := sorted({*numbers} - {*dropped}):
        _refuse_numbers("未待发也未被拒收 neither waits nor is rejected", left)


@app.command()
def retry(connector: Annotated[str, typer.Option(help="接收方 The receiver.")], config: ConfigFile = _DEFAULT) -> None:
    """让运行中的服务立即重试 Have the running service try at once what waits for a receiver."""
    with configured(config) as settings:
        if connector not in settings.connectors.names():
            _refuse_receiver(connector, settings.connectors.names())
        if not service_runs(settings):
            typer.echo("服务没有运行；启动后立即重试 the service does not run; it tries everything when it starts")
            return
        RunningService(settings).post("/outbox/retry", {"receiver": connector})
    typer.echo("正在重试 tried now")


@app.command()
def resend(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[SEQ...]", min=0, max=EXACT, help="拒收消息的编号 Dead letters.")
    ] = None,
    config: ConfigFile = _DEFAULT,
    *,
    connector: Annotated[str, typer.Option(help="接收方 The receiver, with --dead, or --from and --to.")] = "",
    dead: Annotated[bool, typer.Option("--dead", help="其全部拒收消息 All of its dead letters.")] = False,
    since: Annotated[str, typer.Option("--from", help="起 What was delivered, from this time.")] = "",
    until: Annotated[str, typer.Option("--to", help="止 Until before this time.")] = "",
) -> None:
    """重发拒收或已送达的消息,标识不变 Send again under the same ids; what was delivered, with the service stopped.

    编号、--dead、--from 与 --to 三选一 Give numbers, or --connector with --dead, or --connector with --from and --to.
    """
    if [bool(numbers), dead, bool(since or until)].count(True) != 1 or bool(connector) is bool(numbers):
        expected = "编号,或 --connector 加 --dead 或 --from --to numbers, or --connector with --dead or --from and --to"
        raise typer.BadParameter(expected, param_hint="SEQ")
    created = time_range(since, until) if since or until else None
    with _doing(config, running=created is None) as (settings, at):
        if connector and connector not in settings.connectors.names():
            _refuse_receiver(connector, settings.connectors.names())
        if created is not None and not isinstance(at, RunningService):
            typer.echo(f"启动后重发 sent again after the start: {send_again(at, created, connector, _by())}")
            return
        if isinstance(at, RunningService):
            chosen = numbers or [row.seq for row in _dead_of(settings, connector)]
            done = at.post("/outbox/resend", {"messages": chosen})["messages"] if chosen else []
            typer.echo(f"已重发 sent again: {len(done)}")
        else:
            done = [row.seq for row in revive(at, _by(), seqs=numbers or (), connector=connector or None)]
            typer.echo(f"启动后重发 sent again after the start: {len(done)}")
    if left := sorted({*(numbers or ())} - {*done}):
        _refuse_numbers("不是拒收的消息 not rejected", left)


def _dead_of(settings: Settings, connector: str) -> list[OutboxRow]:
    """The oldest dead letters of a receiver, as many as the service takes at once."""
    with ReadOnly(settings.state) as state:
        return find(state, _AT_ONCE, connector, "dead")


@contextmanager
def _doing(config: Path, *, running: bool = True) -> Iterator[tuple[Settings, Database | RunningService]]:
    """The service, if it runs and can do it (`running`), else the state database, which nobody else may write then.

    The command ends with a message if neither can be had.
    """
    with configured(config, writing=True) as settings:
        if running and service_runs(settings):
            yield settings, RunningService(settings)
            return
        if settings.state.server is None and not settings.state.path.exists():
            raise FileNotFoundError(f"{settings.state.path}: 没有状态库 there is no state database")
        database = Database(settings.state)
        try:
            yield settings, database
        finally:
            database.close()


def _refuse_numbers(why: str, numbers: list[int]) -> NoReturn:
    say.print(f"✗ {why}: {', '.join(map(str, numbers))}", markup=False)
    raise typer.Exit(INVALID)


def _refuse_receiver(connector: str, known: Sequence[str]) -> NoReturn:
    names = ", ".join(known) or "(无 none)"
    say.print(f"✗ {escape_line(connector)}: 配置中没有该接收方 expected one of: {names}", markup=False)
    raise typer.Exit(INVALID)


def _by() -> By:
    return By(getpass.getuser(), "shell", time.time_ns())


def _state_of(row: OutboxRow) -> str:
    """What became of a message, in both languages."""
    if row.delivered is not None:
        return f"已送达 delivered {format_time(row.delivered)}"
    if row.ending == "withdrawn":
        return f"已撤回 withdrawn {format_time(row.ended)}: {row.reason}"
    error = "" if row.error is None else row.error.both
    if row.ending == "rejected":
        return f"拒收 rejected {format_time(row.ended)}: {error}"
    return error or "待发 waits"


def _as_json(row: OutboxRow) -> dict[str, object]:
    return asdict(row) | {"id": str(row.id)}
