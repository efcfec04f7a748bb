"""Forms of the console for sign-in, sign-out and language, and the check and redirect that every form shares."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from ingest.base.telemetry import Event, emit
from ingest.services.errors import NotOfThisSession, TooManyGuesses
from ingest.web.access_audit import AccessAudit
from ingest.web.admission import Admission
from ingest.web.console.navigation import site_path
from ingest.web.console.rendering import LANGUAGE_COOKIE, Renderer, language
from ingest.web.console.wording import localized
from ingest.web.guard import SESSION_COOKIE, client_of
from ingest.web.routers import page_router
from ingest.web.sessions import Session, Sessions, lasts_s


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    """Console sign-ins."""

    name: str
    client: str


@dataclass(frozen=True, slots=True)
class SignInRefused(Event, level="warning", labels=("reason",)):
    """Console sign-ins refused, by reason."""

    reason: Literal["wrong token", "too many attempts"]
    client: str


async def own_form(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a form without its session's token. Programs with a bearer token need none.

    The form's content is kept for the page that explains a refusal (`request.state.form`).
    """
    session: Session | None = request.state.session
    if session is not None and not hmac.compare_digest(csrf.encode(), session.csrf.encode()):
        raise NotOfThisSession("the form is not of this session; open the page again")
    request.state.form = await request.form()  # parsed already: does not wait


def forms_router(
    render: Renderer,
    admission: Admission,
    sessions: Sessions,
    access_audit: AccessAudit,
    *,
    secure: bool,
) -> APIRouter:
    """Return the routes of the console's forms."""
    router = page_router()

    @router.get("/signin")
    def signin_page(request: Request, onward: str = "/") -> Response:
        """Show the sign-in page."""
        return render.signin(request, onward=site_path(onward))

    @router.post("/signin")
    def signin(request: Request, token: Annotated[str, Form()] = "", onward: Annotated[str, Form()] = "/") -> Response:
        """Begin a session for whoever knows a token."""
        client, lang = client_of(request), language(request)
        try:
            principal = admission.admit(client, token.strip())
        except TooManyGuesses as problem:
            emit(SignInRefused("too many attempts", client))
            wrong = localized("signin.wait", lang).format(n=problem.wait_s)
            answer = render.signin(request, status=problem.status, onward=site_path(onward), wrong=wrong)
            answer.headers.update(problem.headers)
            return answer
        if principal is None:
            emit(SignInRefused("wrong token", client))
            return render.signin(request, status=401, onward=site_path(onward), wrong=localized("signin.wrong", lang))
        emit(SignedIn(principal.name, client))
        access_audit.signed_in(principal, client)
        onwards = RedirectResponse(site_path(onward), 303)
        session = sessions.begin(principal, instead_of=request.cookies.get(SESSION_COOKIE, ""))
        onwards.set_cookie(
            SESSION_COOKIE, session.id, max_age=int(lasts_s(principal)), httponly=True, samesite="strict", secure=secure
        )
        return onwards

    @router.post("/signout", dependencies=[Depends(own_form)])
    def signout(request: Request) -> Response:
        """End the session."""
        session: Session | None = request.state.session
        if session is not None:
            sessions.end(session.id)
            access_audit.signed_out(session.principal, client_of(request))
        onwards = RedirectResponse("/signin", 303)
        onwards.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict", secure=secure)
        return onwards

    @router.post("/language")
    def choose_language(lang: Annotated[Literal["zh", "en"], Form()], onward: Annotated[str, Form()] = "/") -> Response:
        """Remember the language in this browser."""
        onwards = RedirectResponse(site_path(onward), 303)
        onwards.set_cookie(LANGUAGE_COOKIE, lang, max_age=400 * 86_400, httponly=True, samesite="strict", secure=secure)
        return onwards

    return router


def go_on(onward: str) -> Response:
    """Answer a form with a redirect to a page of this site."""
    return RedirectResponse(site_path(onward), 303)
