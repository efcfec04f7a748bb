"""Instruments (仪表台账): how they stand with their checks, and taking them out of service and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from anyio.to_thread import run_sync

from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.ledger import Ledger, ledger_of
from ingest.domain.cases.ledger_due import InstrumentStatus, Stopped
from ingest.domain.cases.ledger_steps import LedgerStep, PutBack, TakeOut
from ingest.domain.model.instrument import Check, Instrument
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.engine.commands import End, Suppress
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records, steps
from ingest.services.cases.out_of_service import stopped_points
from ingest.services.engine_commands import carry_out, person
from ingest.services.errors import Conflict
from ingest.services.ports import Ports

_OPEN: Final = frozenset({SuppressionState.APPLIED, SuppressionState.IN_FORCE})


@dataclass(frozen=True, slots=True)
class InstrumentView:
    """One ledger with its entries.

    Attributes:
        status: how the instrument stands; None: the plant file does not name this device now.
        others: ledgers of other devices that stood in its place.
        suppressions: that keep its points out of service, or are applied for.
    """

    ledger: Ledger
    status: InstrumentStatus | None
    others: tuple[Ledger, ...]
    suppressions: tuple[Suppression, ...]


def instruments(ports: Ports, caller: Principal, plant: str | None = None) -> Sequence[InstrumentStatus]:
    """Every instrument in scope, or of one plant: what is due first, first."""
    return of_plants(ports, caller_scope.narrowed(caller, plant or None))


def of_plants(ports: Ports, plants: frozenset[str] | None, point: str | None = None) -> Sequence[InstrumentStatus]:
    """How the instruments of these plants (None: all) stand now, what is due first, first; or those of one point."""
    configuration, now = ports.live.configuration(), ports.now()
    known = configuration.instruments.keys()
    chosen = frozenset(known) if plants is None else plants & known
    if not chosen:
        return []
    out = stopped_points(ports.suppressions, chosen, now)
    found = ports.cases.instruments.of_plants(configuration, chosen, out, day_of(now))
    return found if point is None else [status for status in found if point in status.instrument.points]


def configured(ports: Ports, plants: frozenset[str] | None) -> list[Instrument]:
    """The instruments that the files of these plants (None: all) name."""
    known = ports.live.configuration().instruments
    return [instrument for key, of_plant in known.items() if plants is None or key in plants for instrument in of_plant]


def stopped(ports: Ports, of: Iterable[Instrument]) -> Stopped:
    """The points of the plants of these instruments that are out of service now."""
    plants = frozenset(instrument.plant for instrument in of)
    return stopped_points(ports.suppressions, plants, ports.now()) if plants else {}


def uncovered(ports: Ports, caller: Principal, plant: str | None = None) -> dict[str, int]:
    """Count by plant in scope the points that belong to no instrument; plants without any are left out."""
    configuration = ports.live.configuration()
    found: dict[str, int] = {}
    for of in caller_scope.plants(ports, caller):
        if plant in {None, "", of.id}:
            named = configuration.instruments.get(of.id, ())
            covered = {point for each in named for point in (*each.points, *each.contact_points)}
            missing = sum(not point.is_device and point.id not in covered for point in of.points)
            found |= {of.id: missing} if missing else {}
    return found


def instrument(ports: Ports, caller: Principal, key: UUID) -> InstrumentView:
    """One ledger as it stands. Raises NotFound."""
    ledger = records.instrument(ports, caller, key)
    plants = frozenset({ledger.plant})
    found = next((status for status in of_plants(ports, plants) if status.ledger.id == key), None)
    others = ports.cases.store.ledgers(plants, ledger.instrument)
    held = _open_suppressions(ports, found.instrument) if found is not None else []
    return InstrumentView(ledger, found, tuple(other for other in others if other.id != key), tuple(held))


def overdue_checks(ports: Ports, plant: str) -> dict[str, list[Check]]:
    """By point of a plant, the checks of its instrument that are overdue, as the service's own points say."""
    configuration = ports.live.configuration()
    found: dict[str, list[Check]] = {}
    for instrument in configuration.instruments.get(plant, ()):
        for check in instrument.periods:
            own = configuration.find(plant, check.watched.of(instrument.id)) if check.watched else None
            if own is not None and (ports.live.latest(own.index).value or 0) >= 1:
                for point in instrument.points:
                    found.setdefault(point, []).append(check)
    return found


async def take_out(ports: Ports, caller: Principal, key: UUID, version: int, form: TakeOut) -> Ledger:
    """Apply for every point of an instrument to be taken out of service, and enter it with its proof.

    Raises:
        NotFound, Conflict, BadParameter, Unavailable: the instrument; or its points are out of service already.
        CaseError: the step cannot be taken.
    """
    ledger = await run_sync(steps.check, ports, caller, LedgerStep, key, version, form)
    of = _configured(ports, ledger)
    held = {suppression.point for suppression in await run_sync(_open_suppressions, ports, of)}
    missing = [point for point in of.points if point not in held]
    if not missing:
        raise Conflict(f"out-of-service: every point of {of.id} is out of service or applied for already")
    until = begins(form.until + dt.timedelta(days=1)) if form.until else None
    for point in missing:
        kind = SuppressionKind.OUT_OF_SERVICE
        await carry_out(ports, Suppress(kind, of.plant, point, None, form.reason, until, person(caller)))
    return await run_sync(_entered, ports, caller, key, version, form)


async def put_back(ports: Ports, caller: Principal, key: UUID, version: int, form: PutBack) -> Ledger:
    """End what keeps an instrument's points out of service, or the application, and enter it. Raises as `take_out`."""
    ledger = await run_sync(steps.check, ports, caller, LedgerStep, key, version, form)
    of = _configured(ports, ledger)
    held = await run_sync(_open_suppressions, ports, of)
    if not held:
        raise Conflict(f"return: no point of {of.id} is out of service")
    for suppression in held:
        await carry_out(ports, End(suppression.id, person(caller), form.remark))
    return await run_sync(_entered, ports, caller, key, version, form)


def _entered(ports: Ports, caller: Principal, key: UUID, version: int, form: TakeOut | PutBack) -> Ledger:
    ledger: Ledger = steps.take(ports, caller, LedgerStep, key, version, form)
    return ledger


def _configured(ports: Ports, ledger: Ledger) -> Instrument:
    """The instrument as its plant file has it now. Raises Conflict."""
    known = ports.live.configuration().instruments.get(ledger.plant, ())
    found = next((instrument for instrument in known if ledger_of(instrument) == ledger.id), None)
    if found is None:
        raise Conflict(f"the plant file does not name {ledger.instrument} with serial number {ledger.serial!r} now")
    return found


def _open_suppressions(ports: Ports, of: Instrument) -> list[Suppression]:
    found = caller_scope.suppressions(ports, frozenset({of.plant}), _OPEN)
    return [
        suppression
        for suppression in found
        if suppression.point in of.points and suppression.kind is SuppressionKind.OUT_OF_SERVICE
    ]
