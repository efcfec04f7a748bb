"""Runs the demonstration: the service in this process, everything else in child processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.base import telemetry
from ingest.demo.children import BrokerKind, ChildFailed, child, find_mosquitto, simulator, stop
from ingest.demo.daily_duties import enter_duties
from ingest.demo.environment import TOKEN, WEBHOOK, demo_environment
from ingest.demo.summary import read_labels, summarise
from ingest.demo.terminal import Terminal
from ingest.intake.sources.config import MqttConfig
from ingest.runtime.service import Service
from ingest.runtime.settings import InForce

_DRAIN_S: Final = 15
"""Time the plants have at the end for everything to be committed, s."""

_SETTLE_S: Final = 15.0
"""Time the service has after that to evaluate, store and deliver everything, s."""

_ENDED_WELL: Final = (0, 1)
"""Exit codes of the plants: all committed, or not all."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Options of the command line.

    Attributes:
        for_s: how long the plants run; None = until Ctrl-C.
        headless: no alarms in the terminal, only progress and the outcome.
        summary: where to write the JSON summary.
        broker: None = Mosquitto where it is installed, else the embedded one.
        seed: same seed, same plants and faults.
        port: of the console, if it is free.
        folder: where everything is kept; None = a temporary folder, deleted at the end.
        accident: one to be played instead of the sample plants' faults; None = none.
    """

    for_s: float | None
    headless: bool
    summary: Path | None
    broker: BrokerKind | None
    seed: int
    port: int
    folder: Path | None
    accident: str | None = None


async def run(options: DemoOptions) -> int:
    """Run the demonstration; return the exit code: 0, or 1 if readings or faults were missed.

    Raises:
        ChildFailed: a process it needs did not start, or broke down.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last one: its terminal was closed
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    kind = options.broker or ("mosquitto" if find_mosquitto() else "embedded")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yujing-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "journal.db").exists():
            raise ChildFailed(f"{folder} holds an earlier demonstration; expected an empty folder")
        log = stack.enter_context((folder / "service.log").open("w", encoding="utf-8"))
        telemetry.configure_logging(json=True, file=log)
        async with demo_environment(folder, kind, options.port, options.accident) as settings:
            service, stop_service = Service(InForce(settings), new=True), asyncio.Event()
            await asyncio.to_thread(enter_duties, service.ports)
            serving = asyncio.create_task(service.run(stop_service), name="service")
            try:
                terminal = Terminal(headless=options.headless)
                terminal.greet(service.url, (folder / TOKEN).read_text(encoding="utf-8"), kind)
                return await _Demonstration(options, folder, service, terminal).perform(
                    settings.mqtt, serving, stopping
                )
            finally:
                stop_service.set()
                await serving


@dataclass(frozen=True, slots=True)
class _Demonstration:
    """Runs the simulated plants against the service and summarises the outcome."""

    options: DemoOptions
    folder: Path
    service: Service
    terminal: Terminal

    async def perform(self, mqtt: MqttConfig, serving: asyncio.Task[None], stopping: asyncio.Event) -> int:
        """Run the plants until their time is over, a signal comes or a process fails; return the exit code."""
        labels, report = self.folder / "faults.jsonl", self.folder / "sent.json"
        fleet = simulator(
            "fleet", "--port", str(mqtt.port), "--protocol", mqtt.protocol, "--seed", str(self.options.seed),
            "--labels", str(labels), "--report", str(report), "--drain", str(_DRAIN_S),
            *(["--for", str(self.options.for_s)] if self.options.for_s else []),
            *(["--accident", self.options.accident] if self.options.accident else []),
        )  # fmt: skip
        async with child("plants", fleet, self.folder) as plants:
            following = asyncio.create_task(self.terminal.follow(self.service, self.options.for_s), name="terminal")
            ended = asyncio.create_task(plants.wait(), name="plants")
            stopped = asyncio.create_task(stopping.wait(), name="stopping")
            try:
                await asyncio.wait([ended, stopped, serving], return_when=asyncio.FIRST_COMPLETED)
                if stopping.is_set() or serving.done():
                    return 0  # or what ended the service: raised where it is awaited
                if plants.returncode not in _ENDED_WELL or self.options.for_s is None:
                    raise ChildFailed(f"the simulated plants broke down; see {self.folder / 'plants.log'}")
                await self._settle()
            finally:
                await stop(plants)
                for task in (following, ended, stopped):
                    task.cancel()
        sent = json.loads(report.read_text(encoding="utf-8"))["readings_sent"]
        return await asyncio.to_thread(self._conclude, summarise(self.service, WEBHOOK, read_labels(labels), sent))

    async def _settle(self) -> None:
        """Wait until everything journaled is evaluated, stored and delivered, up to `_SETTLE_S`."""
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            outbox = (await asyncio.to_thread(self.service.outbox.totals)).get(WEBHOOK)
            delivered = outbox is None or outbox.delivered == outbox.messages
            behind = self.service.engine.lag() + self.service.history_lag() + self.service.journal.waiting()
            if not behind and delivered:
                return
            await asyncio.sleep(0.1)

    def _conclude(self, summary: dict[str, Any]) -> int:
        if self.options.summary:
            text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
            self.options.summary.write_text(text, encoding="utf-8")
        self.terminal.conclude(summary)
        return 0 if "why" not in summary and all(fault["detected"] for fault in summary["faults"]) else 1
