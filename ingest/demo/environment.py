"""The demonstration's environment: broker, inspector and province as child processes, and settings for them."""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import shutil
import socket
import time
from collections.abc import AsyncIterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from ingest.base.config import Secret
from ingest.delivery.config import ConnectorsConfig
from ingest.delivery.platform.config import PlatformConfig
from ingest.delivery.webhook.config import WebhookConfig
from ingest.demo.children import BrokerKind, ChildFailed, broker, child, first_line, free_port, simulator
from ingest.domain.cases.days import day_of
from ingest.domain.model.warning import Step
from ingest.domain.warnings.config import AcknowledgeTimes, DutyConfig, FeedbackTimes, WarningsConfig
from ingest.intake.sources.config import MqttConfig
from ingest.runtime.settings import Settings
from ingest.services.config import ApiConfig, TokenConfig
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.journal.config import JournalConfig
from ingest.storage.state.config import StateConfig

WEBHOOK: Final = "inspector"
"""Name of the inspector's webhook in the outbox."""

TOKEN: Final = "token"  # noqa: S105  the name of the file that holds it
"""Name of the file with the token for the console."""


_DUTY: Final = (
    DutyConfig(step=Step.ENTERPRISE, name="企业安全管理部"),
    DutyConfig(step=Step.TOWNSHIP, name="镇应急管理站"),
    DutyConfig(step=Step.COUNTY, name="县应急管理局"),
)
"""Who is on duty for the simulated plants."""

_WARNINGS: Final = WarningsConfig(
    duty=_DUTY,
    fall_after_s=20,
    ack_s=AcknowledgeTimes(red=15, orange=20, yellow=30, blue=60),
    feedback_s=FeedbackTimes(red=30, orange=60, yellow=120, blue=240),
)
"""Times short enough to see a warning escalate, step by step, where nobody answers."""


@contextlib.asynccontextmanager
async def demo_environment(
    folder: Path, kind: BrokerKind, console_port: int, accident: str | None = None
) -> AsyncIterator[Settings]:
    """Start the processes around the service; yield its settings. All files are in `folder`.

    With an accident its plant stands instead of the sample plants.

    Raises:
        ChildFailed: a process did not start.
    """
    plants = await _accident_plant(accident, folder) if accident is not None else _plants(folder / "plants")
    secret = _secret(folder / "webhook", "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    token = TokenConfig(name="demo", role="admin", token=_secret(folder / TOKEN, secrets.token_hex(12)))
    receiver = simulator("receiver", "--secret-file", str(secret.file), "--report", str(folder / "inspector.json"))
    platform = simulator("platform", "--dir", str(folder / "platform"))
    async with (
        broker(kind, folder) as port,
        child("inspector", receiver, folder) as inspector,
        child("platform", platform, folder) as province,
    ):
        inspector_at = await first_line("inspector", inspector, folder)
        province_at = await first_line("platform", province, folder)
        yield Settings(
            plants=plants,
            mqtt=MqttConfig(port=port, protocol="3.1.1" if kind == "embedded" else "5"),
            journal=JournalConfig(path=folder / "journal.db"),
            state=StateConfig(path=folder / "state.db"),
            history=DuckDBConfig(path=folder / "history.duckdb"),
            connectors=ConnectorsConfig(
                webhooks=(WebhookConfig(name=WEBHOOK, url=inspector_at["url"], secret=secret),),
                platform=_platform(province_at),
            ),
            warnings=_WARNINGS,
            api=ApiConfig(port=_port(console_port), tokens=(token,)),
        )


def _plants(folder: Path) -> Path:
    """Copy the simulator's plants to a folder where they can be edited while the demonstration runs.

    Pledges are owed since the day on which it begins: else every day before it would count as missed.
    """
    with as_file(files("gateway_sim") / "plants") as source:
        shutil.copytree(source, folder)
    for file in folder.glob("*.toml"):
        text, today = file.read_text(encoding="utf-8"), day_of(time.time_ns())
        file.write_text(re.sub(r"(?m)^pledge_since = \S+$", f"pledge_since = {today}", text), encoding="utf-8")
    return folder


async def _accident_plant(accident: str, folder: Path) -> Path:
    """Copy the plant file of an accident to a folder of its own. Raises ChildFailed if there is no such accident."""
    async with child("accident", simulator("accident", accident), folder) as process:
        found = await first_line("accident", process, folder)
    if "file" not in found:
        raise ChildFailed(f"--accident {accident!r}: expected one of {', '.join(found['known'])}")
    plants = folder / "plants"
    plants.mkdir()
    shutil.copy(found["file"], plants)
    return plants


def _port(preferred: int) -> int:
    """Return the preferred port if it is free, else another one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return free_port()
    return preferred


def _secret(file: Path, value: str) -> Secret:
    file.touch(mode=0o600)
    file.write_text(value, encoding="utf-8")
    return Secret(file=file)


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
