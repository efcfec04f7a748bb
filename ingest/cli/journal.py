"""`yujing journal`: verifies, trims and exports the journal, and shows its contents."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from ingest.cli.configured import (
    INVALID,
    ConfigFile,
    configured,
    format_time,
    parse_time,
    progress_bar,
    say,
    time_range,
)
from ingest.runtime.settings import Settings
from ingest.storage.history.writer import READER
from ingest.storage.journal.export import ExportFilter, export
from ingest.storage.journal.inspection import Fault, JournalInspection, Stats
from ingest.storage.journal.journal import Journal
from ingest.storage.state.read_only import engine_at

app = typer.Typer(no_args_is_help=True, help="日志库维护 Look after the journal, also while the service runs.")

DAMAGED: Final = 1
"""Exit code: some of the journal is damaged."""

_DEFAULT: Final = Path("yujing.toml")
_MB: Final = 1 << 20
_FORMATS: Final = (".csv", ".ndjson")
Json = Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")]


@app.command()
def verify(config: ConfigFile = _DEFAULT) -> None:
    """逐条校验 Check every entry, the file, positions and cursors; exit code 1 if anything is damaged."""
    with configured(config) as settings, JournalInspection(settings.journal.path) as file:
        count = file.span()[0]
        with progress_bar("校验 verify", count) as advance:
            faults = list(file.check(engine_cursors(settings), lambda _entry: advance(1)))
    for fault in faults:
        say.print(fault_text(fault), style="red", markup=False)
    if faults:
        say.print(f"{count} 条已检 entries checked, {len(faults)} 处损坏 damaged places")
        raise typer.Exit(DAMAGED)
    typer.echo(f"完好 sound: {count} 条 entries")


@app.command()
def stats(config: ConfigFile = _DEFAULT, *, json_: Json = False) -> None:
    """内容与进度 What it holds, how far each reader is, what came from each gateway."""
    with configured(config) as settings, JournalInspection(settings.journal.path) as file:
        found = file.stats()
        readers = {**found.readers, **engine_cursors(settings)}
    if json_:
        payload = dataclasses.asdict(found) | {
            "oldest": _iso(found.oldest),
            "newest": _iso(found.newest),
            "readers": {name: {"cursor": at, "behind": found.last - at} for name, at in readers.items()},
        }
        typer.echo(json.dumps(payload, ensure_ascii=False, indent=2))
        return
    out = Console(highlight=False)
    _print_stats(found, readers, out)


@app.command()
def trim(
    config: ConfigFile = _DEFAULT,
    *,
    before: Annotated[str | None, typer.Option(help="删除此前收到的 What was received before this time.")] = None,
    older_than: Annotated[str | None, typer.Option(help="删除早于此时长的 What is older: 12h, 30d.")] = None,
    vacuum: Annotated[bool, typer.Option(help="重写文件 Rewrite the file: needs as much room again.")] = False,
) -> None:
    """删除旧条目,未读的从不删除 Delete old entries; never one that a reader or a restart still needs."""
    if (before is None) == (older_than is None):
        raise typer.BadParameter("expected one of --before and --older-than")
    limit = parse_time(before, "--before") if before is not None else time.time_ns() - _parse_duration(str(older_than))
    with configured(config, writing=True) as settings:
        path = settings.journal.path
        with JournalInspection(path) as file:
            cursors = {READER: 0} | file.cursors()
            stats_before = file.stats()
        passed = min(*cursors.values(), engine_at(settings.state).snapshot_cursor)
        size = _size(path)
        journal = Journal(path)
        try:
            deleted = journal.trim(passed, limit)
            if vacuum:
                journal.rebuild()
            else:
                journal.give_back(keep=0.0)
            journal.checkpoint()
        finally:
            journal.close()
        with JournalInspection(path) as file:
            after = file.stats()
    freed = (size - _size(path)) / _MB
    typer.echo(
        f"已删除 deleted: {deleted} / {stats_before.entries} 条 entries; 已释放 given back to the disk: {freed:.1f}"
        f" MiB; 文件内空闲,将被重用 free inside the file, used again: {after.free_bytes / _MB:.1f} MiB"
    )
    waiting = after.last - passed
    if waiting > 0:
        typer.echo(f"保留未读 kept, since a reader or a restart needs them: {waiting} 条 entries after {passed}")
    if after.free_bytes > _MB and not vacuum:
        typer.echo("--vacuum 可重写文件以释放空间 gives that back, too, by rewriting the file")


@app.command("export")
def export_(
    file: Annotated[Path, typer.Argument(help="FILE.csv | FILE.ndjson")],
    config: ConfigFile = _DEFAULT,
    *,
    from_: Annotated[str | None, typer.Option("--from", help="设备时间起 Device time, from.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="设备时间止(不含) Device time, up to, not included.")] = None,
    plant: Annotated[list[str] | None, typer.Option(help="企业标识,可重复 Plant id; repeat for more.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="测点标识,可重复 Point id; repeat for more.")] = None,
) -> None:
    """导出读数 Write readings to a file, whole or not at all; exit code 1 if some could not be read."""
    if file.suffix not in _FORMATS:
        raise typer.BadParameter(f"{file.name}: expected a name that ends in .csv or .ndjson", param_hint="FILE")
    target = file.resolve()  # counted from the caller's folder, not from the settings
    times = time_range(from_, to, ExportFilter().end)
    wanted = ExportFilter(times.start, times.stop, tuple(plant or ()), tuple(point or ()))
    with configured(config) as settings, JournalInspection(settings.journal.path) as journal:
        _require_known(journal, wanted)
        with progress_bar("导出 export", journal.span()[0]) as advance:
            done = export(journal, wanted, target, lambda _entry: advance(1))
    typer.echo(f"已写出 written: {done.readings} 条读数 readings → {target}")
    if done.damaged:
        say.print(f"损坏,未能写出 damaged, not written: 条目 entries {', '.join(map(str, done.damaged))}", style="red")
        raise typer.Exit(DAMAGED)


def engine_cursors(settings: Settings) -> dict[str, int]:
    """Return the engine's cursors, which are in the state database."""
    at = engine_at(settings.state)
    return {"engine": at.cursor, "engine snapshot": at.snapshot_cursor}


def _require_known(journal: JournalInspection, wanted: ExportFilter) -> None:
    names = journal.points().values()
    for names_wanted, known in (
        (wanted.plants, {plant for plant, _ in names}),
        (wanted.points, {name for _, name in names}),
    ):
        unknown = sorted(set(names_wanted) - known)
        if unknown:
            say.print(f"✗ 日志库中没有 not in the journal: {', '.join(unknown)}", markup=False)
            raise typer.Exit(INVALID)


def _print_stats(found: Stats, readers: dict[str, int], out: Console) -> None:
    out.print(
        f"{found.entries} 条 entries · {found.readings} 条读数 readings · {found.bytes / _MB:.1f} MiB"
        f" (空闲 free {found.free_bytes / _MB:.1f})"
        + (f" · 待补录 back-fill waiting: {found.backfill} 条读数 readings" if found.backfill else "")
    )
    out.print(f"最早 oldest {format_time(found.oldest)} · 最新 newest {format_time(found.newest)}")
    table = Table("读者 reader", "已读至 read up to", "落后 behind")
    for name, at in readers.items():
        table.add_row(name, str(at), str(found.last - at))
    out.print(table)
    table = Table("企业/网关 plant/gateway", "帧 frames", "重复 duplicates", "缺失 missing", "丢失 lost")
    for gateway in found.gateways:
        figures = (gateway.frames, gateway.duplicates, gateway.missing, gateway.lost)
        table.add_row(f"{gateway.plant}/{gateway.gateway}", *map(str, figures))
    out.print(table)
    for reason, messages in found.quarantined.items():
        out.print(f"隔离 quarantine: {reason} {messages}", markup=False)


def fault_text(fault: Fault) -> str:
    """Format a fault on one line."""
    where = "" if fault.first is None else f" {fault.first}" + (f"-{fault.last}" if fault.last != fault.first else "")
    when = (
        ""
        if fault.received is None
        else f", received {format_time(fault.received[0])} … {format_time(fault.received[1])}"
    )
    return f"损坏 damage: {fault.what}{where}{when}"


def _size(path: Path) -> int:
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _iso(time_ns: int | None) -> str | None:
    return None if time_ns is None else datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat()


def _parse_duration(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|h|d)", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r}: expected a time such as 90m, 12h or 30d", param_hint="--older-than")
    return int(float(match[1]) * {"m": 60, "h": 3600, "d": 86400}[match[2]] * 1e9)
