"""Child processes of the demonstration: each logs to a file of its own and ends with the demonstration."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from ingest.base.extras import require

BrokerKind = Literal["embedded", "mosquitto"]

_START_S: Final = 20.0
_STOP_S: Final = 1.5
_MOSQUITTO_PLACES: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/opt/homebrew/bin"


class ChildFailed(Exception):
    """A process the demonstration needs did not start, or ended. The message names it and its log."""


def find_mosquitto() -> str | None:
    """Return the path of Mosquitto, also outside of PATH where services are installed; None if not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_MOSQUITTO_PLACES)


@contextlib.asynccontextmanager
async def child(name: str, command: Sequence[str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command until the block ends. In its own session, so that Ctrl-C ends the processes in order."""
    with (folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """Terminate a child, and kill it if that takes too long."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def simulator(*arguments: str) -> list[str]:
    """Return the command line of a part of the simulator. Raises ExtraMissing."""
    require("demo", "yujing demo, replay, simulate")
    return [sys.executable, "-m", "gateway_sim", *arguments]


async def first_line(name: str, process: asyncio.subprocess.Process, folder: Path) -> dict[str, Any]:
    """Read the JSON line in which a part of the simulator reports its addresses and files."""
    if process.stdout is None:
        raise ChildFailed(f"{name}: no output to read")
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise ChildFailed(f"{name} did not start; see {folder / name}.log")
    location: dict[str, Any] = json.loads(line)
    return location


@contextlib.asynccontextmanager
async def broker(kind: BrokerKind, folder: Path) -> AsyncIterator[int]:
    """Run a broker on loopback; yield its port once it accepts connections."""
    port = free_port()
    if kind == "mosquitto":
        program = find_mosquitto()
        if program is None:
            raise ChildFailed(
                "Mosquitto is not installed: install it (apt-get install mosquitto), or --broker embedded"
            )
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", encoding="utf-8")
        command = [program, "-c", str(config)]
    else:
        command = [sys.executable, "-m", "ingest.demo.embedded_broker", str(port)]
    async with child("broker", command, folder) as process:
        await _answers(process, port, folder / "broker.log")
        yield port


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    """Return once the broker accepts connections."""
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return
    except TimeoutError:
        pass
    raise ChildFailed(f"the broker did not start; see {log}")
