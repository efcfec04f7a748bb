"""Hai'an, Jiangsu, 2024-02-18, 02:11: the starter blocks stuck in the moulds while the platform went on down."""

from __future__ import annotations

from typing import Final

from gateway_sim.accidents.accident import Accident, Moment
from gateway_sim.accidents.casting import BEGIN_S, CAST_S, HydraulicPit, Trouble
from ingest.domain.model.text import Text

_HANGS_S: Final = BEGIN_S + 20.0
_LEVERED_S: Final = _HANGS_S + 240.0
_FALLS_S: Final = _HANGS_S + 300.0


class StuckBlocks(HydraulicPit):
    """The starter blocks stay in the moulds while the platform goes on down."""

    def harm(self, since_s: float) -> Trouble:  # noqa: ARG002  from the first second on
        """What the accident does."""
        return Trouble(hung=True)


HAIAN: Final = Accident(
    id="haian-2024",
    name=Text(
        "海安 2024-02-18 引锭头粘模，平台空降", "Hai'an 2024-02-18: starter blocks hang, the platform goes on down"
    ),
    source=(
        "found: reprints of the notice (71396.com, ggshuji.net): start of the cast, 02:11, the blocks stuck to the"
        " mould table while the withdrawal went on at a steady speed, were levered off with bars and fell; 5 dead,"
        " 13 hurt. Assumed: 20 mm of cast when they stick, five minutes until they fall"
    ),
    plant="casting-hydraulic",
    physics=StuckBlocks,
    begins_s=_HANGS_S,
    no_return_s=_FALLS_S,
    ends_s=_FALLS_S + 30.0,
    says={"LOAD-01": ("HANG",), "CYL_P-01": ("HANG",)},
    needed_s=10.0,
    healthy_s=CAST_S,
    course=(
        Moment(_HANGS_S, Text("引锭头粘在模盘上，平台继续下降", "the blocks stick, the platform goes on down")),
        Moment(_LEVERED_S, Text("人员用撬棍撬动", "people lever at them with bars")),
        Moment(_FALLS_S, Text("引锭头连同铸锭坠落，铝液入水爆炸", "they fall, metal meets water")),
    ),
)
