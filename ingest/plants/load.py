"""Read a directory of plant files into a roster, or say everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from ingest.model.fault import Fault, InvalidConfig
from ingest.plants.catalogue import Catalogue, load_catalogue
from ingest.plants.compile import JudgedPlant, compile_roster
from ingest.plants.judging import device_point, judge_points
from ingest.plants.numbering import Numbering
from ingest.plants.plantfile import read_plant_file
from ingest.plants.roster import Roster
from ingest.plants.written import Place


def load_roster(directory: Path, numbering: Numbering, version: int) -> Roster:
    """The roster of every `*.toml` in the directory. Touches no network; numbers points only if all is well.

    Raises:
        InvalidConfig: with every fault of every file.
    """
    catalogue = load_catalogue()
    files = plant_files(directory)
    faults: list[Fault] = []
    if not files:
        faults.append(Place(directory, "*.toml").fault("(none)", "at least one plant file"))
    plants = []
    first: dict[str, Path] = {}
    for file in files:
        plant, found = _plant(file, catalogue)
        faults += found
        if plant is None:
            continue
        plants.append(plant)
        name = plant.enterprise.id
        if first.setdefault(name, file) is not file:
            faults.append(Place(file, "enterprise.id").fault(name, f"an id of its own; {first[name].name} has it too"))
    if faults:
        raise InvalidConfig(faults)
    return compile_roster(plants, numbering, version)


def plant_files(directory: Path) -> list[Path]:
    """The plant files of a directory, by name; none if there is no such directory."""
    return sorted(directory.glob("*.toml"))


def _plant(file: Path, catalogue: Catalogue) -> tuple[JudgedPlant | None, list[Fault]]:
    text, faults = read_plant_file(file, catalogue)
    if text is None:
        return None, faults
    points, found = judge_points(text)
    faults += found
    if text.enterprise is None:
        return None, faults
    devices = tuple(device_point(gateway, catalogue.gateway) for gateway in text.gateways)
    return JudgedPlant(text.enterprise, text.equipment, text.gateways, (*devices, *points)), faults
