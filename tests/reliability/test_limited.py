"""A process that may have little goes on: what watches has its descriptors and its memory before anybody else."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ingest.intake.wire.frame import Frame, encode_json
from tests.reliability.launched import Launched, subscribed
from tests.reliability.publisher import Publisher
from tests.servers import mosquitto_server


def limited(what: str) -> tuple[str, ...]:
    """A launcher under such a limit (`ulimit`)."""
    return ("/bin/sh", "-c", f'ulimit {what} && exec "$@"', "sh", sys.executable, "-m", "ingest")


def frame(seq: int) -> bytes:
    """One reading, now."""
    return encode_json(Frame("b", seq, [time.time_ns() // 1_000_000], {"CO-01": [5.0]}))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("descriptors", [64, 128])
def test_with_few_descriptors_idle_connections_take_none_that_broker_and_databases_need(
    tmp_path: Path, descriptors: int
) -> None:
    """The broker goes and comes back meanwhile: readings are taken, the API answers, and refusals are reported."""
    broker = mosquitto_server(tmp_path)
    broker.start()
    address = (broker.host, broker.port)
    try:
        with Launched(tmp_path, address, launcher=limited(f"-n {descriptors}")) as service, ExitStack() as held:
            for _ in range(2 * descriptors):
                connection = held.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=30))
                connection.settimeout(30)
            broker.kill()
            service.until(lambda: any(e["event"] == "broker_disconnected" for e in service.log()), "the broker to go")
            broker.start()
            service.until(lambda: subscribed(address), "the service to come back to the broker")
            with Publisher(address) as gateway:
                for seq in range(1, 4):
                    gateway.publish(frame(seq))
                    gateway.committed("b", seq)
            assert service.get("/api/v1/gateways")
            assert service.alive()
            assert any(event["event"] == "connections_ended" for event in service.log())
            assert service.stop() == 0
    finally:
        broker.stop()


@pytest.mark.timeout(600)
def test_too_few_addresses_are_reported_at_the_start_and_not_by_a_dying_thread(tmp_path: Path) -> None:
    service = Launched(tmp_path, ("127.0.0.1", 1), launcher=limited(f"-v {500 << 10}"))
    service.begin()
    assert service.dead(50) == 1
    log = (tmp_path / "service.log").read_text(encoding="utf-8")
    assert "RLIMIT_AS (ulimit -v, LimitAS=) 500 MiB" in log
    assert "Traceback" not in log
