"""The points of a plant that no instrument measures: a gateway's, an instrument's checks, the service's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.domain.model.instrument import Instrument
from ingest.domain.model.plant import GATEWAY_SIGNAL, GatewayPoint, InstrumentPoint, ServicePoint
from ingest.domain.model.text import Text
from ingest.plants.catalogue import Signal
from ingest.plants.plant_tables import GatewayTable, named
from ingest.plants.point_rules import EvaluatedPoint, EvaluatedRule, signal_measure

_MEASURED: Final[Mapping[GatewayPoint, Text]] = {
    GatewayPoint.CLOCK: Text("时钟", "clock"),
    GatewayPoint.REFUSED: Text("拒收比例", "refused share"),
    GatewayPoint.REUSED: Text("编号重复的帧", "frames under a used number"),
    GatewayPoint.THROTTLED: Text("超限未读消息", "messages beyond its share"),
}
"""The suffix to a gateway's name in the names of its points."""

_CHECKED: Final[Mapping[InstrumentPoint, Text]] = {
    InstrumentPoint.CALIBRATION: Text("检定校准", "calibration"),
    InstrumentPoint.FUNCTION_TEST: Text("功能测试", "function test"),
    InstrumentPoint.PROOF_TEST: Text("联锁检验", "proof test"),
}
"""The suffix to an instrument's name in the names of its points."""


def gateway_points(gateway: GatewayTable, signals: Mapping[str, Signal]) -> tuple[EvaluatedPoint, ...]:
    """Return a gateway's own points: online or not, and what the service monitors of it."""
    name = named(gateway.name, gateway.name_en)
    online = _own_point(gateway.id, name, gateway.id, signals[GATEWAY_SIGNAL], gateway.silence_s)
    measured = (
        _own_point(
            point.of(gateway.id), Text(f"{name.zh} {of.zh}", f"{name.en} {of.en}"), gateway.id, signals[point.signal]
        )
        for point, of in _MEASURED.items()
    )
    return online, *measured


def service_points(signals: Mapping[str, Signal]) -> tuple[EvaluatedPoint, ...]:
    """Return the points of the service itself, which no gateway carries."""
    found = ((point, signals[point.signal]) for point in ServicePoint)
    return tuple(_own_point(str(point), signal.name, "", signal) for point, signal in found)


def instrument_points(instrument: Instrument, signals: Mapping[str, Signal]) -> tuple[EvaluatedPoint, ...]:
    """Return what the service watches of an instrument's checks; no gateway carries it."""
    watched = [point for check in instrument.periods if (point := check.watched) is not None]
    return tuple(
        _own_point(
            point.of(instrument.id),
            Text(f"{instrument.name.zh} {_CHECKED[point].zh}", f"{instrument.name.en} {_CHECKED[point].en}"),
            "",
            signals[point.signal],
        )
        for point in watched
    )


def _own_point(id_: str, name: Text, gateway: str, signal: Signal, silence_s: float | None = None) -> EvaluatedPoint:
    of = signal_measure(signal, None, silence_s, None)
    rules = []
    for code, spec in signal.rules.items():
        score = spec.score(of)
        on_file = signal.rationalizations.of(code, spec)
        rules.append(EvaluatedRule(code, spec, score, spec.reason(code, of, score), rationalization=on_file))
    table = signal.table
    return EvaluatedPoint(
        id_, signal.code, name, None, gateway, of, tuple(rules), (), table.mandatory, table.basis, signal.states
    )
