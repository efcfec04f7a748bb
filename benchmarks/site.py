"""A site on an ordinary day: what its gateways send, and the whole service with its broker, history and webhooks."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.intake import BROKER, Running, service
from benchmarks.load import COLUMNS, Load, load_command, write_plants
from benchmarks.probe import GATEWAYS, probe_command
from tests.servers import HTTP, free_port, influxd, mosquitto_server

History = Literal["influxdb1", "duckdb"]

FIRST: Final = 100
"""The first gateway of what is measured; those of the probes are a plant of their own before it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What comes, steadily.

    Attributes:
        gateways: that send; 0 = nothing is sent.
        frames_per_s: of all of them.
        readings: a frame, and points a gateway.
        alarms_per_min: raised, and returned as often.
    """

    gateways: int
    frames_per_s: float = 0.0
    readings: int = COLUMNS
    alarms_per_min: float = 0.0


SHAPES: Final[Mapping[str, Shape]] = {
    "idle": Shape(0),
    "plant": Shape(5, 10),
    "county": Shape(100, 200),
    "province": Shape(1_000, 1_000),
    "storm": Shape(100, 200, readings=10, alarms_per_min=100),
}


@dataclass(frozen=True, slots=True)
class Site:
    """A service with its broker, and whom it sends its webhooks."""

    service: Running
    broker: tuple[str, int]
    broker_pid: int
    hook: int
    names: Path

    def probe(self, seconds: float, rate: float, gateways: int = GATEWAYS) -> subprocess.Popen[str]:
        """Begin to raise and return alarms in a process of its own."""
        command = probe_command(self.broker[1], self.hook, seconds, rate, gateways)
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own module

    def counted(self) -> dict[str, float]:
        """What the service has counted until now, by the metric's name; of those with labels, one of them."""
        text = HTTP.get(f"{self.service.url}/metrics", headers=self.service.headers, timeout=60).text
        return {
            sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples
        }

    @contextmanager
    def sending(self, load: Load) -> Iterator[subprocess.Popen[bytes]]:
        """It is published meanwhile, by a process of its own. Raises RuntimeError if that fails."""
        with subprocess.Popen(load_command(self.broker, load), stdout=subprocess.DEVNULL) as publisher:  # noqa: S603
            try:
                yield publisher
                if publisher.poll():
                    raise RuntimeError(f"the publisher ended with {publisher.returncode}")
            finally:
                publisher.terminate()


@contextmanager
def site(
    shape: Shape, history: History, *, prompt: bool = False, prepare: Callable[[Path], None] = lambda _: None
) -> Iterator[Site]:
    """The service at rest, ready for what the shape sends.

    Args:
        shape: what that is.
        history: where readings go.
        prompt: see `write_plants`.
        prepare: called with the service's folder before it starts.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, hook = Path(name), free_port()
        write_plants(folder / "plants", GATEWAYS, prompt=True)
        write_plants(folder / "plants", shape.gateways, first=FIRST, columns=shape.readings, prompt=prompt)
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        prepare(folder)
        more = (
            f'[[connectors.webhooks]]\nname = "h"\nurl = "http://127.0.0.1:{hook}/"\nsecret = {{ file = "secret" }}\n'
        )
        with (
            mosquitto_server(folder, BROKER) as broker,
            influxd(folder) if history == "influxdb1" else nullcontext() as influx,
        ):
            address, names = (broker.host, broker.port), folder / "names"
            program = ("-m", "benchmarks.named_threads", str(names))
            with service(folder, address, influx, more, program) as running:
                yield Site(running, address, broker.pid, hook, names)
