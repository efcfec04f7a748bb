"""Keeps each gateway's last clock offset, from which `ingest.domain.quality.reference` decides the trusted time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ingest.domain.quality.clock import LATEST, GatewayClock
from ingest.domain.quality.reference import Reference, believe

FRESH: Final = 600 * 10**9
"""A gateway silent for longer no longer confirms a time, ns."""

WRITTEN: Final = 1_761_955_200 * 10**9
"""November 2025, when this was written: the present is never earlier. Gateways switched on together, their clocks not
set, agree with each other too."""

_EVERY: Final = 10**9  # the trusted time is decided at most this often; ns


@dataclass(slots=True)
class Witnesses:
    """The clock offsets of gateways, and the time trusted by them."""

    tolerance: int
    reference: Reference = field(default_factory=Reference)
    _ahead: dict[tuple[str, str], tuple[int, int]] = field(
        default_factory=dict
    )  # by gateway: how far ahead, and when received
    _agrees: tuple[str, str] | None = None  # the last one that agreed with the service's clock
    _due: int = 0
    _service: int | None = None

    def update(self, clocks: Mapping[tuple[str, str], GatewayClock], now: int, service: int) -> None:
        """Update the trusted time after frames of these gateways, by (plant, gateway).

        Args:
            clocks: their clocks.
            now: a moment of the steady frame, ns.
            service: how far the service's clock is ahead of that frame, ns.
        """
        for who, clock in clocks.items():
            offset = clock.offset
            known = offset - service >= -self.tolerance or clock.steady  # else it may be a delay
            if known and WRITTEN <= clock.device < LATEST:
                self._ahead[who] = offset, clock.received
            else:
                self._ahead.pop(who, None)
        if service == self._service and (self._witnessed(now) or 0 <= self._due - now <= _EVERY):
            return
        self._service, self._due = service, now + _EVERY
        fresh = {who: ahead for who, (ahead, received) in self._ahead.items() if now - received <= FRESH}
        self._agrees = next((who for who, ahead in fresh.items() if abs(ahead - service) <= self.tolerance), None)
        if fresh:
            self.reference = believe(self.reference, service, fresh.values(), self.tolerance)

    @property
    def service_ahead(self) -> int:
        """How far the service's clock is ahead of the trusted time, ns; 0 within the tolerance."""
        ahead = self._service - self.reference.offset if self._service is not None else 0
        return ahead if abs(ahead) > self.tolerance else 0

    def _witnessed(self, now: int) -> bool:
        """Whether the gateway that last agreed still does: then no other matters."""
        found = self._ahead.get(self._agrees) if self._agrees is not None else None
        if found is None or self._service is None:
            return False
        return abs(found[0] - self._service) <= self.tolerance and now - found[1] <= FRESH
