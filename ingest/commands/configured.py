"""What every command that takes `--config` does with it, and how commands end when they cannot go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.installation import DataMissing
from ingest.journal.errors import JournalBroken, JournalUnavailable
from ingest.model.fault import Fault, InvalidConfig
from ingest.settings import Settings, load_in_force
from ingest.state.errors import StateBroken, StateUnavailable

ConfigFile = Annotated[Path, typer.Option("--config", help="配置文件 Settings file (TOML).")]

INVALID = 2
"""Exit code: what a person wrote cannot be used."""

UNAVAILABLE = 1
"""Exit code: a file, port or process the service stands on cannot be had."""

say = Console(stderr=True, highlight=False, soft_wrap=True)
"""For people; what machines read goes to standard output."""


def enter(config: Path) -> Path:
    """Go to the folder of the settings file, so that paths in it count from there; returns the file."""
    file = config.resolve()
    if file.parent.is_dir():
        os.chdir(file.parent)
    return file


def tell(faults: Sequence[Fault], mark: str = "[red]✗[/]") -> None:
    """Each fault by its file, its key with what stands there, and what is expected."""
    for fault in faults:
        say.print(f"{mark} ", end="")
        say.print(fault.file, markup=False)
        say.print(f"    {fault.key} = {fault.value}", markup=False)
        say.print(f"    应为 expected: {fault.expected}", markup=False)


def refuse(error: InvalidConfig) -> NoReturn:
    """Tell every fault and end."""
    tell(error.faults)
    say.print(f"{len(error.faults)} 处错误 faults")
    raise typer.Exit(INVALID)


@contextmanager
def configured(config: Path) -> Iterator[Settings]:
    """The settings the service goes by; ends the command with a word if they, the journal or the state cannot be used.

    What the service can do without, the commands can, too: it is told, and they go on.
    """
    try:
        found = load_in_force(enter(config))
        tell(found.faults, "[yellow]不用 not in force[/]")
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
        say.print("[red]✗[/] ", end="")
        say.print(str(error), markup=False)
        raise typer.Exit(UNAVAILABLE) from None


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; yields what is called with how much was done just now."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=say, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


def moment(text: str, option: str) -> int:
    """A time a person wrote, as ns since the epoch; without a zone it is local."""
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1e6) * 1000
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r}: expected a time such as 2026-11-24T08:30 or 2026-11-24T08:30+08:00",
            param_hint=option,
        ) from error


def written(time_ns: int | None) -> str:
    """A time for people: local, to the second."""
    if time_ns is None:
        return "—"
    return datetime.fromtimestamp(time_ns / 1e9).astimezone().isoformat(" ", "seconds")
