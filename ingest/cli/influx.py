"""`yujing influx`: sets up an InfluxDB for this service, and reports for `yujing check` what it lacks."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.base.extras import needing
from ingest.cli.configured import (
    INVALID,
    UNAVAILABLE,
    ConfigFile,
    enter,
    format_time,
    parse_time,
    print_error,
    progress_bar,
    refuse,
    say,
)
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.text import Text
from ingest.runtime.settings import Settings
from ingest.runtime.settings.in_force import load_settings
from ingest.storage.history.config import InfluxConfig, InfluxV1Config, InfluxV2Config, StoreConfig
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.influx_rollups import SETTLED_NS
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.server_check import SETUP, lacking
from ingest.storage.history.setup import SetupOptions, SetupRefused

app = typer.Typer(no_args_is_help=True, help="InfluxDB 服务器 The InfluxDB that keeps the history.")

_DEFAULT: Final = Path("yujing.toml")
_STDIN: Final = Path("-")


@app.command()
def setup(
    config: ConfigFile = _DEFAULT,
    *,
    operator: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|-",
            help="操作员凭据所在文件,- 为标准输入:2.x 令牌,1.x 用户名:口令"
            " File with the operator's token (2.x) or user:password (1.x); - reads standard input.",
        ),
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, help="读数保存天数,默认永久 Days that readings are kept; default: for ever, or as it is."),
    ] = None,
    shorten: Annotated[
        bool, typer.Option("--shorten", help="允许缩短保存期,会删除更早的数据 Keeping less may delete what is older.")
    ] = False,
    rollups: Annotated[
        bool,
        typer.Option(help="按分钟和小时汇总,供长期趋势使用 Have it make rollups by minute and hour, for long trends."),
    ] = True,
) -> None:
    """建库、保存期限、映射、用户和令牌,可重复执行 Make database, retention, users and tokens; may be done again."""
    place = None if operator is None or operator == _STDIN else operator.absolute()
    try:
        history = load_settings(enter(config)).history  # secrets that are not there yet are no fault: they are made
        count = 0
        for step in _set_up(history, _credentials(operator, place), SetupOptions(keep_days, shorten, rollups)):
            typer.echo(f"✓ {step.zh} {step.en}")
            count += 1
    except InvalidConfig as error:
        refuse(error)
    except SetupRefused as error:
        say.print(f"✗ {error.text.zh} {error.text.en}", markup=False)
        raise typer.Exit(INVALID) from None
    except HistoryUnavailable as error:
        print_error(error, "无法连接历史库 the history cannot be reached: ")
        raise typer.Exit(UNAVAILABLE) from None
    typer.echo(
        f"{count} 项已设置,重启服务后生效 made; restart the service if it runs"
        if count
        else "无需更改 nothing to change: all is as it should be"
    )


@app.command()
def rollup(
    since: Annotated[str, typer.Option("--from", help="起始时间 From when on, such as 2025-01-01T00:00 (plant time).")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """补做汇总(1.x),从现在往前;服务可运行 Make rollups of what was stored before, from now back (1.x)."""
    first = parse_time(since, "--from") // Resolution.HOUR * Resolution.HOUR
    try:
        _roll_back(load_settings(enter(config)).history, first)
    except InvalidConfig as error:
        refuse(error)
    except SetupRefused as error:
        say.print(f"✗ {error.text.zh} {error.text.en}", markup=False)
        raise typer.Exit(INVALID) from None
    except (HistoryUnavailable, LookupError) as error:
        print_error(error, "未完成,可重新执行 not finished; give it again: ")
        raise typer.Exit(UNAVAILABLE) from None
    typer.echo(f"已汇总 rolled up: {format_time(first)} …")


def _roll_back(history: StoreConfig, first: int) -> None:
    """Roll up an hour at a time, the newest first: if interrupted, rollups have no gap up to now."""
    from ingest.storage.history.influx_v1 import InfluxV1Store  # noqa: PLC0415

    if not isinstance(history, InfluxV1Config):
        raise SetupRefused("仅用于 InfluxDB 1.x:2.x 由任务汇总", "only of an InfluxDB 1.x: on 2.x tasks make rollups")

    hours = range((time.time_ns() - SETTLED_NS) // Resolution.HOUR * Resolution.HOUR, first - 1, -Resolution.HOUR)
    with closing(InfluxV1Store(history)) as store, progress_bar("小时 hours", len(hours)) as advance:
        for hour in hours:
            store.roll_hour(hour)
            advance(1)


def print_history_faults(settings: Settings) -> None:
    """Print what the history's server lacks and how to set it up, or that it could not be reached."""
    if not isinstance(settings.history, InfluxConfig):
        return
    try:
        missing = lacking(settings.history)
    except (HistoryUnavailable, LookupError) as error:
        print_error(error, mark="[yellow]历史库未检查 the history could not be looked at[/]:")
        return
    for fault in missing:
        say.print("[yellow]历史库 history[/]: ", end="")
        say.print(f"{fault.zh} {fault.en}", markup=False)
        say.print(f"    建立 make it: {SETUP}", markup=False)


def _set_up(history: StoreConfig, operator: str | None, options: SetupOptions) -> Iterator[Text]:
    """Set up the server; yield each thing made. Loads only the library of that server's version."""
    match history:
        case InfluxV1Config():
            from ingest.storage.history.setup_v1 import set_up_v1  # noqa: PLC0415

            return set_up_v1(history, operator, options)
        case InfluxV2Config():
            with needing("influxdb2", f"history.kind = {history.kind}"):
                from ingest.storage.history.setup_v2 import set_up_v2  # noqa: PLC0415

            return set_up_v2(history, operator, options)
        case _:
            what = "DuckDB is a file" if history.kind == "duckdb" else "it is no InfluxDB"
            raise SetupRefused(f"history.kind = {history.kind}:无需设置", f"nothing to set up: {what}")


def _credentials(operator: Path | None, place: Path | None) -> str | None:
    """Read the operator's credentials from the file, or from standard input without echo on a terminal."""
    if operator is None:
        return None
    if place is None:
        read = getpass.getpass("operator: ") if sys.stdin.isatty() else sys.stdin.readline()
    else:
        try:
            read = place.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SetupRefused(f"{place}:无法读取", f"{place}: cannot be read ({type(error).__name__})") from error
    if not read.strip():
        raise SetupRefused("操作员凭据为空", "the operator's credentials are empty")
    return read.strip()
