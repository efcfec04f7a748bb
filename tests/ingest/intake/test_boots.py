"""However many boots a gateway has had, what is remembered of them stays small, and nothing that lives is forgotten."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
from structlog.testing import capture_logs

from ingest.intake.boots import MAX_BOOTS, Boots
from ingest.intake.wire.frame import Committed, Frame, encode_json
from ingest.intake.wire.topics import frame_topic
from ingest.storage.journal.sequence_table import NEWEST_BOOTS
from tests.ingest.intake.bench import T0, Bench, frame

STRANGE = frame_topic("nobody", "GW-01")


def later(s: int, seq: int, boot: str) -> tuple[str, bytes]:
    """A frame so long after the first ones, for each start of a gateway comes after what it sent before."""
    return frame(1)[0], encode_json(Frame(boot, seq, [T0 + 10_000 + s * 1000], {"CO-01": [1.0]}))


def test_those_heard_longest_ago_go_and_never_the_one_a_gateway_is_in() -> None:
    """Random histories against a plain list, oldest first."""
    dice = random.Random(3)  # noqa: S311
    for _ in range(100):
        boots, plain, current = Boots([]), list[str](), "0"
        for _ in range(60):
            boot = str(dice.randint(0, 9))
            boots.record([("p", "g", boot)])
            plain = [*(name for name in plain if name != boot), boot]
            if dice.random() < 0.2:
                current = boot
            if dice.random() < 0.3:
                spare = [name for name in plain if name != current]
                gone = boots.surplus({("p", "g")}, lambda _who, now=current: now, most=3)  # type: ignore[misc]
                expected = spare[: max(len(plain) - 3, 0)]
                assert [key[2] for key in gone] == expected
                plain = [name for name in plain if name not in expected]


def test_gateways_that_nobody_enrolled_share_one_bound() -> None:
    boots = Boots([("p", f"g{number}", "b") for number in range(20)])
    gone = boots.surplus({("p", "g0"), ("p", "g1")}, lambda _who: "b", most_unknown=5)
    assert gone == [("p", f"g{number}", "b") for number in range(2, 15)]
    assert boots.surplus({("p", "g0")}, lambda _who: "b", most_unknown=5) == [], "nothing new came"


def test_a_gateway_is_shown_by_the_boot_it_is_in_however_many_others_were_heard_once(tmp_path: Path) -> None:
    """A stray frame of another boot, twice, and over a restart: what people see goes on with the gateway."""
    bench = Bench(tmp_path)
    for cycle in range(1, 4):
        bench.take(later(3 * cycle, cycle, "living"))
        bench.take(later(3 * cycle + 1, 5, f"stray{cycle}"))
        bench.take(later(3 * cycle + 2, cycle + 10, "living"))
        (gateway,) = bench.journal.gateways()
        assert (gateway.boot, gateway.committed, gateway.frames) == ("living", cycle + 10, 2 * cycle)
        bench.intake = bench.start()  # as after a restart


def test_forgetting_old_boots_is_durable_and_reported_and_a_returning_boot_is_asked_for_what_may_be_missing(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    bench.take(frame(3, boot="first"))
    with capture_logs() as logs:
        for number in range(2 * MAX_BOOTS):
            bench.take(later(number, 1, f"b{number}"))
        bench.intake._housekeeping_due = 0
        bench.intake._housekeeping()
    (forgotten,) = [event for event in logs if event["event"] == "boots_forgotten"]
    assert (forgotten["gateway"], forgotten["boots"], forgotten["frames_missing"]) == ("GW-01", MAX_BOOTS + 1, 2)
    assert len(bench.journal.sequence_states()) == MAX_BOOTS
    assert bench.intake.missing(older_than_s=0) == 0
    bench.intake = bench.start()
    bench.take(later(3 * MAX_BOOTS, 4, "first"))
    assert bench.announced[-1][2] == Committed("first", 4, [(1, 3)])
    assert bench.journal.gateways()[0].boot == "first"


def test_gateways_of_no_plant_file_leave_little_behind_and_are_not_asked_for_anything(tmp_path: Path) -> None:
    """A plant that is taken out, or a name somebody made up: its gaps count no more and are not reported."""
    bench = Bench(tmp_path)
    bench.take(frame(5))
    strange = encode_json(Frame("b", 5, [T0], {"CO-01": [1.0]}))
    bench.take((STRANGE, strange))
    bench.clock.pass_s(100)
    assert bench.intake.missing(older_than_s=50) == 4, "of the gateway we know"
    bench.configuration.gateways.clear()  # type: ignore[attr-defined]
    bench.intake = bench.start()
    bench.announced.clear()
    bench.intake.announce_all()
    bench.announcer.send(bench.intake._sequences)
    with capture_logs() as logs:
        bench.intake._housekeeping()
    assert (bench.announced, bench.intake.missing(older_than_s=50)) == ([], 0)
    assert [event["event"] for event in logs] == []


def test_listing_gateways_is_one_walk_over_the_boots(tmp_path: Path) -> None:
    """Counted in steps of SQLite: twice the boots, twice the steps; it was four times."""

    def steps(boots: int) -> int:
        bench = Bench(tmp_path / str(boots))
        bench.journal.close()
        connection = apsw.Connection(str(tmp_path / str(boots) / "journal.db"))
        connection.executemany(
            "INSERT INTO position VALUES ('p', 'g', ?, 1, '[]', '[]', 'null', ?, ?, 1, 0, x'')",
            [(f"{number:x}", number, number) for number in range(boots)],
        )
        counted = 0

        def count() -> bool:
            nonlocal counted
            counted += 1
            return False

        connection.set_progress_handler(count, 100)
        ((_, _, newest, *_),) = connection.execute(NEWEST_BOOTS).fetchall()
        assert newest == f"{boots - 1:x}"
        connection.close()
        return counted

    (tmp_path / "500").mkdir()
    (tmp_path / "1000").mkdir()
    assert steps(1000) < 2.5 * steps(500)
