"""Quarantine is limited per gateway and in all: the oldest make room, as reported, and nothing else is deleted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import pytest
from structlog.testing import capture_logs

from ingest.storage.journal.errors import JournalBroken
from ingest.storage.journal.journal import HISTORY_REJECTED, Journal
from ingest.storage.journal.quarantine import Quarantine, QuarantineFilter
from ingest.storage.journal.quota import Quota
from ingest.storage.journal.records import Quarantined

MB: Final = 1 << 20
EACH_MB: Final = 2.0
ALL_MB: Final = 5.0
FULL: Final = (1 << 18) - 1_200
"""Bytes of a payload of which eight find room within two MiB, with what they count for besides."""


def message(number: int, gateway: str = "g", size: int = FULL, reason: str = "schema") -> Quarantined:
    """A message nobody could take; no two numbers have the same bytes."""
    topic = f"yujing/v1/p/{gateway}/frame" if reason != HISTORY_REJECTED else "history/readings"
    return Quarantined(0, number, topic, reason, "", 1, number.to_bytes(8, "big") * (size // 8))


def opened(folder: Path) -> Journal:
    return Journal(folder / "j.db", Quota(EACH_MB, ALL_MB))


def lying(journal: Journal, gateway: str = "g") -> list[int]:
    """The numbers of a gateway's messages that are still there, oldest first."""
    found = journal.quarantined(limit=10_000)
    return [quarantined.received for quarantined in reversed(found) if f"/{gateway}/" in quarantined.topic]


def overflowed(logs: Sequence[Any]) -> list[tuple[str, int, int]]:
    return [
        (log["sender"], log["messages"], log["readings"]) for log in logs if log["event"] == "quarantine_overflowed"
    ]


def test_the_oldest_of_a_gateway_make_room_for_its_newest_and_nobody_elses(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(100, "calm")])
    with capture_logs() as logs:
        for number in range(9):
            journal.quarantine([message(number)])
    assert lying(journal) == [*range(2, 9)], "an eighth more than was needed, so that it is not done for each message"
    assert lying(journal, "calm") == [100]
    assert overflowed(logs) == [("yujing/v1/p/g/", 2, 2)]
    assert journal.overflowed() == 2


def test_a_flood_never_has_more_than_its_quota_however_it_comes(tmp_path: Path) -> None:
    """Tiny ones, large ones, the same again, several gateways in one commit, with restarts: against a plain sum."""
    rng = random.Random(7)  # noqa: S311  no secret
    journal = opened(tmp_path)
    given = 0
    with capture_logs() as logs:
        for _ in range(60):
            sizes = [rng.choice([8, 80, 8_000, 800_000]) for _ in range(rng.randint(1, 30))]
            items = [
                message(rng.randrange(10**6), rng.choice("abcdef"), size, rng.choice(["schema", "topic"]))
                for size in sizes
            ]
            before = {(item.topic, item.payload) for item in journal.quarantined(limit=10_000)}
            given += len({(item.topic, item.payload) for item in items} - before)
            journal.quarantine(items)
            held: dict[str, int] = {}
            for quarantined in journal.quarantined(limit=10_000):
                who = "*" if quarantined.reason == "topic" else quarantined.topic
                held[who] = held.get(who, 0) + len(quarantined.payload)
            assert all(size <= EACH_MB * MB for size in held.values())
            assert sum(held.values()) <= ALL_MB * MB
            if rng.random() < 0.1:
                journal.close()
                journal = opened(tmp_path)
    kept = journal.totals().quarantined
    assert kept + sum(messages for _, messages, _ in overflowed(logs)) == given, (
        "sum in = what lies there and what was told"
    )
    assert kept < given


def test_who_has_most_makes_room_when_all_together_have_too_much(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(number, "small") for number in range(2)])
    for gateway in ("a", "b", "c"):
        journal.quarantine([message(number, gateway) for number in range(8)])
    assert lying(journal, "small") == [0, 1]
    assert sum(len(lying(journal, gateway)) for gateway in ("a", "b", "c")) <= 18
    assert min(len(lying(journal, gateway)) for gateway in ("a", "b", "c")) >= 4, "from the largest, not all from one"


def test_strangers_have_one_quota_however_many_names_they_take(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(100, "known")])
    for number in range(40):
        journal.quarantine([message(number, f"made-up-{number}", reason="unknown-gateway")])
    assert journal.totals().quarantined <= 1 + 8
    assert lying(journal, "known") == [100]


def test_what_the_history_refused_is_no_junk_and_stays(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for number in range(30):
        journal.quarantine([message(number, reason=HISTORY_REJECTED)])
    assert journal.totals().quarantined == 30
    assert journal.overflowed() == 0


def test_what_a_person_wants_to_be_tried_again_goes_last(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(number) for number in range(8)])
    oldest = min(item.id for item in journal.quarantined(limit=10))
    with Quarantine(tmp_path / "j.db", writing=True) as people:
        people.retry(QuarantineFilter(ids=[oldest]))
    journal.quarantine([message(8)])
    assert lying(journal) == [0, *range(3, 9)]


def test_room_that_a_person_made_is_used_before_anything_is_deleted(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(number) for number in range(8)])
    with Quarantine(tmp_path / "j.db", writing=True) as people:
        people.drop(QuarantineFilter())
    journal.quarantine([message(number) for number in range(8, 16)])
    assert lying(journal) == [*range(8, 16)]
    assert journal.overflowed() == 0


def test_what_was_rolled_back_deletes_nothing_and_leaves_the_bounds_as_they_are(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.quarantine([message(number) for number in range(8)])
    other = apsw.Connection(str(tmp_path / "j.db"))
    other.execute("CREATE TRIGGER no BEFORE DELETE ON quarantine BEGIN SELECT raise(ABORT, 'no'); END")
    with capture_logs() as logs, pytest.raises(JournalBroken, match="no"):
        journal.quarantine([message(8)])
    assert overflowed(logs) == []
    assert lying(journal) == [*range(8)]


def test_a_journal_of_the_version_before_is_bounded_from_its_first_message_on(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "j.db"))
    old.execute(
        "CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, topic TEXT NOT NULL,"
        " reason TEXT NOT NULL, detail TEXT NOT NULL, readings INTEGER NOT NULL, payload BLOB NOT NULL,"
        " digest BLOB NOT NULL, retry INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, digest)) STRICT"
    )
    old.executemany(
        "INSERT INTO quarantine (received, topic, reason, detail, readings, payload, digest)"
        " VALUES (?, ?, ?, '', 1, ?, ?)",
        [
            (quarantined.received, quarantined.topic, quarantined.reason, quarantined.payload, bytes([n]))
            for n, quarantined in enumerate(map(message, range(20)))
        ],
    )
    old.pragma("user_version", 2)
    old.close()
    journal = opened(tmp_path)
    assert journal.totals().quarantined == 20, "opening deletes nothing"
    journal.quarantine([message(20)])
    assert lying(journal) == [*range(14, 21)]
