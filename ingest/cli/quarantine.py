"""`yujing quarantine`: lists quarantined messages with their reasons, retries and drops them."""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from ingest.cli.configured import INVALID, ConfigFile, configured, format_time, say, table_of
from ingest.domain.model.audit import Act
from ingest.runtime.audit_trail import leave, spool_folder
from ingest.storage.journal.quarantine import Quarantine, QuarantineFilter, QuarantineRow
from ingest.web.inputs import EXACT

app = typer.Typer(no_args_is_help=True, help="隔离消息 Messages that could not be taken in, kept with their reason.")

_DEFAULT: Final = Path("yujing.toml")
_LINE: Final = 16

Ids = Annotated[list[int] | None, typer.Argument(min=0, max=EXACT, help="编号 Ids, as `list` shows them.")]
Reason = Annotated[str | None, typer.Option(help="原因 Only with this reason.")]
Plant = Annotated[str | None, typer.Option(help="企业标识 Only of this plant.")]
All = Annotated[bool, typer.Option("--all", help="全部 All of them.")]


@app.command("list")
def list_(
    config: ConfigFile = _DEFAULT,
    *,
    reason: Reason = None,
    plant: Plant = None,
    limit: Annotated[int, typer.Option(min=1, max=EXACT, help="最多行数 Most rows, newest first.")] = 50,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """列表与数量 What is there, newest first, and how much by reason."""
    which = QuarantineFilter((), reason, plant)
    with configured(config) as settings, Quarantine(settings.journal.path) as quarantine:
        found, counts = quarantine.find(which, limit=limit), quarantine.counts(which)
    if json_:
        typer.echo(json.dumps({"counts": counts, "messages": [_as_json(kept) for kept in found]}, indent=2))
        return
    out = Console(highlight=False)
    table = table_of("编号 id", "收到 received", "主题 topic", "原因 reason", "字节 bytes", "状态 state")
    for kept in found:
        message = kept.message
        table.add_row(
            str(message.id),
            format_time(message.received),
            Text(escape_line(message.topic)),
            Text(f"{escape_line(message.reason)}\n{escape_line(message.detail)[:200]}"),
            str(len(message.payload)),
            "待重试 to retry" if kept.retry else "",
        )
    out.print(table)
    for name, messages in counts.items():
        out.print(f"{escape_line(name)}: {messages}", markup=False)
    out.print(f"共 in all: {sum(counts.values())}")


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="ID", min=0, max=EXACT)], config: ConfigFile = _DEFAULT) -> None:
    """一条消息的全部内容 One message whole: as text if it is text, else as hexadecimal."""
    with configured(config) as settings, Quarantine(settings.journal.path) as quarantine:
        found = quarantine.find(QuarantineFilter([number]), limit=1)
    if not found:
        _refuse_unknown([number])
    message = found[0].message
    for label, value in (
        ("编号 id", str(message.id)),
        ("收到 received", format_time(message.received)),
        ("主题 topic", message.topic),
        ("原因 reason", message.reason),
        ("说明 detail", message.detail),
        ("读数 readings", str(message.readings)),
        ("状态 state", "待重试 to retry" if found[0].retry else "隔离 kept"),
    ):
        typer.echo(f"{label}: {escape_line(value)}")
    typer.echo(f"内容 payload, {len(message.payload)} 字节 bytes:")
    typer.echo(printable_payload(message.payload))


@app.command()
def retry(
    ids: Ids = None,
    config: ConfigFile = _DEFAULT,
    *,
    reason: Reason = None,
    plant: Plant = None,
    all_: All = False,
) -> None:
    """重新接收:由运行中的服务或下次启动时进行 Take in again: by the running service, or at its next start."""
    which = _filter_of(ids, reason, plant, all_=all_)
    with configured(config, writing=True) as settings, Quarantine(settings.journal.path, writing=True) as quarantine:
        _require_known(quarantine, which)
        marked = quarantine.retry(which)
    typer.echo(f"已标记 marked: {marked}. 仍不合格者带新原因回到隔离 What is refused again comes back with its reason")


@app.command()
def drop(
    ids: Ids = None,
    config: ConfigFile = _DEFAULT,
    *,
    reason: Reason = None,
    plant: Plant = None,
    all_: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 Do not ask.")] = False,
) -> None:
    """永久删除 Delete for good: their readings are lost. Asks first."""
    which = _filter_of(ids, reason, plant, all_=all_)
    with configured(config, writing=True) as settings, Quarantine(settings.journal.path, writing=True) as quarantine:
        _require_known(quarantine, which)
        count = sum(quarantine.counts(which).values())
        if not yes and not typer.confirm(f"永久删除 delete for good: {count} 条 messages?", default=False, err=True):
            say.print("未删除 nothing was deleted")
            raise typer.Exit(INVALID)
        detail = {"messages": count, "which": " ".join(map(str, (*which.ids, which.reason or "", which.plant or "")))}
        user = getpass.getuser()
        act = Act(time.time_ns(), user, "shell", "dropped", "quarantine", "quarantine", plant or "", detail)
        leave(spool_folder(settings), act)  # first, so that no deletion goes unrecorded
        dropped = quarantine.drop(which)
    typer.echo(f"已删除 deleted: {dropped}")


def printable_payload(payload: bytes) -> str:
    r"""Format untrusted bytes for a terminal: text with its control characters escaped, or hexadecimal.

    >>> printable_payload('{"值": 1}\n\x1b[2J'.encode())
    '{"值": 1}\n\\x1b[2J'
    >>> printable_payload(b"\x82\xa4boot")
    '00000000  82 a4 62 6f 6f 74                                ..boot'
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return "\n".join(_hex(payload, at) for at in range(0, len(payload), _LINE))
    return "\n".join(escape_line(line) for line in text.split("\n"))


def escape_line(text: str) -> str:
    """Escape a line's unprintable characters, which could control the terminal or the direction of text."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _hex(payload: bytes, at: int) -> str:
    part = payload[at : at + _LINE]
    return f"{at:08x}  {part.hex(' '):<{3 * _LINE}} {''.join(chr(b) if 32 <= b < 127 else '.' for b in part)}"


def _filter_of(ids: list[int] | None, reason: str | None, plant: str | None, *, all_: bool) -> QuarantineFilter:
    """Return the filter of the options; without any, refuse instead of taking all messages."""
    if not (ids or reason or plant or all_):
        raise typer.BadParameter("expected ids, --reason, --plant or --all")
    if all_ and (ids or reason or plant):
        raise typer.BadParameter("--all goes with nothing else")
    return QuarantineFilter(ids or (), reason, plant)


def _require_known(quarantine: Quarantine, which: QuarantineFilter) -> None:
    if which.ids:
        known = {kept.message.id for kept in quarantine.find(QuarantineFilter(which.ids), limit=len(which.ids))}
        unknown = sorted(set(which.ids) - known)
        if unknown:
            _refuse_unknown(unknown)


def _refuse_unknown(ids: list[int]) -> None:
    say.print(f"✗ 隔离中没有 not in quarantine: {', '.join(map(str, ids))}", markup=False)
    raise typer.Exit(INVALID)


def _as_json(kept: QuarantineRow) -> dict[str, object]:
    message = kept.message
    return {
        "id": message.id,
        "received": message.received,
        "topic": message.topic,
        "reason": message.reason,
        "detail": message.detail,
        "readings": message.readings,
        "bytes": len(message.payload),
        "retry": kept.retry,
    }
