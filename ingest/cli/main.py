"""The `yujing` command: check, init, run, demo, and the groups of the other modules."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ingest.base import build, telemetry
from ingest.base.extras import ExtraMissing, require
from ingest.base.loading import loading
from ingest.base.usage_errors import BilingualGroup
from ingest.cli import audit, backup, explain, history, influx, notify, outbox, quarantine, state, verify
from ingest.cli import folder as folder_commands
from ingest.cli import journal as journal_commands
from ingest.cli import platform as platform_commands
from ingest.cli.configured import (
    INVALID,
    UNAVAILABLE,
    ConfigFile,
    Ended,
    RunAsRoot,
    configured,
    end,
    end_refused,
    enter,
    other_owner,
    print_faults,
    refuse,
    say,
)
from ingest.cli.trying.command import try_
from ingest.demo.children import BrokerKind, ChildFailed, simulator
from ingest.domain.model.fault import InvalidConfig
from ingest.runtime.file_permissions import close_data, write_privately
from ingest.runtime.installation import DataMissing, require_data, require_installation
from ingest.runtime.reload import Reloader
from ingest.runtime.resources import NotEnoughMemory, require_memory
from ingest.runtime.settings import InForce, load_in_force
from ingest.runtime.settings.certificates import certificates_of
from ingest.runtime.settings.check import check_all
from ingest.runtime.settings.doubts import doubts
from ingest.runtime.settings.text import CREDENTIALS
from ingest.services.errors import CannotListen
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.journal.errors import JournalBroken, JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateAway, StateBroken, StateUnavailable
from ingest.storage.state.installation import InstallationStore
from ingest.web.texts.needs import needs_text

app = typer.Typer(
    name="yujing",
    cls=BilingualGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="工贸行业安全生产风险监测预警服务 Risk monitoring and early warning for plants.",
)
simulate = typer.Typer(no_args_is_help=True, help="对接方模拟器 Stand-ins for the other side.")
app.add_typer(simulate, name="simulate")
app.add_typer(explain.app, name="explain")
app.add_typer(journal_commands.app, name="journal")
app.add_typer(audit.app, name="audit")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(outbox.app, name="outbox")
app.add_typer(history.app, name="history")
app.add_typer(influx.app, name="influx")
app.add_typer(state.app, name="state")
app.add_typer(platform_commands.app, name="platform")
app.add_typer(notify.app, name="notify")
app.command()(verify.verify)
app.command("try")(try_)
app.command()(backup.backup)
app.command()(backup.restore)

_FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main() -> None:
    """Run the command line."""
    write_privately()
    try:
        app()
    except ExtraMissing as error:
        say.print(f"✗ {error}", markup=False)
        sys.exit(UNAVAILABLE)


def _version(asked: bool) -> None:  # noqa: FBT001  as typer calls it
    if asked:
        version()
        raise typer.Exit


@app.callback()
def _options(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 Say which version this is.")
    ] = False,
    secrets: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="服务未运行时 systemd 凭据所在目录 Where the unit's credentials lie while it does not run.",
        ),
    ] = None,
) -> None:
    """Options of every command; the program's help text is given where `app` is made."""
    if secrets is not None:
        os.environ[CREDENTIALS] = str(secrets)


@app.command()
def version() -> None:
    """版本 Say which version this is."""
    typer.echo(f"yujing {build.version()}")


@app.command()
def check(
    config: ConfigFile = Path("yujing.toml"),
    *,
    strict: Annotated[bool, typer.Option("--strict", help="存疑也算错误 Doubts are faults, too.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="不联网 Do not ask the history's server.")] = False,
) -> None:
    """检查配置和企业文件 Check settings and plant files, and ask the history; exit code 2 if anything is wrong."""
    file = enter(config)
    try:
        settings, configuration = check_all(file)
    except InvalidConfig as error:
        refuse(error)
    plants, duty = configuration.enterprises(), settings.warnings
    doubtful = doubts(file, settings, configuration)
    print_faults(doubtful, "[yellow]存疑 doubtful[/]")
    for plant in plants:
        if not duty.duty_of(plant.id, plant.region).holders:
            say.print(
                f"[yellow]无人值守 nobody assigned[/] {plant.id}: 预警发给所有人 its warnings go to everyone"
                " (warnings.duty)"
            )
    for certificate in certificates_of(settings):
        say.print(
            f"证书 certificate {certificate.key}: 到期 until {certificate.until},"
            f" 还有 {certificate.days_left(time.time_ns())} 天 days left"
            f" ({certificate.where}, {certificate.subject})",
            markup=False,
        )
    for name, budget in configuration.budgets.items():
        say.print(f"{name}: {budget.text().both}", markup=False)
    points = [point for plant in plants for point in plant.points]
    waiting = [(point, rule) for point in points for rule in point.not_evaluated]
    for point, rule in waiting:
        say.print(f"[yellow]未评估 not evaluated[/] {point.plant}/{point.id}: {rule.code}: {needs_text(rule.needs)}")
    if not offline:
        influx.print_history_faults(settings)
    refused = strict and bool(doubtful)
    verdict = "存疑,--strict 不通过 doubtful, refused by --strict" if refused else "配置有效 valid"
    typer.echo(
        f"{verdict}: {len(plants)} 家企业 plants, {len(points)} 个测点 points,"
        f" {sum(len(point.rules) for point in points)} 条规则"
        f" rules, {len(waiting)} 条未评估 not evaluated, {len(doubtful)} 处存疑 doubtful"
    )
    if refused:
        raise typer.Exit(INVALID)


@app.command()
def init(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="起步文件目录 Write settings, a sample plant, secrets, broker profile and unit there.",
        ),
    ] = None,
    config: ConfigFile = Path("yujing.toml"),
) -> None:
    """写入起步文件,或首次启动前建立数据 Write the files to begin with (DIR), or make a new installation's data.

    没有 DIR 时建立数据,以后数据为空会被当作丢失 Without DIR: data is made; an empty folder is taken for a loss later.
    """
    if folder is not None:
        if config != Path("yujing.toml"):
            raise typer.BadParameter(
                "DIR 与 --config 不能同时给出 either DIR (writes files) or --config (makes data)", param_hint="DIR"
            )
        folder_commands.write(folder)
        return
    with configured(config, writing=True) as settings:
        require_data(settings.journal.path, settings.state, new=True, names=settings.databases)
        settings.journal.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            closing(Journal(settings.journal.path)) as journal,
            closing(Database(settings.state)) as database,
        ):
            begun = require_installation(journal, InstallationStore(database), new=True, names=settings.databases)
    typer.echo(f"安装标识 installation {begun}: {', '.join(settings.databases)}")


@app.command()
def run(
    config: ConfigFile = Path("yujing.toml"),
    *,
    new: Annotated[
        bool, typer.Option("--new", help="仅首次启动,之后去掉 Only the first start: no data is right.")
    ] = False,
) -> None:
    """运行服务 Run the service until SIGTERM or Ctrl-C."""
    telemetry.configure_logging()
    try:
        file = enter(config)
        in_force = load_in_force(file)
        settings = in_force.settings
        telemetry.configure_logging(level=settings.log.level, json=settings.log.json_lines)
        other = other_owner(settings)
        if other is not None:  # reported, and never a reason not to start
            telemetry.emit(RunAsRoot(str(other[0]), other[1]))
        close_data(settings)
        require_memory()  # before anything is opened: a failed allocation names nobody
        asyncio.run(_serve(in_force, file, new=new))
    except InvalidConfig as error:
        end_refused(error)
    except (
        JournalUnavailable,
        StateUnavailable,
        HistoryUnavailable,
        CannotListen,
        LookupError,
        NotEnoughMemory,
    ) as error:
        end(Ended("无法启动 cannot start", str(error)), error)
    except DataMissing as error:
        end(Ended("数据缺失,未启动 data is missing; not started", str(error)))
    except MemoryError:
        end(
            Ended(
                "内存不足,服务已停止 out of memory; the service has stopped",
                "",
                "重启即从磁盘恢复。提高内存上限 (MemoryMax=, ulimit -v),或减少测点。"
                " A restart recovers from disk. Raise the limit of memory (MemoryMax=, ulimit -v) or watch"
                " fewer points.",
            )
        )
    except StateBroken as error:
        end(
            Ended(
                "状态库不可再写,服务已停止 the state database can be written no more; the service stopped",
                str(error),
                "重启即从磁盘恢复;若再次发生,先查磁盘,再运行 yujing state repair,不成则从备份恢复。"
                " A restart recovers from disk. If it happens again, look at the disk, then run yujing state repair,"
                " or restore a backup.",
            ),
            error,
        )
    except JournalBroken as error:
        end(
            Ended(
                "日志库不可再写,服务已停止 the journal can be written no more; the service has stopped",
                str(error),
                "重启即从磁盘恢复;若再次发生,先查磁盘,再运行 yujing journal verify。"
                " A restart recovers from disk. If it happens again, look at the disk, then run yujing journal verify.",
            ),
            error,
        )
    except Exception:  # noqa: BLE001  a fault of ours: its traceback is one line of the log, too
        end(
            Ended(
                "程序错误,服务已停止 a fault of the program; the service has stopped",
                traceback.format_exc(),
                "重启即从磁盘恢复;请报告此错误。 A restart recovers from disk. Please report it.",
            )
        )


@app.command()
def demo(
    *,
    for_: Annotated[
        str | None, typer.Option("--for", help="时长 How long: 60s, 5m, 1h. Default: until Ctrl-C.")
    ] = None,
    headless: Annotated[bool, typer.Option(help="只显示进度 Progress bar only.")] = False,
    summary: Annotated[Path | None, typer.Option(help="把汇总写成 JSON Write a JSON summary there.")] = None,
    broker: Annotated[BrokerKind | None, typer.Option(help="默认:已装 mosquitto 则用之 Which broker.")] = None,
    seed: Annotated[int, typer.Option(help="随机种子 Same seed, same faults.")] = 1,
    port: Annotated[int, typer.Option(min=1, max=65535, help="控制台端口 Port of the console.")] = 8080,
    folder: Annotated[Path | None, typer.Option("--dir", help="保留数据的目录 Keep everything there.")] = None,
    accident: Annotated[
        str | None, typer.Option(help="重演一起事故,如 haian-2024 Play this accident instead (docs/accidents.md).")
    ] = None,
) -> None:
    """演示:三家模拟企业、按时间表注入故障 Demonstration: three simulated plants with faults on a timetable."""
    require("demo", "yujing demo")
    with loading():
        from ingest.demo.run import DemoOptions  # noqa: PLC0415  as much as the service, whatever the command
        from ingest.demo.run import run as run_demo  # noqa: PLC0415
    options = DemoOptions(_seconds(for_) if for_ else None, headless, summary, broker, seed, port, folder, accident)
    try:
        code = asyncio.run(run_demo(options))
    except ChildFailed as error:
        say.print(f"[red]无法演示 cannot demonstrate[/]: {error}")
        raise typer.Exit(UNAVAILABLE) from None
    raise typer.Exit(code)


@app.command(context_settings=_FORWARD)
def replay(context: typer.Context) -> None:
    """经 MQTT 回放 CSV 记录 Publish a recorded CSV through MQTT as a gateway (see `yujing replay --help`)."""
    raise typer.Exit(_simulate("replay", *context.args))


@simulate.command(context_settings=_FORWARD)
def platform(context: typer.Context) -> None:
    """省级平台模拟器 A strict stand-in for the provincial platform (see `yujing simulate platform --help`)."""
    raise typer.Exit(_simulate("platform", *context.args))


def _simulate(*arguments: str) -> int:
    """Run a part of the simulator until it ends, or this command is to end; returns its exit code."""
    with subprocess.Popen(simulator(*arguments)) as process:  # noqa: S603  our own program
        former = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            return process.wait()
        except BaseException:  # Ctrl-C, which reached it as well
            process.kill()
            raise
        finally:
            signal.signal(signal.SIGTERM, former)


async def _serve(in_force: InForce, file: Path, *, new: bool) -> None:
    with loading():  # a third of all code, of which other commands need nothing
        from ingest.runtime.receiving import receive_until_state_answers  # noqa: PLC0415
        from ingest.runtime.service import Service  # noqa: PLC0415
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, Reloader(file, in_force.settings).request)
    while not stop.is_set():
        try:
            service = Service(in_force, new=new)
        except StateAway as error:
            if new:
                raise
            await receive_until_state_answers(in_force.settings, error, stop)
        else:
            await service.run(stop)
            return


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text.strip())
    if not match or float(match[1]) <= 0:
        raise typer.BadParameter(f"{text!r}: expected a time such as 60s, 5m or 1h", param_hint="--for")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]


if __name__ == "__main__":
    main()
