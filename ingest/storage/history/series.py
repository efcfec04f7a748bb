"""Which series a reading belongs to, by the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.domain.model.plant import DEVICE_SIGNALS
from ingest.plants.configuration import PlantConfiguration

REMOVED = "removed"
"""Plant and signal of readings whose point has left the configuration between the journal and the history store."""


@dataclass(frozen=True, slots=True)
class Series:
    """What names a series in every store."""

    plant: str
    point: str
    signal: str

    @property
    def is_device(self) -> bool:
        """Whether it tells of a gateway or of the service itself, not of something that is measured."""
        return self.signal in DEVICE_SIGNALS


def series_of(configuration: PlantConfiguration, index: int) -> Series:
    """The series of a configuration index; readings of a removed point are kept under their index, never dropped."""
    point = configuration.points[index] if index < len(configuration.points) else None
    return Series(REMOVED, str(index), REMOVED) if point is None else Series(point.plant, point.id, point.signal)
