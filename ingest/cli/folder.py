"""`yujing init DIR`: writes a folder with the files of a new installation and prints the next steps."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import typer

from ingest.cli.configured import INVALID, UNAVAILABLE, print_error, say
from ingest.cli.scaffold import BROKER, SETTINGS, TOKEN, UNIT, AlreadyThere, write_folder


def write(folder: Path) -> None:
    """Write the folder, or end the command naming the files that exist already."""
    try:
        files = write_folder(folder)
    except AlreadyThere as error:
        for there in error.files:
            say.print(f"✗ {there}: 已存在 is there already", markup=False)
        say.print(
            "    未写入任何文件。请另选目录或先移走 nothing was written: name another folder, or move these away",
            markup=False,
        )
        raise typer.Exit(INVALID) from None
    except OSError as error:
        print_error(error, f"{folder}: 无法写入 cannot be written: ")
        raise typer.Exit(UNAVAILABLE) from None
    typer.echo(f"已写入 written: {folder}")
    width = max(len(file.path) for file in files)
    for file in files:
        typer.echo(f"  {file.path:{width}}  {file.purpose.zh} {file.purpose.en}")
    typer.echo("下一步 next:")
    for command, zh, en in _next_steps(folder):
        typer.echo(f"  {command}\n      {zh} {en}")


def _next_steps(folder: Path) -> list[tuple[str, str, str]]:
    """Return the next commands in their order, each with its purpose in both languages."""

    def at(path: str) -> str:
        return shlex.quote(str(folder / path))

    steps = [
        (f"yujing check --config {at(SETTINGS)}", "检查配置和企业文件", "checks settings and plant files"),
        (
            f"mosquitto -c {at(BROKER)}",
            "启动 broker;1883 端口已有 broker 则不必",
            "starts a broker; not needed where one listens on port 1883",
        ),
        (
            f"yujing run --new --config {at(SETTINGS)}",
            "首次启动,以后不加 --new",
            "the first start; later without --new",
        ),
        (f"cat {at(TOKEN)}", "控制台登录口令:", "the token to sign in with at http://127.0.0.1:8080"),
    ]
    unit = f"cp {at(UNIT)} /etc/systemd/system/"
    if os.geteuid() == 0:
        owner = f"useradd --system --shell /usr/sbin/nologin yujing; chown -R yujing: {shlex.quote(str(folder))}; "
        return [*steps, (owner + unit, "由 systemd 运行,以用户 yujing 的身份", "for systemd, as the user yujing")]
    return [*steps, (unit, "由 systemd 运行(需要 root)", "for systemd (as root)")]
