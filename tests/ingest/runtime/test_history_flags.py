"""The history has the flags by which the engine judged, whether its writer is ahead of the engine or far behind it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import Flag
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.numbering import MemoryNumbering, Numbering
from ingest.runtime.history_flags import HistoryFlags
from tests.ingest.engine.contacts import CONTACTS, HEALTHY, WIRED, frame
from tests.ingest.engine.test_function_check import SECOND, START
from tests.small_plant import small_configuration

ORDER = np.uint16(Flag.LATE)
"""What the history leaves to the engine."""
SECONDS = 300


def stream(configuration: PlantConfiguration) -> list[Batch]:
    """Frames a second apart: contacts come and go and are sent with every other value, one is silent for a while."""
    random, frames, state = np.random.default_rng(7), list[Batch](), dict(HEALTHY)
    for at in range(SECONDS):
        for contact in CONTACTS.values():
            if random.random() < 0.02:
                state[contact] = 1 - state[contact]
        sent = {name: value for name, value in state.items() if name != "CO-01-FAULT" or not 60 <= at < 200}
        columns = {"CO-01": 5.0, **sent} if at % 2 else {"CO-01": 5.0}
        frames.append(frame(configuration, START + at * SECOND, columns))
    return frames


def judged(engine_state: EngineState, frames: list[Batch]) -> list[Batch]:
    """The same with the flags that the engine gives them."""
    found = []
    for each in frames:
        cycle = Cycle(int(each.received.max()), each, engine_state.configuration, Policy())
        found.append(advance(cycle, engine_state).batch)
    return found


def flags_of(batches: list[Batch]) -> list[int]:
    return [*map(int, concat(batches).flags & ~ORDER)]


@pytest.fixture
def numbering() -> Numbering:
    return MemoryNumbering()


@pytest.fixture
def configuration(tmp_path: Path, numbering: Numbering) -> PlantConfiguration:
    return small_configuration(tmp_path, numbering, WIRED)


@pytest.mark.parametrize("ahead", [0, 1, 100, SECONDS], ids=lambda frames: f"the engine is at {frames}")
@pytest.mark.parametrize("size", [1, 7, SECONDS])
def test_a_writer_that_begins_anywhere_gives_what_the_engine_gives(
    configuration: PlantConfiguration, ahead: int, size: int
) -> None:
    """However its cycles cut the journal: here the engine has evaluated so many frames when the writer begins."""
    engine_state, frames = EngineState(configuration), stream(configuration)
    expected = judged(engine_state, frames[:ahead])
    flags = HistoryFlags(lambda: engine_state)
    given = [flags(concat(frames[:size]), configuration)]
    expected += judged(engine_state, frames[ahead:])
    given += [
        flags(concat(frames[begin:end]), configuration)
        for begin, end in pairwise([*range(size, SECONDS, size), SECONDS])
    ]
    assert flags_of(given) == flags_of(expected)
    assert {int(Flag.STATUS_UNKNOWN), int(Flag.BAD | Flag.FAILURE), int(Flag.FUNCTION_CHECK)} <= {*flags_of(expected)}


def test_what_is_given_once_more_has_the_same_flags(configuration: PlantConfiguration) -> None:
    engine_state, frames = EngineState(configuration), stream(configuration)
    flags = HistoryFlags(lambda: engine_state)
    first = flags(concat(frames[:150]), configuration)
    assert flags_of([flags(concat(frames[:150]), configuration)]) == flags_of([first])
    values = first.take(first.point == first.point[0])  # as for phases: without the contacts
    unflagged = concat(frames[:150]).take(first.point == first.point[0])
    assert flags_of([flags(unflagged, configuration)]) == flags_of([values])
    rest = flags(concat(frames[150:]), configuration)
    assert flags_of([first, rest]) == flags_of(judged(engine_state, frames))


def test_a_writer_goes_on_with_another_configuration(
    configuration: PlantConfiguration, numbering: Numbering, tmp_path: Path
) -> None:
    """A contact that is bound later speaks from its next reading on; one that is not bound any more says nothing."""
    unbound = small_configuration(tmp_path, numbering, WIRED.partition("\n[[instruments]]")[0])
    engine_state, frames = EngineState(unbound), stream(configuration)
    flags = HistoryFlags(lambda: engine_state)
    assert {*flags_of([flags(concat(frames[:100]), unbound)])} == {0}
    engine_state = engine_state.successor(configuration)
    given = [flags(concat(frames[100:200]), configuration)]
    assert flags_of(given) == flags_of(judged(engine_state, frames[100:200]))
    assert {*flags_of([flags(concat(frames[200:]), unbound)])} == {0}
