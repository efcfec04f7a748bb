"""Nothing one gateway sends touches another's service: not while it sends, not after a restart."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import apsw
import pytest

from ingest.intake.wire.frame import Frame, encode_json
from ingest.storage.journal.sequence_state import GAPS
from tests.reliability.launched import Launched
from tests.reliability.publisher import Publisher
from tests.servers import mosquitto
from tests.small_plant import PLANT

SMALL_PACKETS: Final = 8_000
SMALL_SHARE: Final = "[intake]\ngateway_mb_per_s = 0.25\ngateway_burst_mb = 2"
WILD: Final = 4 * 10**18
FLOOD: Final = 600


def frame(point: str, boot: str, seq: int) -> bytes:
    """One reading, now."""
    return encode_json(Frame(boot, seq, [time.time_ns() // 1_000_000], {point: [5.0]}))


def flood(gateway: Publisher) -> None:
    """Send what nobody can read, 1 MiB of it each time."""
    for number in range(FLOOD):
        gateway.publish(random.Random(number).randbytes(1 << 20))  # noqa: S311  rubbish on purpose


def alarm_outstanding(service: Launched, point: str) -> bool:
    """Whether an alarm of that point stands."""
    return any(alarm["point"] == point for alarm in service.get("/api/v1/alarms", limit=100)["alarms"])


def events(service: Launched, name: str) -> int:
    """How often the service logged that."""
    return sum(event["event"] == name for event in service.log())


def throttled(service: Launched, gateway: Publisher, numbers: Iterator[int], before: int) -> bool:
    """Send more under these numbers; return whether an unread part was reported by now."""
    for number in itertools.islice(numbers, 100):
        gateway.publish(frame("CO-01", "wild", number))
    return events(service, "gateway_throttled") > before


@pytest.mark.timeout(600)
def test_wild_sequence_numbers_cut_nobody_off(tmp_path: Path) -> None:
    """Every second frame missing, near the largest number: throttled and alarmed; the broker's limit is kept.

    The service is never disconnected and the other gateway lives on, in the life after a restart as in the first.
    """
    with mosquitto(tmp_path, [f"max_packet_size {SMALL_PACKETS}", "max_queued_messages 0"]) as broker:
        service = Launched(tmp_path, broker, SMALL_SHARE)
        with service, Publisher(broker) as hostile, Publisher(broker, "GW-02") as other:
            numbers = itertools.count(WILD, 2)
            for life in range(2):
                if life:
                    assert service.stop() == 0
                    service.start()
                flooded = partial(throttled, service, hostile, numbers, events(service, "gateway_throttled"))
                service.until(flooded, "the gateway to be throttled")
                for seq in range(5 * life + 1, 5 * life + 6):
                    other.publish(frame("CO-02", "good", seq))
                    other.committed("good", seq)
                service.until(lambda: alarm_outstanding(service, "GW-01.throttled"), "an alarm of it")
                (wild,) = [
                    gateway_out for gateway_out in service.get("/api/v1/gateways") if gateway_out["gateway"] == "GW-01"
                ]
                assert len(wild["missing"]) <= GAPS
            assert events(service, "frames_lost") >= 1, "what is no longer asked for is told"
            assert not alarm_outstanding(service, "GW-02.throttled")
            assert service.stop() == 0
            assert events(service, "broker_disconnected") == 0


@pytest.mark.timeout(600)
def test_a_flood_of_large_junk_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """The other gateway's frames are still announced as on disk; the flood is counted, and an alarm of its gateway."""
    with (
        mosquitto(tmp_path, ["max_queued_messages 0"]) as broker,
        Launched(tmp_path, broker) as service,
        Publisher(broker, inflight=20) as hostile,
        Publisher(broker, "GW-02") as other,
    ):
        flooding = threading.Thread(target=flood, args=(hostile,))
        flooding.start()
        slowest, seq = 0.0, 0
        while flooding.is_alive() or seq < 20:
            seq += 1
            began = time.monotonic()
            other.publish(frame("CO-02", "good", seq))
            other.committed("good", seq)
            slowest = max(slowest, time.monotonic() - began)
        flooding.join()
        assert slowest < 5, "it waited for nearly all of the flood"
        service.until(lambda: events(service, "gateway_throttled") > 0, "the flood to be told")
        service.until(lambda: alarm_outstanding(service, "GW-01.throttled"), "an alarm of the gateway that floods")
        assert (tmp_path / "data" / "journal.db").stat().st_size < (FLOOD << 20) / 4, "the rest was not kept"


@pytest.mark.timeout(600)
def test_many_gaps_are_closed_piece_by_piece_where_packets_are_small(tmp_path: Path) -> None:
    """A gateway that sends what is missing, by messages that never name all of it, learns that all is on disk."""
    with (
        mosquitto(tmp_path, ["max_packet_size 350"]) as broker,
        Launched(tmp_path, broker),
        Publisher(broker) as gateway,
    ):
        for seq in range(2, 102, 2):
            gateway.publish(frame("CO-01", "b", seq))
        sent, committed, most = set[int](), None, 0
        while committed is None or committed.seq < 100 or committed.missing:
            committed = gateway.announced("b", unlike=committed)
            most = max(most, len(committed.missing))
            for first, last in committed.missing:
                for seq in {*range(first, last + 1)} - sent:
                    sent.add(seq)
                    gateway.publish(frame("CO-01", "b", seq))
    assert sent == {*range(1, 101, 2)}
    assert most < 50, "never all of it in one message"


@pytest.mark.timeout(600)
def test_a_history_of_many_boots_delays_neither_start_nor_stop_nor_the_list_of_gateways(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        service = Launched(tmp_path, broker)
        with service, Publisher(broker) as gateway:
            gateway.publish(frame("CO-01", "now", 1))
            gateway.committed("now", 1)
            assert service.stop() == 0
            journal = apsw.Connection(str(tmp_path / "data" / "journal.db"))
            journal.executemany(
                "INSERT INTO position (plant, gateway, boot, committed, missing, lost, clock, began, received, frames,"
                " duplicates) VALUES (?, 'GW-01', ?, 2, '[[1, 1, 0]]', '[]', 'null', ?, ?, 1, 0)",
                [(PLANT, f"old-{number}", number, number) for number in range(12_000)],
            )
            journal.close()
            service.start()
            gateways = {gateway_out["gateway"]: gateway_out for gateway_out in service.get("/api/v1/gateways")}
            assert gateways["GW-01"]["boot"] == "now"
            gateway.publish(frame("CO-01", "now", 2))
            gateway.committed("now", 2)
            service.until(lambda: events(service, "boots_forgotten") == 1, "old boots to be forgotten")
            assert service.stop() == 0
