"""`yujing history`: verifies, compacts and exports (Parquet) a history in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ingest.base.extras import needing
from ingest.cli.configured import (
    INVALID,
    UNAVAILABLE,
    ConfigFile,
    configured,
    print_error,
    progress_bar,
    say,
    time_range,
)
from ingest.runtime.settings import Settings
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.errors import HistoryUnavailable

if TYPE_CHECKING:
    from ingest.storage.history.duck_offline import Table

app = typer.Typer(no_args_is_help=True, help="历史库维护(DuckDB) Look after a history in DuckDB.")

DAMAGED: Final = 1
"""Exit code: some of the file cannot be read, or is wrong."""

_DEFAULT: Final = Path("yujing.toml")
_MB: Final = 1 << 20
_ROOMY_MB: Final = 512  # to sort an hour of readings in: the service is stopped, and its memory free

CopyFile = Annotated[
    Path | None, typer.Option("--file", help="备份中的副本,服务可运行 A copy in a backup, while the service runs.")
]
What = Annotated[str, typer.Option("--what", help="readings | minutes | hours | days")]
From = Annotated[str | None, typer.Option("--from", help="设备时间起 Device time, from.")]
To = Annotated[str | None, typer.Option("--to", help="设备时间止(不含) Device time, up to, not included.")]
Plants = Annotated[list[str] | None, typer.Option(help="企业标识,可重复 Plant id; repeat for more.")]
Points = Annotated[list[str] | None, typer.Option(help="测点标识,可重复 Point id; repeat for more.")]


@app.command()
def verify(config: ConfigFile = _DEFAULT, *, file: CopyFile = None) -> None:
    """校验 Read every row and compare rollups with readings; exit code 1 if anything is damaged."""
    with needing("duckdb", "yujing history"):
        from ingest.storage.history import duck_offline as care  # noqa: PLC0415  30 MB that other commands need not load

    where = file.resolve() if file else None
    with _history(config, where) as found, care.reading(found) as db:
        with progress_bar("读取 read", care.rows_of(db)) as advance:
            faults = list(care.damage(db, advance))
        if not faults:
            with progress_bar("汇总 rollups", care.hours_of(db)) as advance:
                faults = [
                    f"汇总与读数不符 rollups that differ, {wrong_rollup}"
                    for wrong_rollup in care.wrong_rollups(db, advance)
                ]
        sound = None if faults else care.contents(db)
    for fault in faults:
        say.print(f"✗ {found.path}: {fault}", style="red", markup=False)
    if sound is None:
        say.print(
            f"{len(faults)} 处损坏 damaged places: 请恢复备份,或停服务后导出尚可读的部分 restore a backup,"
            " or export what can be read, with the service stopped",
            markup=False,
        )
        raise typer.Exit(DAMAGED)
    typer.echo(
        f"完好 sound: 读数 readings {sound.readings},"
        f" 分钟、小时及日汇总 rollups by minute, hour and day {sound.rollups},"
        f" 事件及报警指标 events and alarm metrics {sound.events}"
    )


@app.command()
def compact(config: ConfigFile = _DEFAULT) -> None:
    """重写以缩小,服务须停止 Write the file anew, smaller and faster; needs as much room again, and no service."""
    with needing("duckdb", "yujing history"):
        from ingest.storage.history import duck_offline as care  # noqa: PLC0415  as above

    with _history(config, None, writing=True) as found, ExitStack() as stack:
        roomy = found.model_copy(update={"memory_mb": max(found.memory_mb, _ROOMY_MB)})
        before, after = care.compact(roomy, lambda rows: stack.enter_context(progress_bar("重写 write anew", rows)))
    typer.echo(f"已重写 written anew: {before / _MB:.1f} → {after / _MB:.1f} MiB")


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="文件夹 A folder; it is made if it is not there.")],
    config: ConfigFile = _DEFAULT,
    *,
    file: CopyFile = None,
    what: What = "readings",
    from_: From = None,
    to: To = None,
    plant: Plants = None,
    point: Points = None,
) -> None:
    """导出为 Parquet,每日一个文件 Write readings or rollups as Parquet, a file for each day of plant time."""
    with needing("duckdb", "yujing history"):
        from ingest.storage.history import duck_offline as care  # noqa: PLC0415  as above

    times = time_range(from_, to, care.ExportFilter().end)
    wanted = care.ExportFilter(_table(what), times.start, times.stop, tuple(plant or ()), tuple(point or ()))
    target, where = folder.resolve(), file.resolve() if file else None
    with _history(config, where) as found, care.reading(found) as db, ExitStack() as stack:
        if names := care.unknown(db, wanted):
            say.print(f"✗ 历史库中没有 not in the history: {', '.join(names)}", markup=False)
            raise typer.Exit(INVALID)
        target.mkdir(parents=True, exist_ok=True)
        earlier = sum(1 for _ in target.glob("*.parquet"))
        count = care.export(db, wanted, target, lambda days: stack.enter_context(progress_bar("导出 export", days)))
    typer.echo(f"已写出 written: {count} 行 rows → {target}")
    if earlier:
        say.print(f"另有先前的文件 beside earlier files, left as they were: {earlier}", markup=False)


def _table(what: str) -> Table:
    match what:
        case "readings" | "minutes" | "hours" | "days":
            return what
        case _:
            raise typer.BadParameter(f"{what}: 应为 expected readings, minutes, hours or days", param_hint="--what")


@contextmanager
def _history(config: Path, file: Path | None, *, writing: bool = False) -> Iterator[DuckDBConfig]:
    """Yield the history's settings, with another file if given; end the command if it is unavailable."""
    with configured(config, writing=writing) as settings:
        found = _duckdb(settings)
        if file is not None:
            found = found.model_copy(update={"path": file})
        if not found.path.exists():
            say.print(f"✗ {found.path}: 没有此文件 there is no such file", markup=False)
            raise typer.Exit(UNAVAILABLE)
        try:
            yield found
        except HistoryUnavailable as error:
            print_error(error)
            raise typer.Exit(UNAVAILABLE) from None


def _duckdb(settings: Settings) -> DuckDBConfig:
    if not isinstance(settings.history, DuckDBConfig):
        say.print(
            f"✗ history.kind = {settings.history.kind}: 仅用于 DuckDB these commands are for duckdb; use its own tools",
            markup=False,
        )
        raise typer.Exit(INVALID)
    return settings.history
