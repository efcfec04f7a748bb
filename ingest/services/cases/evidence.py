"""Handing in and downloading evidence (证据)."""

from __future__ import annotations

from uuid import UUID, uuid4

from ingest.domain.cases.evidence import Evidence, plain_name
from ingest.domain.model.audit import Act
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import Unavailable
from ingest.services.ports import Ports


def hand_in(ports: Ports, caller: Principal, plant: str, name: str | None, content: bytes) -> Evidence:
    """Keep a file in the caller's name, on disk before anything tells of it.

    Raises:
        NotFound: no such plant in scope.
        Incomplete: too large, empty, or of a kind that is not taken.
        StateUnavailable: the disk or the database does not take it.
        TooManyRequests, Unavailable: the caller handed in too much today, or there is no room for more evidence.
    """
    caller_scope.plant(ports, caller, plant)
    ports.cases.files.check(content)
    added, allowances = ports.cases.files.added_by(content), ports.cases.allowances
    allowances.require_room(ports.cases.store.evidence_bytes(), added)
    allowances.evidence.take(caller.name, added / 2**20)
    sha256, media = ports.cases.files.put(content)
    evidence = Evidence(uuid4(), plant, sha256, media, len(content), plain_name(name), caller.name, ports.now())
    detail = {"sha256": sha256, "media": media, "size": evidence.size, "name": evidence.name}
    act = records.act(ports, caller, "handed-in", "evidence", evidence.id, plant, detail)
    ports.cases.store.commit(added=[evidence], acts=[act])
    return evidence


def known(ports: Ports, caller: Principal, key: UUID) -> Evidence:
    """What is known of a file. Raises NotFound."""
    return records.evidence(ports, caller, key)


def download(ports: Ports, caller: Principal, key: UUID) -> tuple[Evidence, bytes]:
    """A file, as it was handed in.

    Raises:
        NotFound: no such evidence in scope.
        Unavailable: the file is missing, or is not what was handed in.
    """
    evidence = records.evidence(ports, caller, key)
    content = ports.cases.files.get(evidence.sha256)
    if content is None:
        raise Unavailable("the file is not what was handed in, or is gone: restore the evidence folder from its backup")
    detail = {"name": evidence.name, "size": evidence.size}
    ports.record(
        Act(ports.now(), caller.name, caller.role, "downloaded", "evidence", str(evidence.id), evidence.plant, detail)
    )
    return evidence, content
