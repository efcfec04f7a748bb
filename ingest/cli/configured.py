"""Shared by the commands: loading the settings, exit codes, messages, and times as people write them."""

from __future__ import annotations

import os
import pwd
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from ingest.base.telemetry import Event, emit
from ingest.cli.error_texts import error_in_chinese
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text
from ingest.runtime.installation import DataMissing
from ingest.runtime.settings import Settings, load_in_force
from ingest.storage.journal.errors import JournalBroken, JournalUnavailable
from ingest.storage.state.errors import StateBroken, StateUnavailable

ConfigFile = Annotated[Path, typer.Option("--config", help="配置文件 Settings file (TOML).")]

INVALID = 2
"""Exit code: settings, plant files or arguments are invalid."""

LOST = 3
"""Exit code: done, but some data is lost."""

UNAVAILABLE = 1
"""Exit code: a file, port or process that the service needs is unavailable."""

_LAST: Final = (1 << 63) - 1
"""The last time there is, in ns since the epoch: what a database holds as a number."""

say = Console(stderr=True, highlight=False, soft_wrap=True)
"""Messages for people, on standard error; output for machines goes to standard output."""


def enter(config: Path) -> Path:
    """Change to the folder of the settings file, from which its paths count; return the file."""
    file = config.resolve()
    if file.parent.is_dir():
        os.chdir(file.parent)
    return file


def _both(text: Text) -> str:
    return text.en if text.zh == text.en else f"{text.zh}{text.en}"


def print_faults(faults: Sequence[Fault], mark: str = "[red]✗[/]") -> None:
    """Print each fault: its file, its key with the value, and what is expected, in Chinese and English."""
    for fault in faults:
        say.print(f"{mark} ", end="")
        say.print(fault.file, markup=False)
        say.print(f"    {_both(fault.key_text)} = {_both(fault.value_text)}", markup=False)
        say.print(f"    应为：{fault.expected.zh}", markup=False)
        say.print(f"    expected: {fault.expected.en}", markup=False)


def print_error(error: Exception, what: str = "", mark: str = "[red]✗[/]") -> None:
    """Print why something cannot be used, in Chinese where that is known, and as the log has it; `what`: what it is."""
    say.print(f"{mark} ", end="")
    say.print(what, end="", markup=False)
    zh = error_in_chinese(error)
    if zh is not None:
        say.print(zh, markup=False)
        say.print("    ", end="")
    say.print(str(error), markup=False)


def refuse(error: InvalidConfig) -> NoReturn:
    """Print every fault and end the command."""
    print_faults(error.faults)
    say.print(f"{len(error.faults)} 处错误 faults")
    raise typer.Exit(INVALID)


def settings_to_try(config: Path, *table: str) -> Settings:
    """Return the settings in force for a trial of one table, whose faults end it: what is written is to be tried.

    Args:
        config: the settings file.
        table: the parts of its key; `*` is any.

    Raises:
        InvalidConfig: the table has faults, or the file cannot be read.
    """
    found = load_in_force(enter(config))
    own = [fault for fault in found.faults if fnmatch(f"{fault.key}.", f"{'.'.join(table)}.*")]
    if own:
        raise InvalidConfig(own)
    print_faults(found.faults, "[yellow]不用 not in force[/]")
    return found.settings


@contextmanager
def configured(config: Path, *, writing: bool = False) -> Iterator[Settings]:
    """Yield the settings in force; end the command with a message if they, the journal or the state are unusable.

    Faults that the service can start with are printed, and the command goes on.

    Args:
        config: the settings file.
        writing: whether the command writes to the data, which root may not for data of another user.
    """
    try:
        found = load_in_force(enter(config))
        print_faults(found.faults, "[yellow]不用 not in force[/]")
        if writing:
            require_owner(found.settings)
        yield found.settings
    except InvalidConfig as error:
        refuse(error)
    except (
        DataMissing,
        JournalUnavailable,
        JournalBroken,
        StateUnavailable,
        StateBroken,
        LookupError,
        OSError,
    ) as error:
        print_error(error)
        raise typer.Exit(UNAVAILABLE) from None


@dataclass(frozen=True, slots=True)
class RunAsRoot(Event, level="warning"):
    """The service runs as root on data of another user, who cannot open what it writes at a later start."""

    file: str
    owner: str


@dataclass(frozen=True, slots=True)
class Ended(Event, level="error"):
    """The service could not start or could not go on, and ends; its supervisor starts it again."""

    said: str
    error: str
    expected: str = ""


def end(why: Ended, error: Exception | None = None) -> NoReturn:
    """End with the reason: as text on a terminal, else as an event of the log; `error`: what it is made from."""
    zh = error_in_chinese(error) if error is not None else None
    if sys.stderr.isatty():
        say.print(f"[red]{why.said}[/]")
        for words in filter(None, (zh, why.error, why.expected)):
            say.print(words, markup=False)
    else:
        emit(why if zh is None else replace(why, error=f"{zh} {why.error}"))
    raise typer.Exit(UNAVAILABLE) from None


def end_refused(error: InvalidConfig) -> NoReturn:
    """End because of invalid settings or plant files, with every fault."""
    if sys.stderr.isatty():
        refuse(error)
    many = len(error.faults)
    emit(
        Ended(
            f"配置有 {many} 处错误,未启动 {many} faults in settings or plant files; not started",
            "\n".join(fault.line for fault in error.faults),
            "改正后启动;yujing check 列出全部错误。 Mend them, then start; yujing check names every fault.",
        )
    )
    raise typer.Exit(INVALID) from None


def other_owner(settings: Settings) -> tuple[Path, str] | None:
    """Return a path of the data and its owner if we are root and the data is another user's; else None."""
    if os.geteuid() == 0:
        for file in filter(None, [settings.journal.path, settings.state.folder and settings.state.path]):
            there = next(place for place in (file, *file.absolute().parents) if place.exists())
            owner = there.stat().st_uid
            if owner != 0:
                return there, _name(owner)
    return None


def require_owner(settings: Settings) -> None:
    """End the command if root would write to data of another user."""
    other = other_owner(settings)
    if other is not None:
        file, owner = other
        say.print(f"✗ {file} 属于 belongs to {owner}", markup=False)
        say.print(
            "    root 会留下该用户无法打开的文件,请运行 root would leave files that they cannot open; run", markup=False
        )
        say.print(f"    {shlex.join(['runuser', '-u', owner, '--', *sys.argv])}", markup=False)
        raise typer.Exit(INVALID)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"


def table_of(*heads: str) -> Table:
    """A table as wide as the terminal, whose cells are broken into lines where they do not fit and never cut."""
    return Table(*(Column(head, overflow="fold") for head in heads), expand=True)


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error; yield the function that advances it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=say, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


def parse_time(text: str, option: str) -> int:
    """Parse an option to ns since the epoch; without a zone it is plant time, whatever the machine's zone."""
    try:
        return _nanoseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r}: 应为 1678 至 2261 年的时间,如 2026-11-24T08:30(厂区时间)或带时区"
            " expected a time such as 2026-11-24T08:30, which is plant time (+08:00), or with its own zone,"
            " 2026-11-24T00:30Z, of the years 1678 to 2261",
            param_hint=option,
        ) from error


def _nanoseconds(time: datetime) -> int:
    """Since the epoch. Raises OverflowError for a year that no database holds so."""
    found = int((time if time.tzinfo else time.replace(tzinfo=PLANT_TIME)).timestamp() * 1e6) * 1000
    if abs(found) > _LAST:
        raise OverflowError(str(time))
    return found


def time_range(
    since: str | None, until: str | None, ever: int = _LAST, *, names: tuple[str, str] = ("--from", "--to")
) -> range:
    """Parse the times of two options, ns since the epoch; end the command if the first is not before the second.

    Args:
        since: text of the first option, if given.
        until: text of the second.
        ever: the end if none is given.
        names: of the options.
    """
    start, end = parse_time(since, names[0]) if since else 0, parse_time(until, names[1]) if until else ever
    if start >= end:
        given = f"{names[0]} {since or format_time(start)}, {names[1]} {until or format_time(end)}"
        say.print(f"✗ {given}: 起始应早于结束 expected {names[0]} before {names[1]}", markup=False)
        raise typer.Exit(INVALID)
    return range(start, end)


def format_time(time_ns: int | None) -> str:
    """Format a time in plant time with its zone, to the second; None is a dash."""
    if time_ns is None:
        return "—"
    return datetime.fromtimestamp(time_ns // 10**9, PLANT_TIME).isoformat(" ", "seconds")
