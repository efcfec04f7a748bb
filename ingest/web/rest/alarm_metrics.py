"""REST: alarm metrics of each operator position (EEMUA 191, ISA-18.2)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Query

from ingest.domain.alarms.benchmarks import BENCHMARKS
from ingest.domain.alarms.metrics import AlarmMetrics
from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Caller
from ingest.web.rest import alarm_metrics_schemas as shapes
from ingest.web.rest.router import rest_router

_DAY: Final = 86_400 * 10**9
_LONGEST: Final = 366 * _DAY


def alarm_metrics_router(ports: Ports) -> APIRouter:
    """Return the route on alarm metrics. Include it before /alarms/{alarm}."""
    router = rest_router("/alarms", tags=["alarms"])

    @router.get("/metrics")
    def metrics(
        caller: Caller,
        position: Annotated[str | None, Query(description="default: each position in scope")] = None,
        start: Annotated[Instant | None, Query(alias="from", description="default: a day before the end")] = None,
        end: Annotated[Instant | None, Query(alias="to", description="default: now")] = None,
    ) -> shapes.AlarmMetricsOut:
        """Tell what the alarms of a span asked of each operator position, beside the benchmarks."""
        now = ports.now()
        last = now if end is None else min(end, now)
        first = last - _DAY if start is None else start
        if not first < last:
            raise BadParameter("from", iso(first), f"a time before {iso(last)}")
        if last - first > _LONGEST:
            raise BadParameter("from", iso(first), f"at most {_LONGEST // _DAY} days before {iso(last)}")
        chosen = caller_scope.positions(ports, caller, position)
        present = ports.load.present(chosen, now)
        found = ports.load.metrics(chosen, first, last)
        return shapes.AlarmMetricsOut(
            positions=[_position(name, plants, found[name], present[name]) for name, plants in chosen.items()],
            benchmarks=[shapes.BenchmarkOut.model_validate(benchmark) for benchmark in BENCHMARKS],
        )

    return router


def _position(name: str, plants: tuple[str, ...], of: AlarmMetrics, now: OperatorLoad) -> shapes.PositionMetrics:
    answers = of.answers
    return shapes.PositionMetrics(
        position=name,
        plants=list(plants),
        start=str(iso(of.start)),
        end=str(iso(of.end)),
        raised=of.raised,
        hidden=of.hidden,
        per_day=of.raised * _DAY / (of.end - of.start),
        rate_mean=of.rate_mean,
        rate_max=of.rate_max,
        slots=of.slots,
        above_1=of.above[1],
        above_2=of.above[2],
        above_10=of.above[10],
        floods=[
            shapes.FloodOut(began=str(iso(flood.began)), ended=iso(flood.ended), alarms=flood.alarms, peak=flood.peak)
            for flood in of.floods
        ],
        flood_share=of.flood_share,
        top=[shapes.RuleLoadOut.model_validate(rule_load) for rule_load in of.top],
        top_share=of.top_share,
        level_1=of.levels[1],
        level_2=of.levels[2],
        level_2_share=of.levels[2] / of.raised if of.raised else 0.0,
        chattering=[shapes.RuleName(plant=plant, point=point, rule=code) for plant, point, code in of.chattering],
        acknowledged=answers.acknowledged,
        not_acknowledged=answers.open,
        acknowledged_median_s=answers.median_s,
        acknowledged_p95_s=answers.p95_s,
        now=shapes.PresentOut(
            level_1=now.levels[1],
            level_2=now.levels[2],
            **{key: value for key, value in asdict(now).items() if key != "levels"},
        ),
    )
