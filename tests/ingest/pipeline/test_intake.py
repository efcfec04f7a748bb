"""Intake: what is acknowledged or announced is on disk; what cannot be taken is on disk too, with its reason."""

from __future__ import annotations

from pathlib import Path
from queue import Queue

import pytest

from ingest.journal.errors import JournalUnavailable
from ingest.journal.journal import Commit, Journal
from ingest.pipeline.intake import Intake
from ingest.plants.roster import Roster
from ingest.sources.raw import Raw
from ingest.wire.frame import Committed, Frame, encode_json, encode_status
from ingest.wire.topics import frame_topic, status_topic
from tests.small_plant import PLANT, small_roster

T0 = 1_763_884_800_000


class Bench:
    """Intake on a real journal, with a broker and gateways that only listen."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.db")
        self.roster: Roster = small_roster(folder, self.journal.number_points)
        self.acked: list[str] = []
        self.told: list[tuple[str, str, Committed]] = []
        self.intake = self.start()

    def start(self) -> Intake:
        """A fresh intake on the same journal, as after a restart."""
        return Intake(
            Queue(), self.journal, lambda: self.roster, lambda *said: self.told.append(said), lambda _error: None
        )

    def take(self, *messages: tuple[str, bytes]) -> None:
        """One group of messages (topic, payload)."""
        self.intake.take([Raw(topic, payload, 5, lambda t=topic: self.acked.append(t)) for topic, payload in messages])  # type: ignore[misc]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


FRAMES = frame_topic(PLANT, "GW-01")


def frame(seq: int, boot: str = "b1", **values: float) -> tuple[str, bytes]:
    """A frame of gateway 1."""
    columns: dict[str, list[float | None]] = {name.replace("_", "-"): [value] for name, value in values.items()}
    return FRAMES, encode_json(Frame(boot, seq, [T0 + seq * 1000], columns or {"CO-01": [1.0]}))


def test_a_frame_is_journaled_acknowledged_and_announced(bench: Bench) -> None:
    bench.take(frame(1), frame(2))
    (entry,) = bench.journal.read(0, 100)
    assert entry.batch.value.tolist() == [1.0, 1.0]
    assert bench.acked == [FRAMES, FRAMES]
    assert bench.told == [(PLANT, "GW-01", Committed("b1", 2, []))]


def test_nothing_is_acknowledged_that_is_not_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(commit: Commit) -> int:
        raise JournalUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.journal, "append", full)
        with pytest.raises(JournalUnavailable):
            bench.take(frame(1))
    assert bench.acked == []
    assert bench.told == []
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1, "the same frame is taken once the disk is back"


def test_a_frame_that_comes_again_is_acknowledged_and_not_stored_again(bench: Bench) -> None:
    bench.take(frame(1), frame(1))
    bench.intake = bench.start()
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1
    assert len(bench.acked) == 3
    assert bench.told[-1] == (PLANT, "GW-01", Committed("b1", 1, []))
    assert bench.journal.gateways()[0].duplicates == 2


def test_a_gap_is_named_and_closed(bench: Bench) -> None:
    bench.take(frame(4))
    assert bench.told[-1][2] == Committed("b1", 4, [(1, 3)])
    bench.take(frame(1), frame(3))
    assert bench.told[-1][2] == Committed("b1", 4, [(2, 2)])
    bench.take(frame(2))
    assert bench.told[-1][2] == Committed("b1", 4, [])


def test_a_new_boot_counts_from_one_again(bench: Bench) -> None:
    bench.take(frame(7, boot="b1"), frame(1, boot="b2"))
    assert [said[2].boot for said in bench.told] == ["b1", "b2"]
    assert bench.told[-1][2] == Committed("b2", 1, [])
    assert bench.journal.totals().readings == 2


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (FRAMES, b"rubbish", "not-readable"),
        (FRAMES, b'{"boot":"b","seq":1}', "schema"),
        (frame_topic("elsewhere", "GW-01"), frame(1)[1], "unknown-gateway"),
        (frame_topic(PLANT, "GW-99"), frame(1)[1], "unknown-gateway"),
        ("yujing/v1/x", b"", "topic"),
        (status_topic(PLANT, "GW-01"), b"{}", "schema"),
    ],
)
def test_what_cannot_be_taken_is_kept_whole_and_never_stops_the_rest(
    bench: Bench, topic: str, payload: bytes, reason: str
) -> None:
    bench.take((topic, payload), frame(1, boot="good"))
    (aside,) = bench.journal.quarantined(limit=10)
    assert (aside.topic, aside.reason, aside.payload) == (topic, reason, payload)
    assert bench.journal.totals().readings == 1
    assert len(bench.acked) == 2


def test_five_thousand_bad_messages_do_not_hold_up_a_good_one(bench: Bench) -> None:
    bench.take(*((FRAMES, f"bad {n}".encode()) for n in range(5000)), frame(1))
    assert bench.journal.totals().readings == 1
    assert bench.journal.totals().quarantined == 5000


def test_a_gateway_may_forget_a_frame_that_was_put_aside(bench: Bench) -> None:
    """It is on disk, if not in the journal; asking for it again would never end."""
    backwards = b'{"boot":"b1","seq":2,"time":[1763884801000,1763884800000],"values":{"CO-01":[1,2]}}'
    bench.take(frame(1), (FRAMES, backwards))
    assert bench.told[-1][2] == Committed("b1", 2, [])
    bench.take((FRAMES, backwards))
    assert bench.journal.totals().quarantined == 1
    assert bench.journal.totals().quarantined_readings == 2


def test_one_unknown_point_does_not_cost_the_known_ones(bench: Bench) -> None:
    bench.take(frame(1, CO_01=3.0, CO_77=9.0))
    assert bench.journal.read(0, 10)[0].batch.value.tolist() == [3.0]
    (aside,) = bench.journal.quarantined(limit=10)
    assert aside.reason == "unknown-point"
    assert "CO-77" in aside.detail
    assert b"CO-01" not in aside.payload
    assert aside.readings == 1


def test_another_gateways_point_is_not_this_gateways_to_send(bench: Bench) -> None:
    bench.take(frame(1, CO_02=3.0))
    assert bench.journal.totals().readings == 0
    assert bench.journal.quarantined(limit=1)[0].reason == "unknown-point"


def test_a_status_becomes_a_reading_of_the_gateways_own_point(bench: Bench) -> None:
    bench.take((status_topic(PLANT, "GW-01"), encode_status(online=False)))
    (entry,) = bench.journal.read(0, 10)
    device = bench.roster.gateways[PLANT, "GW-01"].device
    assert (entry.batch.point.tolist(), entry.batch.value.tolist()) == ([device], [0.0])
    assert bench.journal.totals().readings == 0, "it came in no frame"
