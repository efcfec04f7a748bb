"""Maps a reading to its series by the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.domain.model.plant import DEVICE_SIGNALS
from ingest.plants.configuration import PlantConfiguration

REMOVED = "removed"
"""Plant and signal of readings whose point was removed from the configuration after they were journaled."""


@dataclass(frozen=True, slots=True)
class Series:
    """The names that identify a series in every store."""

    plant: str
    point: str
    signal: str

    @property
    def is_device(self) -> bool:
        """Whether it describes a gateway or the service itself rather than a measured quantity."""
        return self.signal in DEVICE_SIGNALS


def series_of(configuration: PlantConfiguration, index: int) -> Series:
    """The series of a configuration index; readings of a removed point are stored under their index, never dropped."""
    point = configuration.points[index] if index < len(configuration.points) else None
    return Series(REMOVED, str(index), REMOVED) if point is None else Series(point.plant, point.id, point.signal)
