"""The small plant with instruments that have status contacts: of both heads, one of them normally closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from ingest.domain.model.batch import Batch
from ingest.domain.model.device_status import DeviceStatus
from ingest.plants.configuration import PlantConfiguration
from tests.ingest.engine.test_function_check import PLAIN, SECOND, START, Head
from tests.small_plant import PLANT

CONTACTS: Final = {
    DeviceStatus.FAILURE: "CO-01-FAULT",
    DeviceStatus.FUNCTION_CHECK: "CO-01-CAL",
    DeviceStatus.OUT_OF_SPECIFICATION: "CO-01-SPEC",
    DeviceStatus.MAINTENANCE_REQUIRED: "CO-01-MAINT",
}
"""The contacts of the head CO-01, by what they say."""
_POINT = '\n[[points]]\nid = "{}"\nsignal = "STATUS_CONTACT"\ngateway = "{}"\n'
WIRED: Final = (
    PLAIN
    + "".join(_POINT.format(contact, "GW-01") for contact in CONTACTS.values())
    + _POINT.format("CO-02-OK", "GW-02")
    + """
[[instruments]]
id = "HEAD-1"
points = ["CO-01"]
[instruments.status]
failure = "CO-01-FAULT"
function_check = "CO-01-CAL"
out_of_specification = "CO-01-SPEC"
maintenance_required = "CO-01-MAINT"

[[instruments]]
id = "HEAD-2"
points = ["CO-02"]
status = { failure = "CO-02-OK == 0" }
"""
)
HEALTHY: Final = dict.fromkeys(CONTACTS.values(), 0.0)


def frame(
    configuration: PlantConfiguration,
    time: int,
    values: Mapping[str, float],
    flags: Mapping[str, int] | None = None,
    received: int | None = None,
) -> Batch:
    """What several points were at one time (ns), in that order of columns; `received`: where that is another time."""
    known = [configuration.find(PLANT, name) for name in values]
    n = len(known)
    return Batch(
        np.array([point.index for point in known if point is not None], np.int32),
        np.full(n, time),
        np.array([*values.values()], float),
        np.array([(flags or {}).get(name, 0) for name in values], np.uint16),
        np.full(n, time if received is None else received),
    )


class WiredHead(Head):
    """The stages over the small plant with contacts; times in s from the start."""

    def __init__(self, folder: Path, text: str = WIRED, longest_s: int = 3600) -> None:
        super().__init__(folder, text, longest_s)

    def frame(
        self,
        at: float,
        values: Mapping[str, float],
        flags: Mapping[str, int] | None = None,
        arrives: float | None = None,
    ) -> set[tuple[str, str]]:
        """Take a frame; return (event, rule) of the alarms of CO-01."""
        received = None if arrives is None else START + round(arrives * SECOND)
        return self.run(frame(self.configuration, START + round(at * SECOND), values, flags, received), "CO-01")

    def each_second(
        self, begin: int, end: int, value: float, contacts: Mapping[str, float], flags: int = 0
    ) -> set[tuple[str, str]]:
        """Take CO-01 with these contacts each second."""
        return {
            found
            for at in range(begin, end)
            for found in self.frame(at, {"CO-01": value, **contacts}, {"CO-01": flags})
        }

    def flags(self, point: str = "CO-01") -> int:
        known = self.configuration.find(PLANT, point)
        assert known is not None
        return int(self.engine_state.flags[known.index])
