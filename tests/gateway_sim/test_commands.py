"""The commands as the service and people run them: child processes against a real broker."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway_sim.faults import FAULTS
from gateway_sim.gateway import Link, ReferenceGateway
from ingest.intake.wire.frame import Refusal
from tests.gateway_sim.committer import Committer, in_background, until
from tests.servers import Server, mosquitto_server

HEAD = "datetime;Accelerometer1RMS;Pressure;Volume Flow RateRMS;anomaly;changepoint"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with mosquitto_server(tmp_path) as server:
        yield server


async def _start(command: str, *options: object) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway_sim", command, *map(str, options), stdout=PIPE, stderr=PIPE
    )


async def _ended(process: Process, timeout_s: float = 40) -> tuple[int, str, str]:
    async with asyncio.timeout(timeout_s):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _recording(tmp_path: Path, rows: int) -> Path:
    file = tmp_path / "recorded.csv"
    lines = [f"2020-03-09 10:{i // 60:02}:{i % 60:02};0.027;{0.05 + i / 1e4:.4f};32.0;0.0;0.0" for i in range(rows)]
    file.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return file


async def test_fleet_sends_what_it_reports_and_labels_its_faults(broker: Server, tmp_path: Path) -> None:
    service = Committer(broker.host, broker.port)
    report, labels = tmp_path / "report.json", tmp_path / "labels.jsonl"
    async with in_background(service.run()):
        fleet = await _start(
            "fleet", "--host", broker.host, "--port", broker.port, "--for", 15, "--seed", 2,
            "--report", report, "--labels", labels,
        )  # fmt: skip
        code, _, err = await _ended(fleet)
    assert code == 0, err
    sent = json.loads(report.read_text())
    assert sent["readings_sent"] == service.readings == 15 * sum((17, 19, 13))
    assert sent["frames_sent"] == sum(len(frames) for frames in service.frames.values()) == 15 * 4
    assert sent["uncommitted_frames"] == sent["dropped_frames"] == sent["refused_frames"] == 0
    assert set(sent["gateways"]) == {"demo-aluminium/GW-01", "demo-dust/GW-01", "demo-steel/GW-01", "demo-steel/GW-02"}
    written = [json.loads(line) for line in labels.read_text().splitlines()]
    assert written
    for label in written:
        fault = next(fault for fault in FAULTS if fault.id == label["fault"])
        assert label["points"] == list(fault.points)
        assert label["rules"] == list(fault.rules)
        assert 0 < label["end"] - label["start"] <= fault.lasts_s * 1e9


async def test_a_fleet_stops_in_good_order_on_a_signal(broker: Server, tmp_path: Path) -> None:
    """SIGTERM: no more samples, but every frame is committed before it exits; the report is kept up to date before."""
    service = Committer(broker.host, broker.port)
    report = tmp_path / "report.json"
    async with in_background(service.run()):
        fleet = await _start(
            "fleet", "--host", broker.host, "--port", broker.port, "--report", report,
            "--protocol", "3.1.1", "--rate-hz", 20, "--no-faults",
        )  # fmt: skip
        await until(lambda: report.exists() and json.loads(report.read_text())["frames_sent"] >= 8)
        fleet.send_signal(signal.SIGTERM)
        code, _, err = await _ended(fleet)
    assert code == 0, err
    sent = json.loads(report.read_text())
    assert sent["uncommitted_frames"] == 0
    assert sent["readings_sent"] == service.readings > 8 * 20 * 10


async def test_fleet_owns_up_to_what_was_never_committed(broker: Server, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    fleet = await _start(
        "fleet", "--host", broker.host, "--port", broker.port, "--for", 2, "--drain", 0.5, "--report", report
    )
    code, _, _ = await _ended(fleet)
    assert code == 1
    assert json.loads(report.read_text())["uncommitted_frames"] == 8


async def test_fleet_owns_up_to_what_the_service_refused(broker: Server, tmp_path: Path) -> None:
    refusal = Refusal("", 1, "unknown-gateway", "demo-dust/GW-01 is in no plant file", 1, 0)
    service = Committer(broker.host, broker.port, refuse={1: refusal})
    report = tmp_path / "report.json"
    async with in_background(service.run()):
        fleet = await _start(
            "fleet", "--host", broker.host, "--port", broker.port, "--for", 2, "--report", report, "--no-faults"
        )
        code, _, _ = await _ended(fleet)
    assert code == 1
    sent = json.loads(report.read_text())
    assert (sent["uncommitted_frames"], sent["refused_frames"]) == (0, 4)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("speed", [0, 600])
async def test_replay_publishes_every_row_and_waits_for_its_commit(
    broker: Server, tmp_path: Path, speed: int, *, live: bool
) -> None:
    """As history beside the gateway, of whose status it says nothing; or live, in its place."""
    service = Committer(broker.host, broker.port, lose=[1])
    async with in_background(service.run()):
        process = await _start(
            "replay", _recording(tmp_path, 900), "--host", broker.host, "--port", broker.port, "--plant", "demo-dust",
            "--gateway", "GW-01", "--map", "Pressure=DP-01", "--map", "Volume Flow RateRMS=WET_FLOW-01",
            "--speed", speed, *(["--shift-to-now"] if live else []),
        )  # fmt: skip
        code, out, err = await _ended(process)
    assert code == 0, err
    summary = json.loads(out)
    assert (summary["rows"], summary["readings"], summary["uncommitted"]) == (900, 1800, 0)
    assert summary["refused"] == []
    assert summary["frames"] >= 5
    assert service.readings == 1800
    assert service.historical == (set() if live else set(service.frames))
    assert service.statuses == ({"demo-dust/GW-01": [True, False]} if live else {})


async def test_replay_throws_no_gateway_out(broker: Server, tmp_path: Path) -> None:
    """The gateway itself stays connected beside it."""
    service = Committer(broker.host, broker.port)
    gateway = ReferenceGateway("demo-dust", "GW-01", Link(broker.host, broker.port))
    async with in_background(service.run(), gateway.run()):
        await until(lambda: gateway.tally.connections == 1)
        process = await _start(
            "replay", _recording(tmp_path, 300), "--host", broker.host, "--port", broker.port, "--plant", "demo-dust",
            "--gateway", "GW-01", "--map", "Pressure=DP-01", "--speed", 0,
        )  # fmt: skip
        code, _, err = await _ended(process)
        assert code == 0, err
        assert gateway.tally.connections == 1
        assert service.statuses == {"demo-dust/GW-01": [True]}


async def test_replay_says_what_the_service_could_not_take(broker: Server, tmp_path: Path) -> None:
    """Committed is not taken: the exit code and the message tell; what was refused of another boot is not its own."""
    unknown = Refusal("", 1, "unknown-point", "PRESSURE is no point of this gateway", 1, 200)
    refuse = {1: unknown, 2: msgspec.structs.replace(unknown, seq=2, detail="another"), 3: unknown, 4: unknown}
    refuse[4] = Refusal("another boot", 9, "schema", "boot: expected 1 to 64 characters", 1, 0)
    service = Committer(broker.host, broker.port, refuse=refuse)
    async with in_background(service.run()):
        process = await _start(
            "replay", _recording(tmp_path, 900), "--host", broker.host, "--port", broker.port, "--plant", "demo-dust",
            "--gateway", "GW-01", "--map", "Pressure=PRESSURE", "--speed", 0,
        )  # fmt: skip
        code, out, err = await _ended(process)
    assert code == 1
    summary = json.loads(out)
    assert (summary["uncommitted"], summary["connections"]) == (0, 1)
    [refused] = summary["refused"]
    assert (refused["reason"], refused["frames"], refused["readings"]) == ("unknown-point", 3, 600)
    assert "demo-dust/GW-01: not taken, in quarantine: 3 frames, 600 readings: unknown-point: PRESSURE is no" in err
    assert "schema" not in err


async def test_replay_refuses_a_recording_of_the_future(tmp_path: Path) -> None:
    file = tmp_path / "ahead.csv"
    file.write_text("datetime,x\n20981120080305,1\n")
    process = await _start("replay", file, "--plant", "p", "--gateway", "g", "--map", "x=DP-01")
    code, out, err = await _ended(process)
    assert (code, out) == (2, "")
    assert f"{file}: ends at 2098-11-20T00:03:05+00:00, in the future" in err


async def test_replay_says_what_is_wrong_with_a_file(broker: Server, tmp_path: Path) -> None:
    file = _recording(tmp_path, 3)
    file.write_text(file.read_text().replace("0.0501", "x"))
    process = await _start("replay", file, "--plant", "p", "--gateway", "g", "--map", "Pressure=DP-01")
    code, out, err = await _ended(process)
    assert (code, out) == (2, "")
    assert f"{file}: line 3: column 'Pressure' = 'x': expected a finite number" in err


async def test_a_stand_in_says_in_one_line_what_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options, named in (
            (("--dir", tmp_path / "file" / "x"), "file"),
            (("--dir", tmp_path / "a", "--port", port), f"127.0.0.1:{port}"),
            (("--dir", tmp_path / "b", "--report", tmp_path / "none" / "report.json"), "report.json"),
        ):
            code, out, err = await _ended(await _start("platform", *options))
            assert (code, out, err.count("\n")) == (1, "", 1), err
            assert named in err
