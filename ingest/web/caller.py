"""FastAPI dependencies that give a route its caller and check their role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Request

from ingest.domain.model.audit import ActRole
from ingest.domain.model.rights import AUTHORITY, ENTERPRISE
from ingest.services.access import Principal
from ingest.services.errors import NotAllowed, NotSignedIn


def current(request: Request) -> Principal:
    """Return the caller that the guard authenticated."""
    principal = cast("Principal | None", request.state.principal)
    if principal is None:
        raise NotSignedIn
    return principal


def acting(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they work at the plant. Raises NotAllowed."""
    if not principal.may_act:
        raise NotAllowed(f"role {principal.role} reads only; operator or admin is needed")
    return principal


def inspecting(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they supervise. Raises NotAllowed."""
    if not principal.may_inspect:
        raise NotAllowed(f"role {principal.role} is supervised here; inspector or admin is needed")
    return principal


def reporting(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they are a channel's provider. Raises NotAllowed."""
    if not principal.is_channel:
        raise NotAllowed("receipts are for the channel of that name, by a token of role channel")
    return principal


def administering(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they run the service. Raises NotAllowed."""
    if not principal.administers:
        raise NotAllowed("deliveries are for an admin of all plants")
    return principal


Caller = Annotated[Principal, Depends(current)]
"""Parameter of a route: any authenticated caller; each may comment and acknowledge a warning."""

Actor = Annotated[Principal, Depends(acting)]
"""Parameter of a route: a caller who works at the plant."""

Inspector = Annotated[Principal, Depends(inspecting)]
"""Parameter of a route: a caller who supervises."""

Channel = Annotated[Principal, Depends(reporting)]
"""Parameter of a route: a channel's provider."""

Admin = Annotated[Principal, Depends(administering)]
"""Parameter of a route: a caller who runs the service."""

BY_ROLES: Final[Mapping[frozenset[ActRole], Any]] = {AUTHORITY: Inspector, ENTERPRISE: Actor}
"""Dependency of a step's route by who may take it; it refuses anybody else. Default: `Caller`."""
