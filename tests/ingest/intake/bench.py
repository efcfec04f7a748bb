"""Intake on a real journal, with a broker and gateways that only listen."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from ingest.intake.announcer import Announcer
from ingest.intake.intake import Intake, IntakeConfig
from ingest.intake.sources.clock import Clock
from ingest.intake.sources.handover import Handover
from ingest.intake.sources.raw import Raw
from ingest.intake.sources.shares import Shares
from ingest.intake.wire.frame import Committed, Frame, Refusal, encode_json
from ingest.intake.wire.topics import frame_topic
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.journal import Journal
from tests.movable_clock import SECOND, MovableClock
from tests.small_plant import PLANT, small_configuration

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
        self.followed: list[tuple[bool, int]] = []  # whether there was time for more, and what was acknowledged by then
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
            follow=lambda at_once: self.followed.append((at_once, len(self.acked))),
            shares=self.shares,
        )

    def refuse(self, plant: str, gateway: str, refusal: Refusal) -> bool:
        """The way to the broker."""
        if self.connected:
            self.refused.append((plant, gateway, refusal, len(self.announced)))
        return self.connected

    def take(self, *messages: tuple[str, bytes]) -> None:
        """One group of messages (topic, payload), and the announcements that follow."""
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


FRAMES = frame_topic(PLANT, "GW-01")


def frame(seq: int, boot: str = "b1", **values: float) -> tuple[str, bytes]:
    """A frame of gateway 1."""
    columns: dict[str, list[float | None]] = {name.replace("_", "-"): [value] for name, value in values.items()}
    return FRAMES, encode_json(Frame(boot, seq, [T0 + seq * 1000], columns or {"CO-01": [1.0]}))
