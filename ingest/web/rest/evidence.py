"""REST: files of evidence, in and out. They leave as downloads: no browser shows or runs them in our name."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import Response

from ingest.services.cases import evidence
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.inputs import MULTIPART
from ingest.web.rest.dispositions_schemas import EvidenceOut
from ingest.web.rest.router import rest_router

_ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


def evidence_router(ports: Ports) -> APIRouter:
    """Return the routes on evidence."""
    router = rest_router("/evidence", tags=["cases"])

    @router.post("", status_code=201, max_body_size=ports.cases.config.max_evidence_bytes + MULTIPART)
    def hand_in(
        caller: Caller,
        plant: Annotated[str, Form(min_length=1, max_length=64, examples=["demo-aluminium"])],
        file: Annotated[UploadFile, File(description="JPEG, PNG or PDF, by its content")],
    ) -> EvidenceOut:
        """Hand in a file for a plant. It is on disk, under the hash of its content, when this answers."""
        content = file.file.read()
        return EvidenceOut.model_validate(evidence.hand_in(ports, caller, plant, file.filename, content))

    @router.get("/{evidence_id}")
    def show(evidence_id: UUID, caller: Caller) -> EvidenceOut:
        """Show what is known of a file."""
        return EvidenceOut.model_validate(evidence.known(ports, caller, evidence_id))

    @router.get("/{evidence_id}/file", response_class=Response)
    def download(evidence_id: UUID, caller: Caller) -> Response:
        """Download a file as it was handed in; its hash is checked first."""
        file, content = evidence.download(ports, caller, evidence_id)
        return Response(
            content, media_type=file.media, headers={"content-disposition": attached(file.name, file.media)}
        )

    return router


def attached(name: str, media: str) -> str:
    """Return the header that makes a download of it, under its name (RFC 6266) and an ending that fits its content.

    >>> attached("现场.exe", "image/png")
    "attachment; filename=evidence.png; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.exe.png"
    """
    ending = _ENDINGS.get(media, "bin")
    whole = name if name.lower().endswith(f".{ending}") else f"{name}.{ending}"
    return f"attachment; filename=evidence.{ending}; filename*=UTF-8''{quote(whole, safe='')}"
