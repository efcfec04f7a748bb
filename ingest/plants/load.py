"""Loads a directory of plant files into a configuration, or reports every fault in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Catalogue, load_catalogue
from ingest.plants.compile import EvaluatedPlant, compile_configuration
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.equipment_phases import equipment_phases
from ingest.plants.numbering import Numbering
from ingest.plants.own_points import gateway_points, instrument_points, service_points
from ingest.plants.plant_budget import with_budgets
from ingest.plants.plantfile import read_plant_file
from ingest.plants.point_rules import Shared, evaluate_points, plant_points
from ingest.plants.written import Place


def load_configuration(directory: Path, numbering: Numbering, version: int) -> PlantConfiguration:
    """Load the configuration of every `*.toml` in the directory, and of the service itself.

    Touches no network; numbers points only if all is well.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    catalogue = load_catalogue()
    files = plant_files(directory)
    faults: list[Fault] = [] if files else [none_there(directory)]
    plants: list[EvaluatedPlant] = []
    first: dict[str, Path] = {}
    shared = Shared()
    for file in files:
        plant, found = evaluate_file(file, catalogue, shared)
        faults += found
        if plant is None:
            continue
        plants.append(plant)
        name = plant.id
        if first.setdefault(name, file) is not file:
            other = first[name].name
            expected = Text(f"不重复的编号；{other} 已用", f"an id of its own; {other} has it too")
            faults.append(Place(file, "enterprise.id").fault(name, expected))
    if faults:
        raise InvalidConfig(faults)
    return configuration_of(plants, catalogue, numbering, version)


def plant_files(directory: Path) -> list[Path]:
    """Return the plant files of a directory, by name; none if the directory is missing or unreadable."""
    try:
        return sorted(directory.glob("*.toml"))
    except OSError:  # a link that leads to itself, a mount that is gone
        return []


def none_there(directory: Path) -> Fault:
    """Return the fault of a directory without plant files."""
    return Place(directory, "*.toml").fault("(none)", Text("至少一个企业文件", "at least one plant file"))


def evaluate_file(
    file: Path, catalogue: Catalogue, shared: Shared, content: bytes | None = None
) -> tuple[EvaluatedPlant | None, list[Fault]]:
    """Evaluate a plant file: the plant (None if its id is unknown), and every fault; `content` if read already."""
    text, faults = read_plant_file(file, catalogue, content)
    if text is None:
        return None, faults
    points, found = evaluate_points(text, shared)
    faults += found
    if text.enterprise is None:
        return None, faults
    instruments = text.instruments
    own = [point for gateway in text.gateways for point in gateway_points(gateway, catalogue.gateway)]
    own += [point for instrument in instruments for point in instrument_points(instrument, catalogue.instrument)]
    phases = equipment_phases(text, plant_points(text))
    every = with_budgets((*own, *points), text.enterprise.budget)
    parts = (text.enterprise, text.equipment, text.gateways, every, phases, instruments, text.cleaning)
    return EvaluatedPlant(*parts), faults


def configuration_of(
    plants: Sequence[EvaluatedPlant], catalogue: Catalogue, numbering: Numbering, version: int
) -> PlantConfiguration:
    """Compile the configuration of plants without faults, and of the service itself."""
    service = EvaluatedPlant(None, (), (), service_points(catalogue.service))
    return compile_configuration([*plants, service], numbering, version)
