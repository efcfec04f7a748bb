"""Evidence files in the console: those uploaded with a form, and those a page shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import File, UploadFile
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.step_tables import TABLES
from ingest.services.access import Principal
from ingest.services.cases import evidence
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.console.conflict_records import SUBJECT_PAGES

MOST: Final = 3
"""Most files in a form."""

PATHS: Final = (
    "/dispositions",
    "/self-inspections",
    "/cleaning",
    *(SUBJECT_PAGES[table.kind()] + step for table in TABLES for step in table if step.verb.takes_files),
)
"""Paths of forms with files. The record is a field and not part of the path, so that the guard knows each path."""

Files = Annotated[list[UploadFile], File(description="JPEG, PNG or PDF, by their content")]


def most_bytes(file_bytes: int) -> int:
    """Return the largest size of a form with files, given that of a file with its multipart header."""
    return MOST * file_bytes


async def handed_in(ports: Ports, caller: Principal, plant: str, files: Sequence[UploadFile]) -> tuple[UUID, ...]:
    """Store the files that came with a form; a browser sends an empty one where none was chosen.

    Raises:
        NotFound, BadParameter, Incomplete: the plant is not in scope, too many files, or one that is not taken.
    """
    chosen = [file for file in files if file.filename]
    if len(chosen) > MOST:
        raise BadParameter("evidence", len(chosen), f"at most {MOST} files")
    kept = []
    for upload_file in chosen:
        content = await upload_file.read()
        kept.append((await run_in_threadpool(evidence.hand_in, ports, caller, plant, upload_file.filename, content)).id)
    return tuple(kept)


def proofs(ports: Ports, keys: Collection[UUID]) -> list[Evidence]:
    """Return the records of these files, in the order of upload."""
    return sorted(ports.cases.store.evidence_of(keys), key=lambda evidence: evidence.given)
