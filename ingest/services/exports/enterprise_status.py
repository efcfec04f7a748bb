"""Joins plants with their enterprise records, connection states and self-inspections due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingest.domain.cases import duties
from ingest.domain.cases.days import day_of
from ingest.domain.cases.enterprise import EnterpriseRecord, connection
from ingest.domain.cases.listed import Enterprise
from ingest.domain.model.plant import Plant
from ingest.storage.state.case_store import CaseStore


def enterprises_of(
    store: CaseStore, plants: Iterable[Plant], last_received: Mapping[str, int], recent_s: float, now: int
) -> list[Enterprise]:
    """Return each plant with its record, the state of its connection, and the self-inspections due.

    `last_received`: when each plant last sent something, ns; it counts as connected for `recent_s` after that.
    """
    plants = list(plants)
    keys, today = frozenset(plant.id for plant in plants), day_of(now)
    records, done = store.enterprises(keys), store.self_inspections(keys)
    found = []
    for plant in plants:
        record = records.get(plant.id, EnterpriseRecord(plant.id))
        since = record.connected_on or duties.period_of(plant.kind, today).first
        owed = duties.owed(plant.id, plant.kind, min(since, today), today, done)
        state = connection(plant.connect_by, last_received.get(plant.id), now, recent_s=recent_s)
        found.append(Enterprise(plant, record, state, tuple(owed)))
    return found
