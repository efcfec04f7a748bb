"""Terminal output of the demonstration: the console's address, alarms, progress and the outcome."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.display_value import digits
from ingest.runtime.service import Service

_POLL_S: Final = 0.5


class Terminal:
    """Writes to standard error. A headless one shows progress and the outcome only."""

    def __init__(self, *, headless: bool) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._headless = headless

    def greet(self, url: str, token: str, broker: str) -> None:
        """Print the console's address and the token to sign in with."""
        if self._headless:
            return
        say = self._console.print
        say(f"\n[bold]yujing 预警[/] · 演示 demonstration · {broker}")
        say(f"  控制台 console   [bold]{url}[/]")
        say(f"  登录口令 token   [bold]{token}[/]")
        say("  Ctrl-C 结束 ends it\n")

    async def follow(self, service: Service, for_s: float | None) -> None:
        """Show progress, and every alarm as it comes, until cancelled."""
        began = time.monotonic()
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn(),
            console=self._console, transient=True,
        ) as bar:  # fmt: skip
            task = bar.add_task("运行中 running", total=for_s, text="")
            seq = 0
            while True:
                for event in await asyncio.to_thread(service.alarms.events_after, seq, limit=1000):
                    seq = event.seq
                    if not self._headless:
                        bar.console.print(_line(event))
                readings = (await asyncio.to_thread(service.journal.totals)).readings
                text = f"{readings} 条读数 readings · {seq} 次报警变化 alarm events"
                bar.update(task, completed=time.monotonic() - began, text=text)
                await service.live.wait_event(seq, _POLL_S)

    def conclude(self, summary: dict[str, Any]) -> None:
        """Print the outcome."""
        say, readings, webhooks = self._console.print, summary["readings"], summary["webhooks"]
        say(
            f"读数 readings: 发送 sent {readings['sent']} · 落盘 journaled {readings['journaled']}"
            f" · 入库 stored {readings['stored']} · 隔离 quarantined {readings['quarantined']}"
        )
        say(
            f"报警 alarms: {summary['alarms']['raised']} · 推送 webhooks: {webhooks['delivered']}/{webhooks['sent']}"
            f" · p50 {summary['latency_ms']['p50']} ms, p99 {summary['latency_ms']['p99']} ms"
        )
        for fault in summary["faults"]:
            mark, delay = ("[green]✓[/]", f"{fault['delay_s']} s") if fault["detected"] else ("[red]✗[/]", "—")
            lead = fault.get("lead_s")
            before = f" · 无法挽回前 before the point of no return: {lead} s" if lead is not None else ""
            say(f"  {mark} {fault['plant']} {fault['fault']} {delay}{before}")
        if "why" in summary:
            say(f"[red]{escape(summary['why'])}[/]")


def _line(event: AlarmEvent) -> str:
    alarm = event.alarm
    colour = {1: "yellow", 2: "red"}[alarm.level]
    at = time.strftime("%H:%M:%S", time.localtime(event.time / 1e9))
    kind = {
        AlarmEventKind.RAISED: f"[bold {colour}]● {'一二'[alarm.level - 1]}级报警 L{alarm.level}[/]",
        AlarmEventKind.RETURNED: "[green]○ 恢复 returned[/]",
        AlarmEventKind.ACKNOWLEDGED: "[cyan]✓ 已确认 acknowledged[/]",
        AlarmEventKind.RECORDED: "[blue]◌ 补传 backfilled[/]",
    }[event.kind]
    value = "" if alarm.value is None else f"  {digits(alarm.value, 4, [alarm.limit])} ({alarm.limit:g}) {alarm.unit}"
    return f"{at} {kind} {alarm.plant} [bold]{escape(alarm.title.zh)}[/] {escape(alarm.title.en)}{escape(value)}"
