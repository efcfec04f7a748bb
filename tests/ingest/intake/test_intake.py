"""Intake: what is acknowledged or announced is on disk; what cannot be taken is on disk too, with its reason."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.domain.model.flags import Flag
from ingest.intake.announcer import Announcer
from ingest.intake.intake import Intake, IntakeConfig
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.sources.shares import Shares
from ingest.intake.wire.frame import MAX_BYTES, Committed, Frame, Refusal, encode_json, encode_status
from ingest.intake.wire.topics import frame_topic, status_topic
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.sequence_state import SequenceState
from ingest.web.texts.quarantine import in_chinese
from tests.movable_clock import SECOND, MovableClock
from tests.small_plant import PLANT, TEXT, small_configuration

T0 = 1_763_884_800_000
HOUR = 3600 * SECOND
PATIENCE_S = 60.0


class Roomy:
    """A disk with room, until it has none."""

    def __init__(self) -> None:
        self.enough = True
        self.asked = threading.Event()

    def room(self) -> bool:
        self.asked.set()
        return self.enough

    def full(self) -> None:
        self.enough = False


class Bench:
    """Intake on a real journal, with a broker and gateways that only listen."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.db")
        self.configuration: PlantConfiguration = small_configuration(folder, self.journal.number_points)
        self.acked: list[str] = []
        self.announced: list[tuple[str, str, Committed]] = []
        self.refused: list[tuple[str, str, Refusal, int]] = []  # the last: how often `committed` had been said by then
        self.connected = True
        self.clock = MovableClock(T0 * 1_000_000)
        self.room = Roomy()
        self.handover = Handover(100)
        self.intake = self.start()

    def announce(self, sequences: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed]:
        self.announced += sequences
        return [committed for *_, committed in sequences]

    def start(self) -> Intake:
        """A fresh intake on the same journal, as after a restart."""
        self.announcer = Announcer(self.announce, self.clock.seconds, refuse=self.refuse)
        self.shares = Shares(2.0, 16.0, lambda: self.configuration.gateways, now=self.clock.seconds)
        return Intake(
            self.handover,
            self.journal,
            lambda: self.configuration,
            lambda messages: self.acked.extend(message.topic for message in messages),
            self.announcer,
            self.room,
            IntakeConfig(),
            Clock(self.clock.wall, self.clock.steady),
            lambda _error: None,
            flush=lambda: None,
            shares=self.shares,
        )

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """The way to the broker."""
        if self.connected:
            self.refused.append((plant, gateway, refusal, len(self.announced)))
        return self.connected

    def take(self, *messages: tuple[str, bytes]) -> None:
        """One group of messages (topic, payload), and whatever is to be told."""
        self.intake.take([Raw(topic, payload, self.clock.wall()) for topic, payload in messages])
        self.announcer.send(self.intake._sequences)
        self.clock.pass_s(1)

    def readings(self, point: str = "CO-01") -> list[tuple[float, int, int]]:
        """(value, time in ns, flags) of every reading of a point that is in the journal."""
        known = self.configuration.find(PLANT, point)
        assert known is not None
        batches = [entry.batch for entry in self.journal.read(0, 1 << 40)]
        rows = [
            [*zip(b.point.tolist(), b.value.tolist(), b.time.tolist(), b.flags.tolist(), strict=True)] for b in batches
        ]
        return [(value, time, flags) for batch in rows for index, value, time, flags in batch if index == known.index]


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
    assert [value for value, _, _ in bench.readings()] == [1.0, 1.0]
    assert bench.acked == [FRAMES, FRAMES]
    assert bench.announced == [(PLANT, "GW-01", Committed("b1", 2, []))]


def test_nothing_is_acknowledged_that_is_not_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(commit: Commit) -> int:
        raise JournalUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.journal, "append", full)
        with pytest.raises(JournalUnavailable):
            bench.take(frame(1))
    assert bench.acked == []
    assert bench.announced == []
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1, "the same frame is taken once the disk is back"


def test_a_frame_that_comes_again_is_acknowledged_and_not_stored_again(bench: Bench) -> None:
    bench.take(frame(1), frame(1))
    bench.intake = bench.start()
    bench.take(frame(1))
    assert bench.journal.totals().readings == 1
    assert len(bench.acked) == 3
    assert bench.announced[-1] == (PLANT, "GW-01", Committed("b1", 1, []))
    assert bench.journal.gateways()[0].duplicates == 2


def test_a_gap_is_named_and_closed(bench: Bench) -> None:
    bench.take(frame(4))
    assert bench.announced[-1][2] == Committed("b1", 4, [(1, 3)])
    bench.take(frame(1), frame(3))
    assert bench.announced[-1][2] == Committed("b1", 4, [(2, 2)])
    bench.take(frame(2))
    assert bench.announced[-1][2] == Committed("b1", 4, [])


def test_a_new_boot_counts_from_one_again(bench: Bench) -> None:
    bench.take(frame(7, boot="b1"), frame(1, boot="b2"))
    assert [entry[2].boot for entry in bench.announced] == ["b1", "b2"]
    assert bench.announced[-1][2] == Committed("b2", 1, [])
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
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert (quarantined.topic, quarantined.reason, quarantined.payload) == (topic, reason, payload)
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
    assert bench.announced[-1][2] == Committed("b1", 2, [])
    bench.take((FRAMES, backwards))
    assert bench.journal.totals().quarantined == 1
    assert bench.journal.totals().quarantined_readings == 2


def test_a_frame_that_was_cut_off_is_not_missing_once_its_beginning_said_which_it_is(bench: Bench) -> None:
    """It is in quarantine; one that does not even say so is asked for again, since nobody knows that it came."""
    whole = encode_json(Frame("b1", 2, [T0 + 1000], {"CO-01": [1.0]}))
    bench.take(frame(1), (FRAMES, whole[:8]), frame(3))
    assert bench.announced[-1][2] == Committed("b1", 3, [(2, 2)])
    bench.take((FRAMES, whole[:-9]))
    assert bench.announced[-1][2] == Committed("b1", 3, [])
    assert [(message.reason, message.payload) for message in bench.journal.quarantined(limit=10)] == [
        ("not-readable", whole[:-9]),
        ("not-readable", whole[:8]),
    ]


def test_a_frame_of_which_the_beginning_is_kept_is_told_with_the_size_it_was_sent_with(bench: Bench) -> None:
    """To its gateway, and to people in quarantine, in both languages."""
    beginning, now = frame(1)[1].ljust(5 * MAX_BYTES), bench.clock.wall()
    bench.intake.take([Raw(FRAMES, beginning, now, whole=6_000_049), Raw(*frame(1), now)])
    bench.take()
    (message,) = bench.journal.quarantined(limit=10)
    assert message.detail == f"6000049 bytes, of which the first {5 * MAX_BYTES} are kept; expected at most {MAX_BYTES}"
    assert in_chinese(message.detail) == f"6000049 字节，只保留了开头的 {5 * MAX_BYTES} 字节；最多 {MAX_BYTES}"
    assert [(gateway, refusal.detail) for _, gateway, refusal, _ in bench.refused] == [("GW-01", message.detail)]
    assert bench.announced[-1][2] == Committed("b1", 1, [])


def test_a_gateway_hears_what_could_not_be_taken_before_that_it_is_on_disk(bench: Bench) -> None:
    """Once a reason and boot, however many frames; of columns too, and of gateways in no plant file."""
    stranger = frame_topic(PLANT, "GW-99")
    bench.take(
        frame(1, CO_01=1.0, CO_98=1.0), frame(2, CO_01=1.0, CO_99=1.0), (FRAMES, b"{"), (stranger, frame(7, "b9")[1]),
        frame(3),
    )  # fmt: skip
    bench.take(frame(1, CO_01=1.0, CO_98=1.0), frame(4))  # a repeat is no news
    refusals = {
        (gateway, refusal.boot, refusal.reason): (refusal.seq, refusal.frames, refusal.readings)
        for _, gateway, refusal, _ in bench.refused
    }
    assert refusals == {
        ("GW-01", "b1", "unknown-point"): (1, 2, 2),
        ("GW-01", "", "not-readable"): (0, 1, 0),
        ("GW-99", "b9", "unknown-gateway"): (7, 1, 0),
    }
    assert [before for *_, before in bench.refused] == [0, 0, 0]
    assert "CO-98" in bench.refused[0][2].detail
    assert [committed.seq for _, gateway, committed in bench.announced if gateway == "GW-01"] == [3, 4]


def test_refusals_wait_for_the_broker_and_are_not_told_again_after_a_retry(bench: Bench) -> None:
    bench.connected = False
    bench.take(frame(1, CO_98=1.0))
    bench.take(frame(2, CO_98=1.0))
    bench.connected = True
    bench.take()
    assert [(refusal.seq, refusal.frames) for *_, refusal, _ in bench.refused] == [(1, 2)]
    [quarantined, _] = bench.journal.quarantined(limit=9)
    bench.intake.take([], [quarantined])
    bench.take()
    assert len(bench.refused) == 1


@pytest.mark.parametrize(
    ("old", "new", "gateway", "point"),
    [
        ('id = "CO-01"', 'id = "CO-09"\nwas = "CO-01"', "GW-01", "CO-09"),
        ('"GW-01"', '"GW-09"', "GW-09", "CO-01"),
    ],
    ids=["point", "gateway"],
)
def test_what_came_under_a_new_id_before_the_plant_file_knew_it_is_taken_in_by_a_retry(
    bench: Bench, tmp_path: Path, old: str, new: str, gateway: str, point: str
) -> None:
    """As the pages on renaming say: the gateway first, then the file, then the retry."""
    bench.take(frame(1, CO_01=1.0))
    topic = frame_topic(PLANT, gateway)
    early, late = ((topic, frame(seq, "b2", **{point.replace("-", "_"): float(seq)})[1]) for seq in (2, 3))
    bench.take(early)
    bench.configuration = small_configuration(tmp_path, bench.journal.number_points, TEXT.replace(old, new))
    bench.take(late)
    bench.intake.take([], bench.journal.quarantined(limit=9))
    assert sorted(value for value, _, _ in bench.readings(point)) == [1.0, 2.0, 3.0]
    assert bench.journal.totals().quarantined == 0


def test_whoever_invents_gateways_fills_no_memory_with_refusals(bench: Bench) -> None:
    """What is not told any more is counted."""
    bench.connected = False
    with capture_logs() as log:
        for start in range(0, 1200, 200):
            bench.take(*((frame_topic(PLANT, f"X{number}"), frame(1)[1]) for number in range(start, start + 200)))
    assert sum(line["frames"] for line in log if line["event"] == "refusals_untold") == 200
    bench.connected = True
    bench.clock.pass_s(2)
    bench.take()
    assert len(bench.refused) == 1000


def test_one_unknown_point_does_not_cost_the_known_ones(bench: Bench) -> None:
    bench.take(frame(1, CO_01=3.0, CO_77=9.0))
    assert [value for value, _, _ in bench.readings()] == [3.0]
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert quarantined.reason == "unknown-point"
    assert "CO-77" in quarantined.detail
    assert b"CO-01" not in quarantined.payload
    assert quarantined.readings == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", '"85"', "true", "[85]", "85, 86"])
def test_one_wrong_column_does_not_cost_the_others(bench: Bench, value: str) -> None:
    """The rest is taken and committed, the wrong one put aside by name; its point has no reading that looks fresh."""
    where = bench.configuration.gateways[PLANT, "GW-01"].columns
    other = bench.configuration.gateways[PLANT, "GW-01"].columns["CO-01"]
    bench.configuration.gateways[PLANT, "GW-01"] = replace(  # type: ignore[index]
        bench.configuration.gateways[PLANT, "GW-01"], columns={**where, "CO-09": other + 1000}
    )
    text = f'{{"boot":"b1","seq":1,"time":[{T0}],"values":{{"CO-01":[{value}],"CO-09":[85.0]}}}}'
    bench.take((FRAMES, text.encode()))
    assert bench.announced[-1][2] == Committed("b1", 1, [])
    assert bench.readings("CO-01") == []
    (entry,) = bench.journal.read(0, 100)
    assert (entry.batch.point.tolist()[-1:], entry.batch.value.tolist()[-1:]) == ([other + 1000], [85.0])
    assert other not in entry.batch.point
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert "values.CO-01" in quarantined.detail
    assert (quarantined.readings, b"CO-09" in quarantined.payload) == (1, False)
    bench.take()
    assert [share for share, _, _ in bench.readings("GW-01.refused")] == [50.0]
    bench.take((FRAMES, text.encode()))
    assert bench.journal.totals().quarantined == 1, "sent again, nothing is put aside twice"


def test_a_frame_of_seventy_thousand_columns_is_put_aside_and_the_next_one_taken(bench: Bench) -> None:
    columns = ",".join(f'"X{number}":[1]' for number in range(70_000))
    text = f'{{"boot":"b1","seq":1,"time":[{T0}],"values":{{{columns}}}}}'
    bench.take((FRAMES, text.encode()), frame(2))
    assert bench.announced[-1][2] == Committed("b1", 2, [])
    assert [value for value, _, _ in bench.readings()] == [1.0]
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert (quarantined.reason, quarantined.readings) == ("too-large", 70_000)


def test_a_retained_status_that_is_taken_back_is_nothing_wrong(bench: Bench) -> None:
    """An empty message on a retained topic is how MQTT clears it; it says neither online nor offline."""
    bench.take((status_topic(PLANT, "GW-01"), b""))
    assert bench.journal.totals().quarantined == 0
    assert bench.journal.read(0, 10) == []
    assert len(bench.acked) == 1


def test_another_gateways_point_is_not_this_gateways_to_send(bench: Bench) -> None:
    bench.take(frame(1, CO_02=3.0))
    assert bench.journal.totals().readings == 0
    assert bench.journal.quarantined(limit=1)[0].reason == "unknown-point"


def test_a_status_becomes_a_reading_of_the_gateways_own_point(bench: Bench) -> None:
    bench.take((status_topic(PLANT, "GW-01"), encode_status(online=False)))
    (entry,) = bench.journal.read(0, 10)
    device = bench.configuration.gateways[PLANT, "GW-01"].device
    assert (entry.batch.point.tolist(), entry.batch.value.tolist()) == ([device], [0.0])
    assert bench.journal.totals().readings == 0, "it came in no frame"


def test_what_happened_between_two_looks_at_the_socket_is_told_in_its_order(bench: Bench) -> None:
    """Messages that were read at once have one time of arrival; none of their readings passes for a late one."""
    gone, device = (
        (status_topic(PLANT, "GW-01"), encode_status(online=False)),
        bench.configuration.gateways[PLANT, "GW-01"].device,
    )
    for first in (1, 3):  # groups that were read together, too
        bench.take(frame(first), gone, frame(first + 1), gone)
        bench.clock.pass_s(-1)
    batches = [e.batch.take(e.batch.point == device) for e in bench.journal.read(0, 1 << 40)]
    times = [time for batch in batches for time in batch.time.tolist()]
    assert [value for batch in batches for value in batch.value.tolist()] == [1.0, 0.0, 1.0, 0.0] * 2
    assert times == sorted(set(times))
    assert times[-1] - times[0] < 1000


def test_a_gateways_clock_that_is_set_back_moves_its_frames_and_is_told(bench: Bench) -> None:
    """The readings stay in order, near their arrival, and say that their times were corrected."""
    bench.take(frame(1), frame(2))
    with capture_logs() as logs:
        back = encode_json(Frame("b1", 3, [T0 - 3_600_000, T0 - 3_599_000], {"CO-01": [8.0, 9.0]}))
        bench.take((FRAMES, back))
    *_, before, (_, first, flags), (_, second, _) = bench.readings()
    assert before[1] < first < second
    assert second - first == SECOND, "the spacing within the frame is the device's own"
    assert abs(second - bench.clock.wall()) < 60 * SECOND
    assert flags == Flag.CLOCK
    assert "gateway_clock_stepped" in [event["event"] for event in logs]
    clock = bench.configuration.gateways[PLANT, "GW-01"].clock
    offsets = [b.value[b.point == clock].tolist() for b in (e.batch for e in bench.journal.read(0, 1000))]
    assert sum(offsets, [])[-1] == pytest.approx(-3600, abs=5)  # noqa: RUF017


def test_a_gateways_clock_is_known_over_a_restart(bench: Bench) -> None:
    bench.take(frame(1))
    bench.take((FRAMES, encode_json(Frame("b1", 2, [T0 - 3_600_000], {"CO-01": [8.0]}))))
    bench.intake = bench.start()
    bench.take((FRAMES, encode_json(Frame("b1", 3, [T0 - 3_599_000], {"CO-01": [9.0]}))))
    (_, before, _), (_, after, flags) = bench.readings()[-2:]
    assert (after - before, flags) == (SECOND, Flag.CLOCK)


def test_a_frame_that_comes_again_or_was_recorded_earlier_keeps_its_own_times(bench: Bench) -> None:
    """Old times are no sign of a wrong clock there."""
    bench.take(frame(1), frame(9))
    bench.take(frame(5))
    old = encode_json(Frame("b1", 10, [T0 - 7_200_000], {"CO-01": [7.0]}, historical=True))
    bench.take((FRAMES, old))
    assert [(time // 1_000_000 - T0, flags) for _, time, flags in bench.readings()[-2:]] == [
        (5_000, 0), (-7_200_000, Flag.HISTORICAL),
    ]  # fmt: skip


def test_what_is_left_of_an_earlier_boot_keeps_its_own_times(bench: Bench) -> None:
    """A gateway that was restarted sends what it had kept: its old frames are older, its clock is right."""
    bench.take(frame(1, boot="old"))
    bench.take((FRAMES, encode_json(Frame("new", 1, [T0 + 9_000], {"CO-01": [1.0]}))))
    bench.take(frame(2, boot="old"))
    assert bench.readings()[-1][1:] == ((T0 + 2_000) * 1_000_000, 0)


def test_the_services_own_clock_stands_between_groups_and_is_not_taken_for_the_gateways(bench: Bench) -> None:
    bench.take(frame(1))
    bench.clock.set_by_s(-86400)
    now, set_by = bench.intake._clock.read()
    bench.intake.take([Raw(*frame(2), now, set_by)])
    assert [entry.step for entry in bench.journal.read(0, 100)] == [0, -86400 * SECOND]
    assert [flags for _, _, flags in bench.readings()] == [0, 0]


def test_a_clock_that_was_set_back_while_the_service_was_off_is_not_taken_for_a_gateway_ahead(bench: Bench) -> None:
    bench.take(frame(1))
    bench.clock.set_by_s(-3600)
    bench.intake = bench.start()
    bench.take(frame(2), frame(3))
    assert [(time // 1_000_000 - T0, flags) for _, time, flags in bench.readings()] == [(1000, 0), (2000, 0), (3000, 0)]


def test_a_gap_is_named_in_time_and_its_end_is_told(bench: Bench) -> None:
    bench.take(frame(1), frame(5))
    with capture_logs() as logs:
        bench.intake._housekeeping_due = 0
        bench.intake._housekeeping()
        assert logs == [], "a resend may still be on its way"
        bench.clock.pass_s(50)
        for _ in range(2):
            bench.intake._housekeeping_due = 0
            bench.intake._housekeeping()
    (named,) = [event for event in logs if event["event"] == "frames_missing"]
    assert (named["gateway"], named["boot"], named["first"], named["last"]) == ("GW-01", "b1", 2, 4)
    assert bench.intake.missing(older_than_s=30) == 3
    with capture_logs() as logs:
        bench.take(frame(3))
        bench.take(frame(2), frame(4))
    assert [event["event"] for event in logs if event["event"] == "frames_found"] == ["frames_found"]
    assert bench.intake.missing(older_than_s=0) == 0


def test_a_gap_that_nobody_closes_is_listed_as_lost_and_still_taken_if_it_comes(bench: Bench) -> None:
    bench.take(frame(1), frame(4))
    bench.clock.pass_s(73 * 3600)
    with capture_logs() as logs:
        bench.intake._housekeeping()
    assert [event["frames"] for event in logs if event["event"] == "frames_lost"] == [2]
    assert "frames_found" not in [event["event"] for event in logs], "given up is not found"
    bench.announcer.send(bench.intake._sequences)
    assert bench.announced[-1][2] == Committed("b1", 4, [])
    (gateway,) = bench.journal.gateways()
    assert [(gap.first, gap.last) for gap in gateway.lost] == [(2, 3)]
    bench.intake = bench.start()
    bench.take(frame(2))
    assert len(bench.readings()) == 3
    assert [(gap.first, gap.last) for gap in bench.journal.gateways()[0].lost] == [(3, 3)]


def test_a_boot_is_not_the_gateways_newest_because_its_frames_come_again(bench: Bench) -> None:
    bench.take(frame(2, boot="old"))
    bench.take(frame(3, boot="new"))
    bench.take(frame(1, boot="old"))
    assert bench.journal.gateways()[0].boot == "new"
    bench.intake = bench.start()
    bench.announced.clear()
    bench.intake.announce_all()
    bench.announcer.send(bench.intake._sequences)
    assert (bench.announced[-1][2].boot, bench.announced[-1][2].seq) == ("new", 3)


def test_what_was_put_aside_is_taken_again_once_it_can_be(bench: Bench) -> None:
    """A gateway that was not in its plant file is enrolled later: nothing it sent is lost."""
    unknown = frame_topic(PLANT, "GW-01").replace(PLANT, "later")
    bench.take((unknown, frame(1)[1]), frame(1, boot="other"))
    (quarantined,) = bench.journal.quarantined(limit=10)
    bench.configuration.gateways["later", "GW-01"] = bench.configuration.gateways[PLANT, "GW-01"]  # type: ignore[index]
    bench.intake.take([], [quarantined])
    assert bench.journal.quarantined(limit=10) == []
    assert len(bench.readings()) == 2
    bench.take((unknown, frame(1)[1]))
    assert len(bench.readings()) == 2, "its frame was known all the time"


def test_while_the_disk_has_no_room_messages_wait_and_the_service_still_tells_of_itself(bench: Bench) -> None:
    bench.room.enough = False
    bench.handover.put([Raw(*frame(1), bench.clock.wall())], lambda: False)
    bench.intake.observe([(bench.configuration.gateways[PLANT, "GW-01"].device, 7.0)])
    bench.intake.start()
    try:
        assert bench.journal.wait(0, PATIENCE_S)
        for _ in range(3):
            bench.room.asked.clear()
            assert bench.room.asked.wait(PATIENCE_S), "it looks for room again and again"
        (entry,) = bench.journal.read(0, 10)
        assert entry.batch.value.tolist() == [7.0]
        assert (bench.acked, len(bench.handover)) == ([], 1)
        bench.room.enough = True
        assert bench.journal.wait(1, PATIENCE_S)
    finally:
        assert bench.intake.stop(PATIENCE_S)
    assert bench.acked == [FRAMES]


def test_a_gateway_whose_frames_are_refused_says_so_with_the_first(bench: Bench) -> None:
    """The share is a reading of the gateway's own point, and so an alarm; a frame that comes again counts once."""
    bench.take(frame(1), (FRAMES, b'{"boot":"b1","seq":2}'), (FRAMES, b'{"boot":"b1","seq":2}'))
    bench.take()
    assert [value for value, _, _ in bench.readings("GW-01.refused")] == [50.0]


def test_a_fleet_that_sends_all_the_time_is_told_ten_times_a_second_and_a_quiet_gateway_at_once() -> None:
    clock, announced = MovableClock(), list[Committed]()

    def announce(sequences: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed]:
        announced.extend(committed for *_, committed in sequences)
        return announced[-len(sequences) :]

    announcer = Announcer(announce, clock.seconds)
    for seq in range(1, 11):
        announcer.mark_due([("p", "g", "b")])
        announcer.send({("p", "g", "b"): SequenceState(seq)})
        clock.pass_s(0.02)
    assert [committed.seq for committed in announced] == [1, 6]
    clock.pass_s(1)
    announcer.mark_due([("p", "g", "b")])
    announcer.send({("p", "g", "b"): SequenceState(11)})
    assert announced[-1].seq == 11


def test_what_is_beyond_a_gateways_share_is_acknowledged_in_its_place_and_asked_for_again(bench: Bench) -> None:
    """It is told as a reading of the gateway's own point, so that somebody hears of it."""
    now = bench.clock.wall()
    first, third = (Raw(*frame(seq), now) for seq in (1, 3))
    bench.intake.take([first, Raw(FRAMES, b"", now, unread=True), third, Raw("else", b"", now)])
    bench.announcer.send(bench.intake._sequences)
    bench.clock.pass_s(1)
    assert bench.acked == [FRAMES, FRAMES, FRAMES, "else"]
    assert bench.announced == [(PLANT, "GW-01", Committed("b1", 3, [(2, 2)]))]
    assert [quarantined.topic for quarantined in bench.journal.quarantined(limit=10)] == ["else"]
    bench.take(frame(2))
    assert bench.announced[-1] == (PLANT, "GW-01", Committed("b1", 3, []))
    assert [value for value, *_ in bench.readings("GW-01.throttled")] == [1.0]


def test_a_gateway_whose_numbers_jump_uses_up_its_share(bench: Bench) -> None:
    """Every second frame missing costs the service what a flood does; the others notice neither."""
    bench.intake.take([Raw(*frame(2 * number), bench.clock.wall()) for number in range(1, 900)])
    assert not bench.shares.admit(FRAMES, 100)
    assert bench.shares.admit(frame_topic(PLANT, "GW-02"), 100)


def test_what_is_put_aside_for_one_reason_is_one_line_of_the_log_however_much_it_is(bench: Bench) -> None:
    """A flood fills neither the disk nor the log; names that somebody makes up are no more lines either."""
    junk = [(FRAMES, b"\xff" + bytes([number])) for number in range(50)]
    strangers = [(frame_topic(PLANT, f"made-up-{number}"), frame(1)[1]) for number in range(30)]
    with capture_logs() as logs:
        bench.take(*junk, *strangers, frame(1))
    lines = [(log["topic"], log["reason"], log["messages"]) for log in logs if log["event"] == "message_quarantined"]
    assert lines == [(FRAMES, "not-readable", 50), (frame_topic(PLANT, "made-up-0"), "unknown-gateway", 30)]
    assert bench.journal.totals().quarantined == 80


def test_a_gateway_that_stamps_whole_seconds_and_sends_faster_loses_no_reading(bench: Bench) -> None:
    """Each has a time of its own, which is its identity in the history."""
    frames = [
        (FRAMES, encode_json(Frame("b1", seq, [T0 + seq // 4 * 1000], {"CO-01": [float(seq)]}))) for seq in range(1, 9)
    ]
    for topic, payload in frames:
        message = Raw(topic, payload, bench.clock.wall())
        bench.intake.take([message, message])
        bench.clock.pass_s(0.25)
    found = bench.readings()
    assert [value for value, _, _ in found] == [float(seq) for seq in range(1, 9)], "in the order of arrival"
    assert [time - T0 * 10**6 for _, time, _ in found] == [
        0, 1, 2, 10**9, 10**9 + 1, 10**9 + 2, 10**9 + 3, 2 * 10**9
    ]  # fmt: skip
