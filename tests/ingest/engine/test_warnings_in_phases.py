"""A critical phase of its equipment makes an alarm graver, and an unknown one counts as critical; both are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Fact, Trait
from ingest.domain.warnings import risk
from ingest.domain.warnings.explain import as_json, explain_event
from tests.ingest.engine.warned import QUIET, Bench
from tests.small_plant import PLANT

FURNACE = """[[equipment]]
id = "BF-01"
name = "1号高炉"
name_en = "Furnace 1"
phase_model = "none"

[[equipment.phases]]
code = "calm"
name = "平稳"
name_en = "calm"

[[equipment.phases]]
code = "blow"
name = "吹炼"
name_en = "blow"
when = "CO-02 >= 3"
critical = { source = "test", confidence = "engineering default" }

[[points]]"""
RULE = """
[points.rules.X]
kind = "limit"
side = "high"
on = 12
off = 11
level = 2
label = "试"
label_en = "test"
"""
TEXT = QUIET.replace("[[points]]", FURNACE, 1).replace(
    'gateway = "GW-01"\n', 'gateway = "GW-01"\nequipment = "BF-01"\n', 1
)
FIRST, REST = (
    TEXT[: TEXT.index("[[points]]", TEXT.index("CO-01"))],
    TEXT[TEXT.index("[[points]]", TEXT.index("CO-01")) :],
)
TEXT = FIRST + RULE + "\n" + REST
CALM, BLOW, UNKNOWN = (PhaseName(code, Text(*names)) for code, *names in (
    ("calm", "平稳", "calm"), ("blow", "吹炼", "blow"), ("unknown", "未知", "unknown"),
))  # fmt: skip


def fact_of(bench: Bench) -> Fact:
    """The fact that rule X stands."""
    (fact,) = (each for each in bench.engine.engine_state.warnings.by_plant[PLANT].facts.values() if each.rule == "X")
    return fact


SIGNALS: dict[str, tuple[dict[str, float], int, PhaseName]] = {
    "calm": ({"CO-02": 0.0}, 0, CALM),
    "blow": ({"CO-02": 5.0}, 0, BLOW),
    "bad": ({"CO-02": 0.0}, int(Flag.BAD), UNKNOWN),
    "no value": ({"CO-02": np.nan}, int(Flag.NO_VALUE), UNKNOWN),
    "silent": ({}, 0, UNKNOWN),
}
"""What the phase's signal shows after it showed a calm furnace, and the phase that follows."""


@pytest.mark.parametrize("signal", SIGNALS)
def test_engine_alarms_warnings_and_risk_give_one_answer(tmp_path: Path, signal: str) -> None:
    bench = Bench(tmp_path, TEXT)
    bench.read({"CO-01": 5.0, "CO-02": 0.0})
    values, flags, phase = SIGNALS[signal]
    for _ in range(4):
        bench.wait(15)
        bench.read(values, flags)
    bench.read({"CO-01": 13.0})
    critical = phase is not CALM
    point = bench.configuration.find(PLANT, "CO-01")
    state = bench.engine.engine_state.view(bench.clock.wall()).state_of(point)
    assert (state.called, state.critical) == (phase, critical)  # display, automations, API
    (alarm,) = (each for each in bench.engine.engine_state.alarms.values() if each.rule == "X")
    assert alarm.phase == phase
    fact = fact_of(bench)
    assert (fact.phase, Trait.CRITICAL_PHASE in fact.traits) == (phase, critical)
    assert risk.weight(fact) == pytest.approx(risk.PROCESS * 4 * (1.5 if critical else 1))
    assert bench.warnings()[0].colour is (Colour.RED if critical else Colour.ORANGE)
    bench.close()


def test_a_standing_alarm_follows_the_phase_and_the_explanation_names_it(tmp_path: Path) -> None:
    """Raised in a calm furnace it is orange; it becomes red as blowing begins, and stays so after a restart."""
    bench = Bench(tmp_path, TEXT)
    bench.read({"CO-01": 5.0, "CO-02": 0.0})
    bench.read({"CO-01": 13.0, "CO-02": 0.0})
    assert bench.warnings()[0].colour is Colour.ORANGE
    before = bench.warnings()[0].risk
    bench.read({"CO-02": 5.0})
    (warning,) = bench.warnings()
    assert (warning.colour, fact_of(bench).phase) == (Colour.RED, BLOW)
    assert warning.risk > before
    history = bench.book.warning_history(warning.id)
    reasons = as_json(explain_event(history, history[-1].seq))["reasons"]
    assert reasons[0]["rule"] == "L2-CRITICAL"
    assert reasons[0]["facts"][0]["phase"] == {"code": "blow", "name": {"zh": "吹炼", "en": "blow"}}
    bench.start()
    bench.read({"CO-02": 5.0})
    assert fact_of(bench).phase == BLOW
    bench.read({"CO-02": 0.0})
    assert (fact_of(bench).phase, Trait.CRITICAL_PHASE in fact_of(bench).traits) == (CALM, False)
    bench.close()
