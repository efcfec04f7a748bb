"""The simulator's commands: fleet, replay, platform, receiver."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from detectors.workbench.layout import AUTO, TIMEZONE
from gateway_sim.accidents import ACCIDENTS, PLANTS, Accident
from gateway_sim.fleet import Fleet, Run
from gateway_sim.gateway import Link, ReferenceGateway
from gateway_sim.provinces import STAND_INS
from gateway_sim.recording import InvalidRecording, Layout, Recording, read_recording
from gateway_sim.replay import Replayed, replay
from gateway_sim.report import write_report
from gateway_sim.stand_in import Mode
from gateway_sim.webhook_receiver import WebhookReceiver
from ingest.base.usage_errors import BilingualGroup
from ingest.intake.wire.frame import Refusal

app = typer.Typer(
    cls=BilingualGroup,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulated plants, a reference gateway, stand-ins.",
)


FUTURE_MS = 60_000  # a recording may end so far ahead of this machine's clock

Protocol = Literal["5", "3.1.1"]
Host = Annotated[str, typer.Option(help="The broker.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The broker's port.")]
Username = Annotated[str | None, typer.Option(help="User name at the broker.")]
PasswordFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File with the password.")]
ProtocolOption = Annotated[Protocol, typer.Option(help="Version of MQTT.")]


@app.callback()
def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


@app.command("fleet")
def run_fleet(
    *,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    password_file: PasswordFile = None,
    protocol: ProtocolOption = "5",
    for_s: Annotated[
        float | None, typer.Option("--for", min=1, help="Seconds to sample; none = until stopped.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same plants and same faults.")] = 1,
    labels: Annotated[Path | None, typer.Option(help="JSON lines: each fault as it begins.")] = None,
    report: Annotated[Path | None, typer.Option(help="JSON: what was sent; rewritten every second.")] = None,
    rate_hz: Annotated[float, typer.Option(min=0.01, max=1000, help="Samples a second.")] = 1.0,
    drain: Annotated[float, typer.Option(min=0, help="Seconds to wait for commits at the end.")] = 20.0,
    faults: Annotated[bool, typer.Option(help="Faults by timetable, or healthy plants only.")] = True,
    accident: Annotated[str | None, typer.Option(help="Play this accident, by its plant alone.")] = None,
) -> None:
    """Run all gateways of the sample plants with a broker. Exit code 1 when frames stay uncommitted or were refused."""
    link = _link(host, port, username, password_file, protocol)
    run = Run(for_s, seed, rate_hz, faults, labels, report, drain, _known_accident(accident).id if accident else None)

    async def main() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await Fleet(link, run).run(stop)

    raise typer.Exit(1 if asyncio.run(main()) else 0)


@app.command("accident")
def show_accident(name: Annotated[str, typer.Argument(help="Its id, such as haian-2024.")]) -> None:
    """Print which accidents there are and, if this is one, where its plant file lies, as one JSON line."""
    file = {"file": str(PLANTS / f"{ACCIDENTS[name].plant}.toml")} if name in ACCIDENTS else {}
    typer.echo(json.dumps({"known": [*ACCIDENTS], **file}))


@app.command("replay")
def run_replay(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header line.")],
    *,
    plant: Annotated[str, typer.Option(help="The plant's id.")],
    gateway: Annotated[str, typer.Option(help="The gateway's id.")],
    mapping: Annotated[list[str], typer.Option("--map", help="column=point; may be given several times.")],
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    password_file: PasswordFile = None,
    protocol: ProtocolOption = "5",
    time_column: Annotated[str, typer.Option(help="The column with the time.")] = "datetime",
    sep: Annotated[str, typer.Option(help="Separator: one character, or auto.")] = AUTO,
    timezone: Annotated[str, typer.Option(help="Of times that name none.")] = TIMEZONE,
    speed: Annotated[
        float, typer.Option(min=0, help="Recorded seconds a second; 0 = as fast as commits allow.")
    ] = 60.0,
    drain: Annotated[float, typer.Option(min=0, help="Seconds to wait without any commit.")] = 60.0,
    shift_to_now: Annotated[bool, typer.Option(help="Move all times so that the last row is now.")] = False,
) -> None:
    """Publish a recorded file as a gateway would; print a JSON summary.

    Its times are kept and its frames marked historical: the live gateway goes on beside it, no live alarm is raised or
    cleared, excursions are recorded as historical alarms. With --shift-to-now it stands in for the gateway instead.

    Exit code 1 when frames stay uncommitted or the service refused any of it, 2 when the file cannot be replayed.
    """
    columns = dict(_column(pair) for pair in mapping)
    if len(set(columns.values())) < len(mapping):
        raise typer.BadParameter("a column or a point is named twice", param_hint="--map")
    if sep != AUTO and len(sep) != 1:
        raise typer.BadParameter(f"{sep!r}: expected one character or {AUTO}", param_hint="--sep")
    try:
        recording = read_recording(file, Layout(columns, time_column, sep, timezone))
    except InvalidRecording as invalid:
        typer.echo(str(invalid), err=True)
        raise typer.Exit(2) from None
    now_ms = time.time_ns() // 1_000_000
    if shift_to_now:
        recording = recording.shifted_to_end_at(now_ms)
    elif recording.time_ms[-1] > now_ms + FUTURE_MS:
        last = dt.datetime.fromtimestamp(recording.time_ms[-1] / 1000, dt.UTC).isoformat()
        typer.echo(f"{file}: ends at {last}, in the future: expected times up to now, or --shift-to-now", err=True)
        raise typer.Exit(2)
    link = _link(host, port, username, password_file, protocol)

    async def main() -> Replayed:
        sender = ReferenceGateway(plant, gateway, link, encoding="msgpack", historical=not shift_to_now)
        return await _replay(recording, sender, speed, drain)

    replayed = asyncio.run(main())
    typer.echo(msgspec.json.encode(replayed).decode())
    for refusal in replayed.refused:
        typer.echo(_refusal_text(refusal, f"{plant}/{gateway}"), err=True)
    if replayed.connections > 1:
        typer.echo(
            "the connection was lost in between: see `yujing quarantine list` for what was refused then", err=True
        )
    raise typer.Exit(1 if replayed.uncommitted or replayed.refused or replayed.rows < len(recording) else 0)


@app.command("platform")
def run_platform(
    *,
    directory: Annotated[
        Path, typer.Option("--dir", help="证书与分配内容的目录 Where certificates and what is issued go.")
    ],
    profile: Annotated[str, typer.Option(help=f"哪个平台 Which platform: {', '.join(STAND_INS)}.")] = next(
        iter(STAND_INS)
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free port.")] = 0,
    mode: Annotated[Mode, typer.Option(help="平时的表现 What it does while it is not down.")] = Mode.UP,
    slow_s: Annotated[float, typer.Option("--slow", min=0, help="slow 模式的秒数 Seconds that mode slow takes.")] = 3.0,
    unknown: Annotated[
        list[str] | None, typer.Option(help="partial 模式不认识的编码 Code of a point that mode partial does not know.")
    ] = None,
    down_after: Annotated[
        float | None, typer.Option(min=0, help="几秒后停机 Seconds until the platform goes down.")
    ] = None,
    down_for: Annotated[
        float | None, typer.Option(min=0, help="停机秒数，不写则不再恢复 Seconds it stays down; none = for good.")
    ] = None,
    down_mode: Annotated[Mode, typer.Option(help="停机时的表现 What it does while it is down.")] = Mode.CLOSE,
    report: Annotated[Path | None, typer.Option(help="JSON: what was received; rewritten every second.")] = None,
) -> None:
    """省级平台模拟器，以一行 JSON 给出地址与文件 Stand in for a provincial platform; print as JSON where all is."""
    if profile not in STAND_INS:
        known = ", ".join(STAND_INS)
        raise typer.BadParameter(f"{profile!r}：应为 expected one of {known}", param_hint="--profile")
    with _usable(port):
        platform = STAND_INS[profile](directory, port=port, slow_s=slow_s, unknown=unknown or ())
        if report is not None:
            write_report(report, platform.summary())
    platform.mode = mode
    where = {"url": platform.url, "ca": str(platform.ca)} | {name: str(file) for name, file in platform.files.items()}
    typer.echo(json.dumps(where))
    sys.stdout.flush()
    stopped = _stop_signal()
    platform.start()
    began = time.monotonic()
    while not stopped.wait(0.1 if report is None else 1.0):
        if down_after is not None:
            for_s = time.monotonic() - began - down_after
            platform.mode = down_mode if for_s >= 0 and (down_for is None or for_s < down_for) else mode
        if report is not None:
            write_report(report, platform.summary())
    platform.stop()
    if report is not None:
        write_report(report, platform.summary())


@app.command("receiver")
def run_receiver(
    *,
    secret_file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="File with the whsec_ secret.")],
    report: Annotated[Path, typer.Option(help="JSON: received, distinct, bad_signature; kept up to date.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any free port.")] = 0,
) -> None:
    """Take webhooks as an inspector would until stopped; print the URL as one JSON line."""
    try:
        with _usable(port):
            receiver = WebhookReceiver(secret_file.read_text(encoding="utf-8"), port=port, report=report)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--secret-file") from None
    typer.echo(json.dumps({"url": receiver.url}))
    sys.stdout.flush()
    stopped = _stop_signal()
    receiver.start()
    stopped.wait()
    receiver.stop()


@contextmanager
def _usable(port: int) -> Iterator[None]:
    """End the command with one line, not a traceback, where a file, a folder or the port cannot be used."""
    try:
        yield
    except OSError as error:
        typer.echo(f"✗ {error.filename or f'127.0.0.1:{port}'}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _known_accident(name: str) -> Accident:
    if name not in ACCIDENTS:
        raise typer.BadParameter(f"{name!r}: expected one of {', '.join(ACCIDENTS)}")
    return ACCIDENTS[name]


def _link(host: str, port: int, username: str | None, password_file: Path | None, protocol: Protocol) -> Link:
    password = password_file.read_text(encoding="utf-8").strip() if password_file else None
    return Link(host, port, username, password, protocol)


def _refusal_text(refusal: Refusal, gateway: str) -> str:
    readings = f", {refusal.readings} readings" if refusal.readings else ""
    what = f"{gateway}: not taken, in quarantine: {refusal.frames} frames{readings}: {refusal.reason}: {refusal.detail}"
    return f"{what}; mend --map or the plant file, then `yujing quarantine retry`"


def _column(pair: str) -> tuple[str, str]:
    column, _, point = pair.rpartition("=")
    if not column or not point:
        raise typer.BadParameter(f"{pair!r}: expected column=point", param_hint="--map")
    return column, point


async def _replay(recording: Recording, sender: ReferenceGateway, speed: float, drain_s: float) -> Replayed:
    console = Console(stderr=True)
    bar = Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        disable=not console.is_terminal, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(f"{sender.plant}/{sender.gateway}", total=len(recording))
        return await replay(
            recording, sender, speed=speed, drain_s=drain_s, progress=lambda rows: bar.update(task, completed=rows)
        )


def _stop_signal() -> threading.Event:
    """An event set by SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped
