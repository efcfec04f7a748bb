"""What cannot be accepted is on disk with its reason, its gateway is informed, and it never stops the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.intake.sources.raw import Raw
from ingest.intake.wire.frame import MAX_BYTES, Committed, Frame, encode_json
from ingest.intake.wire.topics import frame_topic, status_topic
from ingest.web.texts.quarantine import in_chinese
from tests.ingest.intake.bench import FRAMES, T0, Bench, frame
from tests.small_plant import PLANT, TEXT, small_configuration


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


def test_a_gateway_may_delete_a_quarantined_frame(bench: Bench) -> None:
    """It is on disk, if not in the journal; asking for it again would never end."""
    backwards = b'{"boot":"b1","seq":2,"time":[1763884801000,1763884800000],"values":{"CO-01":[1,2]}}'
    bench.take(frame(1), (FRAMES, backwards))
    assert bench.announced[-1][2] == Committed("b1", 2, [])
    bench.take((FRAMES, backwards))
    assert bench.journal.totals().quarantined == 1
    assert bench.journal.totals().quarantined_readings == 2


def test_a_truncated_frame_is_not_missing_if_its_beginning_names_its_number(bench: Bench) -> None:
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


def test_a_truncated_frame_is_reported_with_its_full_size(bench: Bench) -> None:
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


def test_refusals_wait_for_the_broker_and_are_not_sent_again_after_a_retry(bench: Bench) -> None:
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
    """What is not logged any more is counted."""
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
    """The rest is accepted and committed, the wrong column quarantined; its point has no reading that seems fresh."""
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


def test_a_frame_of_seventy_thousand_columns_is_quarantined_and_the_next_one_accepted(bench: Bench) -> None:
    columns = ",".join(f'"X{number}":[1]' for number in range(70_000))
    text = f'{{"boot":"b1","seq":1,"time":[{T0}],"values":{{{columns}}}}}'
    bench.take((FRAMES, text.encode()), frame(2))
    assert bench.announced[-1][2] == Committed("b1", 2, [])
    assert [value for value, _, _ in bench.readings()] == [1.0]
    (quarantined,) = bench.journal.quarantined(limit=10)
    assert (quarantined.reason, quarantined.readings) == ("too-large", 70_000)


def test_another_gateways_point_is_not_this_gateways_to_send(bench: Bench) -> None:
    bench.take(frame(1, CO_02=3.0))
    assert bench.journal.totals().readings == 0
    assert bench.journal.quarantined(limit=1)[0].reason == "unknown-point"


def test_quarantined_readings_are_accepted_again_once_they_can_be(bench: Bench) -> None:
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


def test_a_gateway_whose_frames_are_refused_says_so_with_the_first(bench: Bench) -> None:
    """The share is a reading of the gateway's own point, and so an alarm; a frame that comes again counts once."""
    bench.take(frame(1), (FRAMES, b'{"boot":"b1","seq":2}'), (FRAMES, b'{"boot":"b1","seq":2}'))
    bench.take()
    assert [value for value, _, _ in bench.readings("GW-01.refused")] == [50.0]


def test_readings_quarantined_for_one_reason_are_one_line_of_the_log(bench: Bench) -> None:
    """A flood fills neither the disk nor the log; names that somebody makes up are no more lines either."""
    junk = [(FRAMES, b"\xff" + bytes([number])) for number in range(50)]
    strangers = [(frame_topic(PLANT, f"made-up-{number}"), frame(1)[1]) for number in range(30)]
    with capture_logs() as logs:
        bench.take(*junk, *strangers, frame(1))
    lines = [(log["topic"], log["reason"], log["messages"]) for log in logs if log["event"] == "message_quarantined"]
    assert lines == [(FRAMES, "not-readable", 50), (frame_topic(PLANT, "made-up-0"), "unknown-gateway", 30)]
    assert bench.journal.totals().quarantined == 80
