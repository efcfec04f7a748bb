"""The service under test on real Mosquitto: two plants, one of them quiet, with a webhook and many readers."""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import write_plants
from benchmarks.probe import GATEWAYS, probe_command, receiver
from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.e2e.service import Service
from tests.servers import HTTP, free_port, mosquitto

HAZARDS: Final = 6_000
EVENTS_PER_S: Final = 20.0
_WAITING: Final = (
    "yujing_journal_entries_waiting",
    "yujing_backfill_readings_waiting",
    "yujing_outbox_messages_waiting",
)
_QUIET_PLANT: Final = "load-1"
_REST_S: Final = 600.0
TOKENS: Final = 10  # of readers, all of the quiet plant


@dataclass(frozen=True, slots=True)
class Yard:
    """The service under test, with what surrounds it."""

    service: Service
    broker: int
    hook: int
    seconds: float
    scale: float = 1.0  # of every abuse
    seen: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)  # of back-fills: each is of gateways of its own

    def alarms(self) -> list[float]:
        """Milliseconds from publish to webhook, of alarms raised and cleared over the measure's seconds."""
        probing = probe_command(self.broker, self.hook, self.seconds, EVENTS_PER_S)
        figures = json.loads(subprocess.run(probing, check=True, capture_output=True, text=True).stdout)  # noqa: S603
        return list(figures["webhook_ms"])

    def at_rest(self) -> None:
        """Return once nothing waits any more of what came before: in the journal, staged beside it, in the outbox."""
        # Back-fill has alarms of its own, and the probe does not listen now. No connection must outlive this.
        with receiver(self.hook, lambda _: None, "HTTP/1.0"):
            self.service.until(lambda: not sum(self._waiting()), "all that came before to be dealt with", _REST_S)

    def _waiting(self) -> Iterator[float]:
        exposition = HTTP.get(f"{self.service.url}/metrics", headers=self.service.headers).text
        for family in text_string_to_metric_families(exposition):
            if family.name in _WAITING:
                yield from (sample.value for sample in family.samples)

    def scaled(self, count: int) -> int:
        """So many, by the scale; one at least."""
        return max(1, round(count * self.scale))

    def reader(self, number: int) -> dict[str, str]:
        """The credentials of one of the quiet plant's readers."""
        return {"authorization": f"Bearer {_secret(number)}"}


@contextmanager
def yard(seconds: float, scale: float = 1.0) -> Iterator[Yard]:
    """The whole service on real Mosquitto, with two plants; the second is quiet and has many hazards."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder, hook = Path(name), free_port()
        write_plants(folder / "plants", 100 + GATEWAYS, prompt=True)
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        service = Service(folder, broker, _settings(folder, hook), plant="")
        measured = Yard(service, broker[1], hook, seconds, scale)
        _fill(folder, measured.scaled(HAZARDS))
        with service:
            Yard(service, broker[1], hook, min(4.0, seconds)).alarms()  # code is loaded, connections are there
            yield measured


def _settings(folder: Path, hook: int) -> str:
    lines = [f'[[connectors.webhooks]]\nname = "h"\nurl = "http://127.0.0.1:{hook}/"\nsecret = {{ file = "secret" }}']
    for number in range(TOKENS):
        (folder / f"reader-{number}").write_text(_secret(number))
        token = f'name = "reader-{number}"\nrole = "inspector"\nplants = ["{_QUIET_PLANT}"]'
        lines.append(f'[[api.tokens]]\n{token}\ntoken = {{ file = "reader-{number}" }}')
    return "\n".join(lines) + "\n"


def _secret(number: int) -> str:
    return f"a-readers-token-of-this-benchmark-{number}"


def _fill(folder: Path, count: int) -> None:
    """So many hazards of the quiet plant, found a minute apart."""
    now = time.time_ns()
    hazards = [
        Hazard(
            id=UUID(int=number + 1),
            plant=_QUIET_PLANT,
            title=f"除尘器灰斗积灰 {number}",
            description="清灰周期过长，灰斗内积灰超过规定厚度，未见清理记录。" * 3,
            place="一车间",
            source=HazardSource.HAND,
            found=now - number * 60 * 10**9,
            found_by="张三",
        )
        for number in range(count)
    ]
    database = Database(folder / StateConfig().path)
    CaseStore(database).commit(added=hazards)
    database.close()
