"""Equipment that begins or ceases to run, or changes its phase, is seen at once, though little is checked for it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.batch import Batch
from ingest.domain.model.equipment_state import EquipmentState
from ingest.domain.model.flags import Flag
from ingest.engine.engine_state import EngineState
from ingest.engine.equipment_states import EquipmentKey, EquipmentStates
from ingest.engine.order import Cycle, Policy, advance
from tests.small_plant import ENTERPRISE, PLANT, small_configuration

SECOND = 10**9
START = 1_763_884_800 * SECOND
MACHINES = 4
SILENCE_S = 20

PHASES = """
[[equipment.phases]]
code = "idle"
name = "待机"
name_en = "idle"

[[equipment.phases]]
code = "begun"
name = "开始"
name_en = "begun"
when = "{{STEP-{0}}} >= 3 or {{RUN-{0}}} >= 3"

[[equipment.phases]]
code = "full"
name = "满负荷"
name_en = "full"
when = "{{STEP-{0}}} >= 5"
critical = {{ source = "test", confidence = "engineering default" }}

"""
TEXT = ENTERPRISE + '[[gateways]]\nid = "GW"\nname = "网关"\nname_en = "Gateway"\n'
for number in range(MACHINES):
    TEXT += f'[[equipment]]\nid = "M{number}"\nname = "机"\nname_en = "Machine"\nrunning = "RUN-{number} >= 3"\n'
    TEXT += 'phase_model = "none"\n' + PHASES.format(number)
    for name, silence_s in (("RUN", SILENCE_S), ("STEP", 2 * SILENCE_S)):
        TEXT += f'[[points]]\nid = "{name}-{number}"\nsignal = "STL_CO"\ngateway = "GW"\nsilence_s = {silence_s}\n'

NAMES = [f"{name}-{number}" for number in range(MACHINES) for name in ("RUN", "STEP")]
FLAGS = (0, 0, 0, 0, int(Flag.BAD), int(Flag.HISTORICAL), int(Flag.LATE))


@pytest.mark.parametrize("seed", range(2))
def test_equipment_states_are_those_of_a_model_that_checks_everything_all_the_time(tmp_path: Path, seed: int) -> None:
    """Bad and late readings, silence, steps of the clock, restarts; and nothing by time alone before it is due."""
    chance = random.Random(seed)  # noqa: S311  not a secret
    configuration = small_configuration(tmp_path, text=TEXT)
    engine_state, equipment, now = EngineState(configuration), EquipmentStates(), START
    engine_state.resume(now, now)
    plain: dict[EquipmentKey, EquipmentState] = {}
    seen = 0
    for step in range(1_500):
        before, arrived = now, False
        now += chance.choice((0, SECOND // 10, SECOND, 3 * SECOND, SILENCE_S * SECOND, equipment.due - now))
        now = max(before, min(now, before + 100 * SECOND))
        what = chance.random()
        if what < 0.5:
            arrived = True
            which = [configuration.find(PLANT, name) for name in (*NAMES, "GW") if chance.random() < 0.4]
            point = np.array([point.index for point in which if point is not None], np.int32)
            time, many = np.full(len(point), now - chance.choice((0, 0, 5)) * SECOND), len(point)
            value = np.array([chance.choice((0.0, 3.0, 5.0, np.nan)) for _ in range(many)])
            flags = np.array([chance.choice(FLAGS) for _ in range(many)], np.uint16)
            advance(
                Cycle(now, Batch(point, time, value, flags, np.full(many, now)), configuration, Policy()), engine_state
            )
        elif what < 0.52:
            arrived = True
            engine_state.shift(3600 * SECOND)
            equipment.shift()
            now += 3600 * SECOND
        elif what < 0.54:
            arrived = True
            engine_state.resume(before, now)
            equipment.shift()
        elif what < 0.55:
            arrived = True
            engine_state.forget_times(np.array([1], np.int32))
        elif what < 0.57 and len(equipment):
            equipment.forget(key := chance.choice([*plain]))
            del plain[key]
        elif len(equipment) < MACHINES:
            key = PLANT, f"M{chance.randrange(MACHINES)}"
            equipment.track(*key, engine_state, now)
            plain.setdefault(key, engine_state.view(now).state(*key))
        due = equipment.due
        looked = {key: engine_state.view(now).state(*key) for key in plain}
        expected = [(key, looked[key]) for key in plain if looked[key] != plain[key]]
        assert [*equipment.changed(engine_state, now)] == expected, step
        assert arrived or not expected or now >= due, "time alone changed something before it was due"
        plain, seen = looked, seen + len(expected)
    assert seen > 50
