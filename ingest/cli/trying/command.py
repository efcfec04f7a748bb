"""`yujing try`: reads a CSV file, learns from its start, and says what differs, in words, as a report and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from detectors.workbench import InvalidData, InvalidRule, Table
from detectors.workbench.analysis import SHARE, lesson_of
from detectors.workbench.cells import zone_of
from detectors.workbench.csv_files import read_csv
from detectors.workbench.layout import AUTO, TIMEZONE, Layout
from ingest.cli.configured import INVALID, UNAVAILABLE, progress_bar, say
from ingest.cli.trying import texts
from ingest.cli.trying.as_json import as_json
from ingest.cli.trying.report import report as html
from ingest.cli.trying.suggestions import point_ids, suggested
from ingest.cli.trying.trial import Trial, run_trial

_SHOWN = 30  # findings on the terminal


def try_(
    file: Annotated[Path, typer.Argument(help="带表头的 CSV 文件 A CSV file with a header line.")],
    *,
    learn: Annotated[
        float, typer.Option(help="开头多大一部分用来学习 Share of the rows, from the start, to learn from.")
    ] = SHARE,
    learn_until: Annotated[
        str | None, typer.Option(metavar="TIME", help="学到何时为止 The time up to which to learn, instead of a share.")
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="时间列,默认自动识别 The column of times.")] = None,
    time_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="时间写法,如 %d/%m/%y How times are written (strptime).")
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=1e-3, help="没有时间列,各行相隔的秒数 No times: rows are so far apart."),
    ] = None,
    timezone: Annotated[str, typer.Option(help="未写时区的时间 Of times that name no zone.")] = TIMEZONE,
    sep: Annotated[str, typer.Option(help="分隔符,默认自动识别 Separator: one character, or auto.")] = AUTO,
    encoding: Annotated[str | None, typer.Option(help="编码,默认自动识别 Encoding, such as gbk.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="只看这些列,可重复 Only this column; repeat for more.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="不看这些列(如人工标签),可重复 Leave this column out, such as labels.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="列=测点,用于建议的规则,可重复 column=point, for suggested rules.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="HTML 报告,默认 <文件名>.try.html The report.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="把建议的规则写成 TOML Write the suggested rules there.")
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="输出 JSON Print JSON.")] = False,
) -> None:
    """用一个 CSV 文件试评:学习、发现、建议规则 Judge a CSV file: learn from its start, find what differs.

    不需要 broker、企业文件和网络 Needs no broker, plant file or network; exit code 2: nothing usable.
    """
    if sep != AUTO and len(sep) != 1:
        raise typer.BadParameter(f"{sep!r}: expected one character or {AUTO}", param_hint="--sep")
    ids_given = _mapped(mapping or ())
    page = report or Path(f"{file.stem}.try.html")
    with _refusing():
        _require_apart({"yujing try": file, "--report": page, **({"--rules": rules} if rules is not None else {})})
        zone = zone_of(timezone)
        table = _read(file, Layout(time, every, time_format, timezone, sep, encoding))
        if column or without:
            table = table.chosen(column or (), without or ())
        for name in ids_given:
            table.column(name)
        lesson = lesson_of(table, learn, learn_until, timezone)
        with progress_bar("评判 judge", len(table)) as advance:
            trial = run_trial(table, lesson, advance)
    ids = point_ids(table.columns, ids_given)
    toml = suggested(trial, ids)
    _write(page, html(trial, toml, zone))
    if rules is not None:
        _write(rules, toml)
    if as_json_:
        typer.echo(json.dumps(as_json(trial, ids, toml, zone), ensure_ascii=False, allow_nan=False))
    else:
        _print(trial, zone_name=timezone)
        typer.echo(f"报告 report: {page}" + (f"，规则 rules: {rules}" if rules is not None else ""))


def _read(file: Path, layout: Layout) -> Table:
    size = file.stat().st_size if file.is_file() else 0
    with progress_bar("读取 read", size) as advance:
        return read_csv(file, layout, advance)


def _print(trial: Trial, zone_name: str) -> None:
    out, zone = Console(highlight=False, soft_wrap=True), zone_of(zone_name)
    table = trial.table
    out.print(
        f"{table.name}: {len(table)} 行 rows × {len(table.columns)} 列 columns,"
        f" 学习期 lesson {trial.lesson} 行 rows, 之后 then {trial.days:.3g} 天 days",
        markup=False,
    )
    for fact in texts.facts(trial):
        out.print(f"  {fact.zh}\n    {fact.en}", markup=False)
    out.print(f"[bold]发现 findings: {len(trial.events)}[/]", end="  ")
    out.print(texts.counts_text(trial).both, markup=False)
    for event in trial.events[:_SHOWN]:
        kind, far = texts.kind_text(event.rule, event.kind), texts.far_text(event)
        contributions = texts.contributions_text(event)
        shares = "" if contributions is None else f" ({contributions.both})"
        out.print(f"{texts.local(event.begin, zone)}  [bold]{escape(event.column)}[/]  {kind.both}:", end=" ")
        out.print(f"{far.both}{shares}", markup=False)
    if len(trial.events) > _SHOWN:
        rest = len(trial.events) - _SHOWN
        out.print(f"  另有 {rest} 处,见报告或 --json {rest} more: see the report, or --json")
    for text in texts.NOT_KNOWN:
        out.print(f"! {text.zh}\n  {text.en}", markup=False)


def _require_apart(files: dict[str, Path]) -> None:
    """Refuse to write over the data, or one result over the other. Raises InvalidData."""
    taken: dict[Path, str] = {}
    for option, file in files.items():
        whose = next((other for path, other in taken.items() if _same(path, file)), None)
        if whose is not None:
            raise InvalidData(f"{option} {file}", f"与 {whose} 不同的文件", f"another file than that of {whose}")
        taken[file] = option


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve() or (a.exists() and b.exists() and a.samefile(b))


def _mapped(pairs: Sequence[str]) -> dict[str, str]:
    """Return the points given for columns."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, point = _pair(pair)
        if name in found or point in found.values():
            raise typer.BadParameter(f"{pair!r}: expected column=point, each once", param_hint="--map")
        found[name] = point
    return found


def _pair(pair: str) -> tuple[str, str]:
    name, _, point = pair.rpartition("=")
    if not name or not point:
        raise typer.BadParameter(f"{pair!r}: expected column=point", param_hint="--map")
    return name, point


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        say.print(f"✗ {file}: 无法写入 cannot be written: {error.strerror}", markup=False)
        raise typer.Exit(UNAVAILABLE) from None


@contextmanager
def _refusing() -> Iterator[None]:
    """End the command with what was expected where the data or a name cannot be used."""
    try:
        yield
    except InvalidData as error:
        _refuse(error.where, error.zh, error.en)
    except InvalidRule as error:
        _refuse("", error.zh, str(error))


def _refuse(where: str, zh: str, en: str) -> NoReturn:
    if where:
        say.print(f"[red]✗[/] {escape(where)}")
        say.print(f"    应为：{zh}\n    expected: {en}", markup=False)
        say.print("    全部选项 every option: yujing try --help", markup=False)
    else:
        say.print(f"[red]✗[/] {escape(zh)}")
        say.print(f"    {en}", markup=False)
    raise typer.Exit(INVALID)
