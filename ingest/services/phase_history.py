"""The phases of an equipment over time, as far as the history has come."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.domain.model.phase_record import HOLDS, PhaseSpan, spans
from ingest.domain.model.plant import UNKNOWN_PHASE, Equipment, PhaseName
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery

_BUCKETS = 240


async def phase_spans(
    ports: Ports, plant: str, machine: Equipment, start: int, end: int, reached: int | None = None
) -> list[PhaseSpan]:
    """Return the phases of an equipment from `start` to `end` (ns), in order; nothing where none is recorded.

    `reached`: until when the history is known to have readings; None: those of the points that tell its phase are
    looked up. The newest record holds on only as long as the history is seen to go on. Raises Unavailable.
    """
    if not machine.phases:
        return []
    records = await caller_scope.phases(ports, PhaseQuery(plant, machine.id, start - HOLDS, end))
    if reached is None:
        reached = await _reached(ports, plant, machine, end)
    seen = max(reached, *(record.time for record in records[-1:]), 0)
    return spans(records, start, min(end, seen))


def reaches(trends: Iterable[tuple[TrendQuery, Trend]]) -> int:
    """Return until when there are readings in these trends, ns; 0: nowhere."""
    return max((int(trend.time.max()) + query.width for query, trend in trends if len(trend.time)), default=0)


def phase_called(machine: Equipment, code: str) -> PhaseName:
    """Return what a phase is called now; one that the plant file no longer has is called by its code."""
    known = {phase.code: phase.called for phase in (*machine.phases, UNKNOWN_PHASE)}
    return known.get(code) or PhaseName(code, Text(code, code))


async def _reached(ports: Ports, plant: str, machine: Equipment, end: int) -> int:
    configuration = ports.live.configuration()
    names = dict.fromkeys(name for phase in machine.phases for name in phase.points)
    points = [point for name in names if (point := configuration.find(plant, name)) is not None]
    queries = [TrendQuery(plant, point.id, end - HOLDS, end, _BUCKETS, point.was) for point in points]
    return reaches(zip(queries, await caller_scope.trends(ports, queries), strict=True))
