"""Settings of alarm management; each default names its source, and none of them is a regulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.domain.model.expectations import given_once, misplaced
from ingest.domain.model.text import Text

Seconds = Annotated[int, Field(gt=0)]


class OperatorPositionConfig(Config):
    """One operator position: who is called by the alarms of which plants."""

    name: str = Field(min_length=1)
    plants: tuple[str, ...] = Field(min_length=1)


class AlarmsConfig(Config):
    """How alarms are reopened, suppressed, shown and counted."""

    # re-raise within 10 min is the same alarm: engineering default
    reopen_s: Seconds = 600
    # one shift: engineering default; ISA-18.2 asks for a limit and leaves the number to the plant (recalled, verify)
    shelve_max_s: Seconds = 28_800
    # a function check (calibration gas) that lasts longer is overdue, and its readings count again: engineering default
    function_check_max_s: Seconds = 3600
    # one day: engineering default; longer takes an extension, which is approved anew
    bypass_max_h: Annotated[int, Field(ge=1)] = 24
    # shelving and suppression by design also cover level 2
    suppress_level_2: bool = False
    # covered alarms of level 2 are folded in the list, too; display only
    inhibit_level_2: bool = False
    # three raises within a minute is chattering: published (aliresources.hexagon.com, fixing chattering alarms)
    chatter_count: Annotated[int, Field(ge=2)] = 3
    chatter_window_s: Seconds = 60
    # standing for a day is stale: published (inductiveautomation.com, alarm system self-audit)
    stale_s: Seconds = 86_400
    # alarms of one equipment at most so far apart are one burst: engineering default
    first_out_gap_s: Seconds = 60
    # a flood begins with more than 10 alarms in 10 min and ends below 5: published (ISA-18.2 as told by prosys.com)
    flood_begins_above: Annotated[int, Field(ge=1)] = 10
    flood_ends_below: Annotated[int, Field(ge=1)] = 5
    flood_window_s: Seconds = 600
    # events of an alarm over for so long go; the alarm and the audit trail stay: engineering default, 5 years
    event_retention_d: Annotated[float, Field(ge=183)] = 1830
    # empty: each plant is a position of its own, under its id; so is every plant that no position names
    positions: tuple[OperatorPositionConfig, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.flood_ends_below > self.flood_begins_above:
            above = self.flood_begins_above
            most = Text(f"不大于 flood_begins_above，即 {above}", f"at most flood_begins_above, which is {above}")
            raise misplaced((("flood_ends_below",), self.flood_ends_below, most))
        unique = Text("其他岗位没有用的名称", "a name that no other position has")
        given_once("positions", "name", (position.name for position in self.positions), unique)
        alone = Text("每个企业只归一个岗位", "each plant at one position only")
        times = Counter(plant for position in self.positions for plant in set(position.plants))
        twice = [
            (("positions", at, "plants"), plant, alone)
            for at, position in enumerate(self.positions)
            for plant in position.plants
            if times[plant] > 1
        ]
        if twice:
            raise misplaced(*twice)
        return self

    def position_plants(self, plants: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the plants of every operator position: those configured, then one for each plant not named in any."""
        named = {position.name: position.plants for position in self.positions}
        taken = {plant for plants_named in named.values() for plant in plants_named}
        alone = [plant for plant in plants if plant not in taken]
        return named | {plant if plant not in named else f"plant {plant}": (plant,) for plant in alone}
