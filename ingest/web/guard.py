"""The door: every request is refused unless its path is open to all or its caller is known."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus, urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.base.telemetry import Event, emit
from ingest.services.access import Principal
from ingest.services.errors import Away, BadParameter, NotAllowed, NotSignedIn, Problem, TooLarge
from ingest.web.access_audit import AccessAudit
from ingest.web.admission import Admission
from ingest.web.concurrency import Pace
from ingest.web.inputs import storable
from ingest.web.protocol import Connection
from ingest.web.proxies import Proxies
from ingest.web.sessions import Session, Sessions

SESSION_COOKIE: Final = "yujing_session"
OPEN_PATHS: Final = frozenset({"/signin", "/language", "/health/live", "/health/ready"})
OPEN_PREFIX: Final = "/static/"
HEALTH: Final = frozenset({"/health/live", "/health/ready"})
OWN_PACE: Final = HEALTH | frozenset({"/api/v1/alarms/stream", "/api/v1/warnings/stream"})
"""What does not wait behind other requests: the supervisor's questions, and streams, which have places of their own."""

AT_ONCE: Final = 8
"""Requests of one token in work; browsers ask for six things at once."""

LEAVING: Final = frozenset({"/signin", "/signout", "/language"})
"""Forms that a display has, too: they change nothing but what the browser itself shows."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not "no-referrer": under it browsers send `Origin: null` with our own forms, and plain http has no other proof
    # that a form is ours. Other sites learn nothing from either.
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class AccessRefused(Event, level="warning", labels=("reason",)):
    """Requests turned away at the door, by reason."""

    reason: str
    method: str
    path: str
    client: str


@dataclass(frozen=True, slots=True)
class RequestFailed(Event, level="error"):
    """Requests that met a fault of ours."""

    method: str
    path: str
    error: str


class Guard:
    """ASGI middleware: knows the caller, refuses strangers and forged forms, adds the security headers.

    Puts `principal`, `session` and `closing` into `request.state`. A route may trust that outside the open paths
    `principal` is not None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admission: Admission,
        proxies: Proxies,
        witness: AccessAudit,
        sessions: Sessions,
        refuse: Callable[[Request, Problem], Response],
        max_body_bytes: int,
        uploads: Mapping[str, int],
        secure: bool,
    ) -> None:
        """Stand before the application.

        Args:
            app: behind it.
            admission: lets tokens in.
            proxies: who may say where a request comes from.
            witness: tells the audit trail.
            sessions: who is signed in.
            refuse: makes the answer to whoever is refused.
            max_body_bytes: a body may have.
            uploads: the paths that take larger bodies when posted to, and how large.
            secure: whether people come over https only; browsers are then told to ask for nothing else for a year.
        """
        self._app = app
        self._admission = admission
        self._proxies = proxies
        self._witness = witness
        self._sessions = sessions
        self._refuse = refuse
        self._max_body_bytes = max_body_bytes
        self._uploads = uploads
        self._headers = HEADERS | ({"strict-transport-security": "max-age=31536000"} if secure else {})
        self._pace = Pace(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        peer = request.client.host if request.client else "unknown"
        request.state.principal = request.state.session = None
        request.state.client = self._proxies.client(peer, request.headers.getlist("x-forwarded-for"))
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._bear_witness(request, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            self._check(request)
            if request.url.path in OWN_PACE or request.url.path.startswith(OPEN_PREFIX):
                await self._app(scope, receive, send_guarded)
                return
            if request.state.principal is None:
                # strangers share one pace: none holds it while it keeps us waiting
                receive = await _whole(receive, self._max_body_bytes)
            else:
                receive = _bounded(receive, self._most(request))
            async with self._pace.of(request.state.principal):
                await self._app(scope, receive, send_guarded)
        except Problem as problem:
            emit(AccessRefused(type(problem).__name__, request.method, request.url.path, client_of(request)))
            await self._refuse(request, problem)(scope, receive, send_guarded)
        except Exception:  # noqa: BLE001  the caller learns nothing of it, the log everything
            emit(RequestFailed(request.method, request.url.path, traceback.format_exc()))
            if not started:
                await self._refuse(request, Problem())(scope, receive, send_guarded)

    def _bear_witness(self, request: Request, status: int) -> None:
        """Tell the audit trail of who was denied something, or came with a wrong token."""
        who: Principal | None = request.state.principal
        with_token = request.headers.get("authorization") is not None or request.url.path == "/signin"
        if (status == 403 and who is not None) or (status in {401, 429} and who is None and with_token):
            self._witness.denied(who, client_of(request), request.method, request.url.path, status)

    def _check(self, request: Request) -> None:
        bearer = _bearer(request)
        session = self._sessions.find(request.cookies.get(SESSION_COOKIE, "")) if bearer is None else None
        principal = self._principal(request, bearer, session)
        request.state.principal, request.state.session = principal, session
        path = request.url.path
        self._know(request, principal)
        length, most = request.headers.get("content-length", "0"), self._most(request)
        if length.isdecimal() and int(length) > most:
            raise TooLarge(f"at most {most} bytes")
        wrong = bearer is not None and principal is None
        if wrong or (principal is None and path not in OPEN_PATHS and not path.startswith(OPEN_PREFIX)):
            raise NotSignedIn
        _require_storable(request)
        if request.method in SAFE_METHODS:
            return
        if principal is not None and principal.is_display and path not in LEAVING:
            raise NotAllowed("a display only shows; sign in with a token of your own")
        if bearer is not None:
            return
        if path.startswith("/api/"):  # a cookie alone never acts there: browsers attach it by themselves
            raise NotSignedIn
        if not _from_this_site(request):
            raise NotAllowed("the form did not come from this site")

    def _most(self, request: Request) -> int:
        """Bytes the body may have."""
        own = self._uploads.get(request.url.path) if request.method == "POST" else None
        return self._max_body_bytes if own is None else own

    def _know(self, request: Request, principal: Principal | None) -> None:
        connection: Connection | None = getattr(request.state, "connection", None)  # None: there is no network
        if connection is None:
            return
        if principal is not None:
            connection.recognise()
        if connection.only_for_health and request.url.path not in HEALTH:
            raise Away("all connections are in use now", retry_after_s=5)

    def _principal(self, request: Request, bearer: str | None, session: Session | None) -> Principal | None:
        if bearer is not None:
            return self._admission.admit(client_of(request), bearer)
        return session.principal if session else None


def _bounded(receive: Receive, most: int) -> Receive:
    """Refuse a body that has more than `most` bytes, whatever length it says it has.

    As the framework's own refusal, which it lets through while it reads a body; the framework's own limit would answer
    in its own words, without our headers.
    """
    left = most

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(TooLarge.status)
        return message

    return bounded


async def _whole(receive: Receive, most: int) -> Receive:
    """Wait for a request to be there as a whole.

    Raises:
        TooLarge: its body has more than `most` bytes.
    """
    body, message = bytearray(), await receive()
    while message["type"] == "http.request":
        body += message["body"]
        if len(body) > most:
            raise TooLarge(f"at most {most} bytes")
        if not message["more_body"]:
            message = {**message, "body": bytes(body)}
            break
        message = await receive()
    kept = [message]

    async def again() -> Message:
        return kept.pop() if kept else await receive()

    return again


def client_of(request: Request) -> str:
    """Return the address the request comes from, beyond trusted proxies."""
    return str(request.state.client)


def _require_storable(request: Request) -> None:
    """Refuse an address with control characters: no route has one, and PostgreSQL takes no NUL to compare with."""
    address = unquote_plus(f"{request.url.path}?{request.url.query}")
    try:
        storable(address)
    except ValueError as error:
        raise BadParameter("address", address[:200], str(error)) from error


def _bearer(request: Request) -> str | None:
    """Return the bearer token; "" for any other Authorization, which is nobody's token."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _from_this_site(request: Request) -> bool:
    """Whether a browser says the form is ours; a client that says nothing still needs the session's form token."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
