"""Binds the phases of equipment to points of its plant, for those who ask which phase it is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest.domain.model.plant import Phase
from ingest.plants.gates import ALWAYS, Missing
from ingest.plants.phases import PhaseModel
from ingest.plants.plantfile import PlantFile
from ingest.plants.point_scope import PlantPoint, PlantPoints, PointScope


def equipment_phases(plant: PlantFile, points: Sequence[PlantPoint]) -> Mapping[str, tuple[Phase, ...]]:
    """Return the phases of each equipment that has some, in their order.

    A phase whose condition the plant cannot tell is left out: the one before lasts to the beginning of the next.
    """
    scope = PlantPoints(points)
    found = {}
    for equipment, model in plant.phases.of.items():
        here = scope.on_equipment(equipment)
        if model is not None and here:
            anchor = next((point for point in here if point.signal == model.signal), here[0])
            phases = _bound(model, PointScope(anchor, scope))
            if len(phases) > 1:
                found[equipment] = phases
    return found


def _bound(model: PhaseModel, scope: PointScope) -> tuple[Phase, ...]:
    phases = []
    for phase in model.phases:
        try:
            _, bound, _ = scope.condition(phase.when, None, explicit=())
        except Missing:
            continue
        critical = phase.critical is not None
        if bound is not None:
            phases.append(Phase(phase.code, phase.text, bound.text, bound.points, bound.shown, critical))
        elif phase.when == ALWAYS:
            phases.append(Phase(phase.code, phase.text, critical=critical))
    return tuple(phases)
