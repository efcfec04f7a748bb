"""Derives the settings of the engine's stages from those of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ingest.domain.cases.bypass import HOUR
from ingest.domain.model.alarm import Alarm
from ingest.engine.order import Policy
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.maintenance import reports_late
from ingest.runtime.refused_settings import Refusals, rules_in_force
from ingest.runtime.settings import Settings
from ingest.runtime.settings.in_force import IN_FORCE
from ingest.storage.state.outbox_store import OutboxStore


def engine_policy(
    settings: Settings,
    refusals: Refusals,
    outbox: OutboxStore,
    work: Callable[[Alarm, str | None], Sequence[Mapping[str, Any]] | None],
) -> Policy:
    """Return the policy of the engine.

    Args:
        settings: those of the service.
        refusals: receives the faults of warning rules that cannot be used; the last good ones are in force then.
        outbox: tells whether reports for the province have gone undelivered for long.
        work: returns the declared work an alarm was raised during (`Policy.work`).
    """
    platform, alarms = settings.connectors.platform, settings.alarms
    colours = rules_in_force(settings.warnings.rules, SavedFiles(settings.journal.path.with_name(IN_FORCE)), refusals)
    return Policy(
        settings.connectors.recipients,
        int(platform.interval_s * 1e9) if platform else None,
        reports_late=partial(reports_late, outbox, platform.name) if platform else lambda: False,
        reopen=alarms.reopen_s * 10**9,
        bypass_max=alarms.bypass_max_h * HOUR,
        shelve_max=alarms.shelve_max_s * 10**9,
        function_check_max=alarms.function_check_max_s * 10**9,
        suppress_level_2=alarms.suppress_level_2,
        warnings=settings.warnings.policy(colours),
        warned=settings.connectors.warned,
        work=work,
    )
