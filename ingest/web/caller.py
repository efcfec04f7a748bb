"""The caller of a route, as FastAPI hands it to the route's function."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from ingest.services.access import Principal
from ingest.services.errors import NotAllowed, NotSignedIn


def current(request: Request) -> Principal:
    """Return the caller that the guard let in."""
    principal = cast("Principal | None", request.state.principal)
    if principal is None:
        raise NotSignedIn
    return principal


def acting(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they may act, not only read."""
    if not principal.may_act:
        raise NotAllowed(f"role {principal.role} reads only; operator or admin is needed")
    return principal


def inspecting(principal: Annotated[Principal, Depends(current)]) -> Principal:
    """Return the caller if they supervise."""
    if not principal.may_inspect:
        raise NotAllowed(f"role {principal.role} is supervised here; inspector or admin is needed")
    return principal


Caller = Annotated[Principal, Depends(current)]
"""A route's parameter: the caller, signed in. Whoever is, may say something: comment, acknowledge a warning."""

Actor = Annotated[Principal, Depends(acting)]
"""A route's parameter: the caller, of the plant."""

Inspector = Annotated[Principal, Depends(inspecting)]
"""A route's parameter: the caller, of the supervision."""
