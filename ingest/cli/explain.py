"""`yujing explain`: by which rules a point is evaluated, why an alarm was raised, why a warning had its colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from ingest.cli.configured import INVALID, ConfigFile, configured, enter, parse_time, refuse, say
from ingest.cli.explain_alarm import print_alarm
from ingest.cli.explain_instrument import status_json, status_lines, status_of
from ingest.cli.explain_point import print_point
from ingest.cli.explain_warning import print_warning
from ingest.domain.alarms.report import alarm_fields
from ingest.domain.model.fault import InvalidConfig
from ingest.domain.warnings.explain import NotYet
from ingest.domain.warnings.explain import as_json as warning_as_json
from ingest.domain.warnings.explain import explain as explain_then
from ingest.plants.explain import Unknown, explain_point
from ingest.plants.explain_json import as_json
from ingest.runtime.settings import load_in_force
from ingest.storage.state.alarm_store import read_alarm
from ingest.storage.state.read_only import reading
from ingest.storage.state.warning_store import read_history

app = typer.Typer(no_args_is_help=True, help="说明为何如此评估 Say why things are judged as they are.")


@app.command()
def point(
    plant: Annotated[str, typer.Argument(help="企业标识 The plant's id.")],
    point: Annotated[str, typer.Argument(help="测点标识 The point's id.")],
    config: ConfigFile = Path("yujing.toml"),
    *,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """测点由哪些规则评估、数值出自何处 Which rules judge a point, and where each number comes from."""
    try:
        settings = load_in_force(enter(config)).settings
        note = explain_point(settings.plants, plant, point)
    except InvalidConfig as error:
        refuse(error)
    except Unknown as error:
        say.print(f"[red]✗[/] {error}", markup=True)
        raise typer.Exit(INVALID) from None
    instrument = note.instrument
    status = status_of(instrument, settings.state, settings.cases) if instrument is not None else None
    if json_:
        shown = as_json(note) | {"instrument": status_json(instrument, status) if instrument is not None else None}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        print_point(note, status_lines(instrument, status) if instrument is not None else (), Console(highlight=False))


@app.command()
def alarm(
    alarm: Annotated[UUID, typer.Argument(help="报警标识 The alarm's id.")],
    config: ConfigFile = Path("yujing.toml"),
    *,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """报警最近一次为何触发 Why an alarm was last raised; only reads, also while the service runs."""
    with configured(config) as settings, reading(settings.state) as connection:
        found = read_alarm(connection, alarm)
    if found is None:
        say.print(f"[red]✗[/] 没有这个报警 no such alarm: {alarm}")
        raise typer.Exit(INVALID)
    if json_:
        typer.echo(json.dumps(alarm_fields(found), ensure_ascii=False, indent=2))
    else:
        print_alarm(found, Console(highlight=False))


@app.command()
def warning(
    warning: Annotated[UUID, typer.Argument(help="预警标识 The warning's id.")],
    config: ConfigFile = Path("yujing.toml"),
    *,
    at: Annotated[
        str | None, typer.Option(help="时刻,默认首次最高颜色时 When; default: when it first had its highest colour.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="输出 JSON As JSON.")] = False,
) -> None:
    """预警当时为何是这个颜色 Why a warning had its colour at a moment; only reads, also while the service runs."""
    with configured(config) as settings, reading(settings.state) as connection:
        history = read_history(connection, warning)
    if not history:
        say.print(f"[red]✗[/] 没有这个预警 no such warning: {warning}")
        raise typer.Exit(INVALID)
    try:
        found = explain_then(history, parse_time(at, "--at") if at else None)
    except NotYet as error:
        raise typer.BadParameter(str(error), param_hint="--at") from None
    if json_:
        typer.echo(json.dumps(warning_as_json(found), ensure_ascii=False, indent=2))
    else:
        print_warning(found, Console(highlight=False))
