"""Before a gateway has connected for the first time its plant is being built, and not in danger."""

from __future__ import annotations

from pathlib import Path

from ingest.domain.model.outbox import MessageKind
from ingest.domain.model.warning import Colour
from ingest.domain.warnings import risk
from tests.ingest.engine.warned import Bench
from tests.small_plant import ENTERPRISE, PLANT

POINTS = 20
PLANT_FILE = (
    ENTERPRISE
    + """
[[gateways]]
id = "GW-01"
name = "一号网关"
name_en = "Gateway 1"
"""
    + "".join(
        f'\n[[points]]\nid = "CO-{number:02d}"\nsignal = "STL_CO"\ngateway = "GW-01"\n'
        for number in range(1, POINTS + 1)
    )
)
NAMES = [f"CO-{number:02d}" for number in range(1, POINTS + 1)]


def band(bench: Bench) -> Colour:
    """The band the plant's risk index is in."""
    known = bench.configuration.plants[PLANT]
    episodes = bench.engine.engine_state.warnings.by_plant.get(PLANT)
    return risk.band_at(risk.inherent(known), episodes.facts.values() if episodes else (), bench.clock.wall())


def silent(bench: Bench) -> set[str]:
    return {
        alarm.point for alarm in bench.engine.engine_state.alarms.values() if alarm.active and alarm.rule == "SILENT"
    }


def messages(bench: Bench, kind: MessageKind = "alarm") -> int:
    return len(bench.outbox.waiting("town", kind, 0, 1000))


def test_a_first_start_without_the_gateway_is_one_alarm_and_one_message_and_no_danger(tmp_path: Path) -> None:
    """The index is as blue as the colour, for as long as it takes and after a restart; then all are watched."""
    bench = Bench(tmp_path, PLANT_FILE)
    bench.wait(600)
    bench.start()
    bench.wait(600)
    assert {(alarm.point, alarm.rule) for alarm in bench.engine.engine_state.alarms.values()} == {("GW-01", "SILENT")}
    assert (messages(bench), {warning.peak for warning in bench.warnings()}, band(bench)) == (
        1,
        {Colour.BLUE},
        Colour.BLUE,
    )
    bench.read(dict.fromkeys(NAMES[1:], 5.0))
    assert silent(bench) == set()
    bench.wait(1200)
    assert silent(bench) == {"GW-01", *NAMES}, "also the one that has never sent anything"
    bench.close()
