"""`yujing state`: copies the state database to another system, and repairs a damaged file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.base.config import Secret, SecretUnreadable
from ingest.cli.configured import INVALID, LOST, ConfigFile, configured, enter, progress_bar, refuse, say
from ingest.domain.model.expectations import readable_secret
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.runtime.settings import load_settings
from ingest.storage.state.config import StateConfig
from ingest.storage.state.copying import NotCopied, copy, total
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateNewer, StateUnavailable
from ingest.storage.state.integrity import check_state, rows_of
from ingest.storage.state.read_only import reading
from ingest.storage.state.salvage import WITHOUT_END, Salvaged, salvage
from ingest.storage.state.sqlite import Sqlite

app = typer.Typer(no_args_is_help=True, help="状态库维护 Look after the state database.")

_DEFAULT: Final = Path("yujing.toml")

_CONSEQUENCES: Final = {
    "alarm": "仍成立的报警由下一个读数重新报出 Alarms that still hold are raised anew by the next reading"
    " that calls for them.",
    "audit": "审计链在此断开 The audit trail is broken there: yujing audit verify names where.",
    "engine_state": "引擎由日志库重新学习 The engine learns anew from the whole journal.",
    "outbox": "其中未送达的消息不会再发,请与接收方核对 What was not yet delivered is not sent: ask the receivers.",
    "suppression": "屏蔽可能已失效,请逐一核对 Suppressions may be gone: look through them.",
}
"""Consequences of lost rows, by table."""


@app.command("copy")
def copy_(
    to: Annotated[Path, typer.Option(help="新配置文件,其 [state] 为目标 Settings file whose [state] is the target.")],
    config: ConfigFile = _DEFAULT,
) -> None:
    """复制到空库,先停服务 Copy everything into an empty database (SQLite or PostgreSQL); stop the service first."""
    there, new = to.resolve(), to.resolve().parent
    try:
        wanted = resolve_paths(load_settings(there).state, new)
        _require_password(wanted, there)
    except InvalidConfig as error:
        refuse(error)
    with configured(config, writing=True) as settings:
        here = resolve_paths(settings.state, enter(config.resolve()).parent)
        if (here.path, here.server) == (wanted.path, wanted.server):
            say.print("✗ 两个配置指的是同一状态库 both settings name the same state database", markup=False)
            raise typer.Exit(INVALID)
        if here.server is None and not here.path.exists():
            raise FileNotFoundError(f"{here.path}: 没有状态库 there is no state database")
        counts = _copy(here, wanted)
    typer.echo(f"已复制并核对 copied and counted: {sum(counts.values())} 行 rows")
    for name, rows in counts.items():
        if rows:
            typer.echo(f"  {name}: {rows}")
    typer.echo(
        "把新的 [state] 写入配置后启动服务;日志库不动,二者仍属同一时刻。"
        " Put the new [state] into the settings and start the service. The journal stays; the two still match."
    )


@app.command()
def repair(config: ConfigFile = _DEFAULT) -> None:
    """修复损坏的 SQLite 状态库,先停服务 Rebuild a damaged SQLite file, with the service stopped; 3: rows lost."""
    with configured(config, writing=True) as settings:
        path = settings.state.path
        if settings.state.server is not None:
            say.print(
                "✗ 状态库在 PostgreSQL 上,请用其备份恢复 the state database is on PostgreSQL: restore its own backup",
                markup=False,
            )
            raise typer.Exit(INVALID)
        if not path.exists():
            raise FileNotFoundError(f"{path}: 没有状态库 there is no state database")
        held = Sqlite(path)  # no service may write meanwhile
        try:
            if _is_sound(settings.state):
                typer.echo(f"每行均可读出,未作改动 every row can be read; nothing was changed: {path}")
                return
            new, damaged = (
                path.with_name(f"{path.name}.repaired"),
                path.with_name(f"{path.name}.damaged-{time.time_ns()}"),
            )
            with progress_bar("修复 repair", 0) as advance:
                found = salvage(path, new, advance)
            for end in ("", "-wal", "-shm"):
                part = path.with_name(path.name + end)
                if part.exists():
                    part.replace(damaged.with_name(damaged.name + end))
            new.replace(path)
        finally:
            held.close()
    typer.echo(f"已修复 repaired: {path}; 原文件 the damaged file: {damaged}")
    for table, done in found.items():
        if done.rows:
            typer.echo(f"  {table}: {done.rows}")
    _print_lost(found)
    typer.echo("再运行 yujing verify 和 yujing audit verify,然后启动服务。 Run both of these, then start the service.")
    if any(done.lost for done in found.values()):
        raise typer.Exit(LOST)


def _require_password(wanted: StateConfig, file: Path) -> None:
    """Check that the password can be read. Raises InvalidConfig, which names the settings file and the key."""
    if wanted.password is not None:
        try:
            wanted.password.read()
        except SecretUnreadable as error:
            wanted_secret = readable_secret(error)
            expected = Text(
                f"{wanted_secret.zh}；请放入服务单元的 /etc/yujing/secrets，或用 --secrets 指明其目录",
                f"{wanted_secret.en}; put it among the unit's, /etc/yujing/secrets, or name their folder by --secrets",
            )
            raise InvalidConfig([Fault(str(file), "state.password", "(hidden)", expected)]) from None


def _is_sound(config: StateConfig) -> bool:
    """Whether the file and every record in it can be read as written; reads only.

    Raises:
        StateNewer: it has what this version does not know, which a repair would leave behind.
    """
    try:
        with reading(config) as connection, progress_bar("校验 check", rows_of(connection)) as advance:
            return not any(check_state(connection, advance))
    except StateNewer:
        raise
    except StateUnavailable:
        return False


def _print_lost(found: Mapping[str, Salvaged]) -> None:
    for table, done in found.items():
        for first, last in done.lost:
            rows = f"{first}" if first == last else f"{first}–{last}"
            say.print(
                f"✗ {table}: 行 rows {f'{first} 及以后 and after' if last >= WITHOUT_END else rows}"
                " 无法读出,已丢失 could not be read and are lost",
                markup=False,
            )
        if done.lost and table in _CONSEQUENCES:
            say.print(f"    {_CONSEQUENCES[table]}", markup=False)


def resolve_paths(state: StateConfig, folder: Path) -> StateConfig:
    """Return the settings with every path resolved against a folder."""
    password, ca = state.password, state.ca_file
    if password is not None and password.file is not None:
        password = Secret(file=folder / password.file)
    where = {"path": folder / state.path, "password": password, "ca_file": ca and folder / ca}
    return state.model_copy(update=where)


def _copy(here: StateConfig, wanted: StateConfig) -> dict[str, int]:
    source = Database(here)
    try:
        target = Database(wanted)
        try:
            with progress_bar("复制 copy", total(source)) as advance:
                return dict(copy(source, target, advance))
        except NotCopied as error:
            say.print(f"✗ {error}", markup=False)
            raise typer.Exit(INVALID) from None
        finally:
            target.close()
    finally:
        source.close()
