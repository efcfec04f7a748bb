"""Makes the routers of the REST API."""

from __future__ import annotations

from enum import Enum
from typing import Final

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer

from ingest.web.document import PROBLEMS
from ingest.web.routers import api_router

API: Final = "/api/v1"
"""Where the REST API lies."""

_BEARER: Final = HTTPBearer(auto_error=False, description="The guard checks it before any route.")


def rest_router(prefix: str = "", *, tags: list[str | Enum] | None = None) -> APIRouter:
    """Return a router of the REST API: below its prefix, for callers with a token."""
    return api_router(API + prefix, tags=tags, responses=PROBLEMS, dependencies=[Security(_BEARER)])
