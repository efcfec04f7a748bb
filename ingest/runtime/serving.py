"""Serves the API and console over the running parts, as soon as their address is available."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ingest.domain.model.audit import Act
from ingest.domain.model.fault import Fault
from ingest.domain.model.text import Text
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.case_books import CaseBooks
from ingest.runtime.live import LiveService
from ingest.runtime.refused_settings import Refusals
from ingest.runtime.resources import connections
from ingest.runtime.settings import Settings
from ingest.services.allowances import Allowances
from ingest.services.calls.desk import CallDesk
from ingest.services.deliveries import Deliveries, Lanes
from ingest.services.errors import CannotListen
from ingest.services.exports.runner import ExportRunner
from ingest.services.ports import AuditTrail, Cases, Ports
from ingest.storage.history.bounded_reads import BoundedReads
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard, DiskState
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.case_figures import CaseFigures
from ingest.storage.state.database import Database
from ingest.storage.state.evidence_files import EvidenceFiles
from ingest.storage.state.suppressions import SuppressionStore
from ingest.storage.state.warning_store import WarningStore
from ingest.web.connections import RESERVE
from ingest.web.server import ApiServer

_LISTEN_AGAIN_S: Final = 1.0


def ports_of(
    settings: Settings,
    database: Database,
    live: LiveService,
    *,
    alarms: AlarmStore,
    warnings: WarningStore,
    audit: AuditTrail,
    history: BoundedReads,
    journal: Journal,
    guard: DiskGuard,
    cases: CaseBooks,
    calls: CallDesk,
    load: AlarmLoad,
    lanes: Lanes,
    record: Callable[[Act], None],
) -> Ports:
    """Return the ports of the API. Blocking ones are for worker threads; `record` never blocks."""
    return Ports(
        live=live,
        alarms=alarms,
        warnings=warnings,
        suppressions=SuppressionStore(database),
        audit=audit,
        history=history,
        journal=journal,
        cases=Cases(
            store=cases.store,
            daily=cases.daily,
            cleaned=cases.cleaned,
            notices=cases.notices,
            instruments=cases.instruments,
            figures=CaseFigures(database),
            files=EvidenceFiles(
                settings.cases.evidence, settings.cases.max_evidence_bytes, lambda: guard.state() is DiskState.OK
            ),
            config=settings.cases,
            allowances=Allowances.of(settings.cases),
        ),
        calls=calls,
        exports=ExportRunner(settings.state, settings.journal.path.parent),
        load=load,
        deliveries=Deliveries(database, lanes, settings.connectors.names()),
        record=record,
        now=time.time_ns,
    )


class ServedApi:
    """Serves the API at its address. Without the address plants are monitored all the same, and a fault is recorded."""

    def __init__(self, ports: Ports, settings: Settings, refusals: Refusals, *, new: bool) -> None:
        """Bind the address. Raises CannotListen if it is not available at a first start."""
        self._refusals = refusals
        self._server = ApiServer(
            ports,
            settings.api,
            most=connections(settings.api.max_connections + RESERVE),
            refused=refusals,
            kept=SavedFiles(settings.journal.path.with_name("sessions")),
        )
        self._address_fault: Fault | None = None
        self.url = self._bind(new=new)

    async def serve(self) -> None:
        """Serve until `stop`, as soon as the address is available."""
        while self._address_fault is not None:
            await asyncio.sleep(_LISTEN_AGAIN_S)
            if self._server.stopped:
                return
            with suppress(CannotListen):
                self.url = await asyncio.to_thread(self._server.bind)
                self._refusals.resolve(self._address_fault)
                self._address_fault = None
        await self._server.serve()

    def stop(self) -> None:
        """Stop serving; may be repeated."""
        self._server.stop()

    def close(self) -> None:
        """Give the address up; harmless when repeated, and after `serve`, which does so at its end."""
        self._server.close()

    def _bind(self, *, new: bool) -> str:
        try:
            return self._server.bind()
        except CannotListen as error:
            if new:
                raise
            expected = Text(
                f"空闲的地址和可用的证书：{error.reason}",
                f"an address that is free, and a certificate that can be used: {error.reason}",
            )
            self._address_fault = Fault("(settings)", "api", f"{error.host} port {error.port}", expected)
            self._refusals([self._address_fault])
            return "(no console)"
