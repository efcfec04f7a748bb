"""Runs the demonstration: broker, receivers and simulated plants as child processes, the service in this one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ingest import telemetry
from ingest.api.config import ApiConfig, TokenConfig
from ingest.app import Service
from ingest.connectors.config import ConnectorsConfig
from ingest.connectors.platform.config import PlatformConfig
from ingest.connectors.webhook.config import WebhookConfig
from ingest.demo.children import BrokerKind, broker, child, find_mosquitto, first_line, free_port, simulator, stop
from ingest.demo.summary import read_labels, summarise
from ingest.history.duck import DuckDBConfig
from ingest.journal.config import JournalConfig
from ingest.model.alarm import AlarmEvent, AlarmEventKind
from ingest.model.config import Secret
from ingest.settings import Settings
from ingest.sources.mqtt import MqttConfig
from ingest.state.config import StateConfig

WEBHOOK: Final = "inspector"
_SETTLE_S: Final = 15.0
_DRAIN_S: Final = 15


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line.

    Attributes:
        for_s: how long the plants run; None = until Ctrl-C.
        headless: no console URL, no alarms in the terminal: a progress bar only.
        summary: where to write the JSON summary.
        broker: None = Mosquitto where it is installed, else the embedded one.
        folder: where everything is kept; None = a temporary folder, deleted at the end.
    """

    for_s: float | None
    headless: bool
    summary: Path | None
    broker: BrokerKind | None
    seed: int
    port: int
    folder: Path | None


async def run(wish: Wish) -> int:
    """Run the demonstration; returns the exit code: 0, or 1 if readings or faults were missed.

    Raises:
        ChildFailed: something the demonstration stands on did not start.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last one: its terminal was closed
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with contextlib.ExitStack() as stack:
        folder = wish.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yujing-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        return await _Demo(wish, folder, stopping).run()


class _Demo:
    def __init__(self, wish: Wish, folder: Path, stopping: asyncio.Event) -> None:
        self._wish = wish
        self._folder = folder
        self._stopping = stopping
        self._console = Console(stderr=True)
        self._labels = folder / "faults.jsonl"
        self._report = folder / "sent.json"

    async def run(self) -> int:
        kind = self._wish.broker or ("mosquitto" if find_mosquitto() else "embedded")
        with (self._folder / "service.log").open("w", encoding="utf-8") as log:
            telemetry.configure_logging(json=True, file=log)
            return await self._perform(kind)

    async def _perform(self, kind: BrokerKind) -> int:
        async with self._surroundings(kind) as settings:
            service = Service(settings)
            stop_service = asyncio.Event()
            serving = asyncio.create_task(service.run(stop_service), name="service")
            try:
                self._greet(service, kind)
                code = await self._play(service, serving, settings.mqtt)
            finally:
                stop_service.set()
                await serving
        return code

    @contextlib.asynccontextmanager
    async def _surroundings(self, kind: BrokerKind) -> AsyncIterator[Settings]:
        """Everything around the service, and the settings that point at it."""
        folder = self._folder
        secret = self._secret("webhook", "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
        receiver = simulator(
            "receiver", "--secret-file", str(folder / "webhook"), "--report", str(folder / "inspector.json")
        )
        platform = simulator("platform", "--dir", str(folder / "platform"))
        async with (
            broker(kind, folder) as port,
            child("inspector", receiver, folder) as inspector,
            child("platform", platform, folder) as province,
        ):
            token = TokenConfig(name="demo", role="admin", token=self._secret("token", secrets.token_hex(12)))
            inspector_at = await first_line("inspector", inspector, folder)
            province_at = await first_line("platform", province, folder)
            yield Settings(
                plants=self._plants(),
                mqtt=MqttConfig(port=port, protocol="3.1.1" if kind == "embedded" else "5"),
                journal=JournalConfig(path=folder / "journal.db"),
                state=StateConfig(path=folder / "state.db"),
                history=DuckDBConfig(path=folder / "history.duckdb"),
                connectors=ConnectorsConfig(
                    webhooks=(WebhookConfig(name=WEBHOOK, url=inspector_at["url"], secret=secret),),
                    platform=_platform(province_at),
                ),
                api=ApiConfig(port=self._port(), tokens=(token,)),
            )

    async def _play(self, service: Service, serving: asyncio.Task[None], mqtt: MqttConfig) -> int:
        wish = self._wish
        fleet = simulator(
            "fleet", "--port", str(mqtt.port), "--protocol", mqtt.protocol, "--seed", str(wish.seed),
            "--labels", str(self._labels), "--report", str(self._report), "--drain", str(_DRAIN_S),
            *(["--for", str(wish.for_s)] if wish.for_s else []),
        )  # fmt: skip
        async with child("plants", fleet, self._folder) as plants:
            telling = asyncio.create_task(self._tell(service), name="terminal")
            ends = [asyncio.create_task(plants.wait()), asyncio.create_task(self._stopping.wait()), serving]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if serving.done() or wish.for_s is None or self._stopping.is_set():
                    return 0
                await self._settle(service)
            finally:
                await stop(plants)
                telling.cancel()
                for task in ends[:2]:
                    task.cancel()
        return await self._conclude(service)

    async def _settle(self, service: Service) -> None:
        """Wait until what was journaled is judged, stored and told, as long as it moves on."""
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            outbox = (await asyncio.to_thread(service.outbox.totals)).get(WEBHOOK)
            judged = service.engine.cursor >= service.journal.last()
            if judged and service.history_lag() == 0 and (outbox is None or outbox.delivered == outbox.messages):
                return
            await asyncio.sleep(0.1)

    async def _conclude(self, service: Service) -> int:
        sent = json.loads(self._report.read_text(encoding="utf-8"))["readings_sent"]
        summary = await asyncio.to_thread(summarise, service, WEBHOOK, read_labels(self._labels), sent)
        if self._wish.summary:
            text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
            await asyncio.to_thread(self._wish.summary.write_text, text, encoding="utf-8")
        self._show(summary)
        return 0 if "why" not in summary and all(fault["detected"] for fault in summary["faults"]) else 1

    async def _tell(self, service: Service) -> None:
        """Show progress, and every alarm as it comes."""
        wish = self._wish
        began = time.monotonic()
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn(),
            console=self._console, transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task("运行中 running", total=wish.for_s, said="")
            seq = 0
            while True:
                events = await asyncio.to_thread(service.alarms.events_after, seq, limit=1000)
                for event in events:
                    seq = event.seq
                    if not wish.headless:
                        bar.console.print(_line(event))
                said = f"{service.journal.totals().readings} 条读数 readings, {seq} 次报警变化 alarm events"
                bar.update(task, completed=time.monotonic() - began, said=said)
                await service.live.wait_event(seq, 0.5)

    def _greet(self, service: Service, kind: BrokerKind) -> None:
        if self._wish.headless:
            return
        token = (self._folder / "token").read_text(encoding="utf-8")
        say = self._console.print
        say(f"\n[bold]yujing 预警[/] · 演示 demonstration · {kind}")
        say(f"  控制台 console   [bold]{service.url}[/]")
        say(f"  登录口令 token   [bold]{token}[/]")
        say("  Ctrl-C 结束 ends it\n")

    def _show(self, summary: dict[str, Any]) -> None:
        readings, webhooks = summary["readings"], summary["webhooks"]
        say = self._console.print
        say(
            f"读数 readings: 发送 sent {readings['sent']} · 落盘 journaled {readings['journaled']}"
            f" · 入库 stored {readings['stored']} · 隔离 quarantined {readings['quarantined']}"
        )
        say(
            f"报警 alarms: {summary['alarms']['raised']} · 推送 webhooks: {webhooks['delivered']}/{webhooks['sent']}"
            f" · p50 {summary['latency_ms']['p50']} ms, p99 {summary['latency_ms']['p99']} ms"
        )
        for fault in summary["faults"]:
            mark = "[green]✓[/]" if fault["detected"] else "[red]✗[/]"
            say(f"  {mark} {fault['plant']} {fault['fault']} {fault['delay_s'] if fault['detected'] else '—'} s")
        if "why" in summary:
            say(f"[red]{escape(summary['why'])}[/]")

    def _plants(self) -> Path:
        """The simulator's plants, where they can be edited while the demonstration runs."""
        folder = self._folder / "plants"
        with as_file(files("gateway_sim") / "plants") as source:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        return folder

    def _port(self) -> int:
        """The wished port if it is free, else another one."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self._wish.port))
            except OSError:
                return free_port()
        return self._wish.port

    def _secret(self, name: str, value: str) -> Secret:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(value, encoding="utf-8")
        return Secret(file=path)


def _platform(where: dict[str, Any]) -> PlatformConfig:
    return PlatformConfig(
        url=where["url"],
        appid=Path(where["appid"]).read_text(encoding="utf-8").strip(),
        appsecret=Secret(file=Path(where["appsecret"])),
        key=Secret(file=Path(where["key"])),
        iv=Secret(file=Path(where["iv"])),
        ca_file=Path(where["ca"]),
        interval_s=10,
    )


def _line(event: AlarmEvent) -> str:
    alarm = event.alarm
    colour = {1: "yellow", 2: "red"}[alarm.level]
    at = time.strftime("%H:%M:%S", time.localtime(event.time / 1e9))
    said = {
        AlarmEventKind.RAISED: f"[bold {colour}]● {alarm.level}级报警 L{alarm.level}[/]",
        AlarmEventKind.RETURNED: "[green]○ 恢复 returned[/]",
        AlarmEventKind.ACKNOWLEDGED: "[cyan]✓ 已确认 acknowledged[/]",
    }[event.kind]
    value = "" if alarm.value is None else f"  {alarm.value:.4g} ({alarm.limit:.4g}) {alarm.unit}"
    return f"{at} {said} {alarm.plant} [bold]{escape(alarm.title.zh)}[/] {escape(alarm.title.en)}{escape(value)}"
