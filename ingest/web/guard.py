"""Middleware that authenticates every request and refuses those of unknown callers, except on open paths."""

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
from ingest.services.errors import BadParameter, NotAllowed, NotSignedIn, Problem, TooLarge, Unavailable
from ingest.web.access_audit import AccessAudit
from ingest.web.admission import Admission
from ingest.web.concurrency import TokenConcurrency
from ingest.web.inputs import storable
from ingest.web.protocol import Connection
from ingest.web.proxies import Proxies
from ingest.web.sessions import Session, Sessions

SESSION_COOKIE: Final = "yujing_session"
OPEN_PATHS: Final = frozenset({"/signin", "/language", "/health/live", "/health/ready"})
OPEN_PREFIX: Final = "/static/"
HEALTH: Final = frozenset({"/health/live", "/health/ready"})
UNLIMITED_PATHS: Final = HEALTH | frozenset({"/api/v1/alarms/stream", "/api/v1/warnings/stream"})
"""Paths without a limit by token: the supervisor's health checks, and streams, which have their own limit."""

AT_ONCE: Final = 8
"""Requests of a token processed at once; browsers send six."""

LEAVING: Final = frozenset({"/signin", "/signout", "/language"})
"""Forms that a display may send: they change only what the browser itself shows."""

RECEIPTS: Final = "/api/v1/calls/receipts/"
"""All that a channel may reach."""

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
    """ASGI middleware that authenticates callers, refuses forged forms and adds the security headers.

    Puts `principal`, `session` and `closing` into `request.state`. A route may trust that outside the open paths
    `principal` is not None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admission: Admission,
        proxies: Proxies,
        access_audit: AccessAudit,
        sessions: Sessions,
        refuse: Callable[[Request, Problem], Response],
        max_body_bytes: int,
        uploads: Mapping[str, int],
        secure: bool,
    ) -> None:
        """Wrap the application.

        Args:
            app: the application.
            admission: authenticates tokens.
            proxies: proxies trusted to give a client's address.
            access_audit: records denials in the audit trail.
            sessions: open sessions of the console.
            refuse: makes the response to a refused request.
            max_body_bytes: largest body.
            uploads: paths that take larger bodies by POST, and how large.
            secure: whether it is served over https only; browsers then use nothing else for a year (HSTS).
        """
        self._app = app
        self._admission = admission
        self._proxies = proxies
        self._access_audit = access_audit
        self._sessions = sessions
        self._refuse = refuse
        self._max_body_bytes = max_body_bytes
        self._uploads = uploads
        self._headers = HEADERS | ({"strict-transport-security": "max-age=31536000"} if secure else {})
        self._concurrency = TokenConcurrency(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it here."""
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
                self._audit_denial(request, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            self._check(request)
            if request.url.path in UNLIMITED_PATHS or request.url.path.startswith(OPEN_PREFIX):
                await self._app(scope, receive, send_guarded)
                return
            if request.state.principal is None:
                # unknown callers share one limit: none of them holds a place while it is slow to send
                receive = await _buffered(receive, self._max_body_bytes)
            else:
                receive = _bounded(receive, self._most(request))
            async with self._concurrency.of(request.state.principal):
                await self._app(scope, receive, send_guarded)
        except Problem as problem:
            emit(AccessRefused(type(problem).__name__, request.method, request.url.path, client_of(request)))
            await self._refuse(request, problem)(scope, receive, send_guarded)
        except Exception:  # noqa: BLE001  the caller learns nothing of it, the log everything
            emit(RequestFailed(request.method, request.url.path, traceback.format_exc()))
            if not started:
                await self._refuse(request, Problem())(scope, receive, send_guarded)

    def _audit_denial(self, request: Request, status: int) -> None:
        """Record in the audit trail a caller who was denied something, or one with a wrong token."""
        who: Principal | None = request.state.principal
        with_token = request.headers.get("authorization") is not None or request.url.path == "/signin"
        if (status == 403 and who is not None) or (status in {401, 429} and who is None and with_token):
            self._access_audit.denied(who, client_of(request), request.method, request.url.path, status)

    def _check(self, request: Request) -> None:
        bearer = _bearer(request)
        session = self._sessions.find(request.cookies.get(SESSION_COOKIE, "")) if bearer is None else None
        principal = self._principal(request, bearer, session)
        request.state.principal, request.state.session = principal, session
        path = request.url.path
        self._claim_connection(request, principal)
        length, most = request.headers.get("content-length", "0"), self._most(request)
        if length.isdecimal() and int(length) > most:
            raise TooLarge(f"at most {most} bytes")
        wrong = bearer is not None and principal is None
        if wrong or (principal is None and path not in OPEN_PATHS and not path.startswith(OPEN_PREFIX)):
            raise NotSignedIn
        if principal is not None and principal.is_channel and not path.startswith(RECEIPTS):
            raise NotAllowed("a channel only posts receipts")
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
        """Return how many bytes the body may have."""
        own = self._uploads.get(request.url.path) if request.method == "POST" else None
        return self._max_body_bytes if own is None else own

    def _claim_connection(self, request: Request, principal: Principal | None) -> None:
        connection: Connection | None = getattr(request.state, "connection", None)  # None: there is no network
        if connection is None:
            return
        if principal is not None:
            connection.mark_known()
        if connection.only_for_health and request.url.path not in HEALTH:
            raise Unavailable("all connections are in use now", retry_after_s=5)

    def _principal(self, request: Request, bearer: str | None, session: Session | None) -> Principal | None:
        if bearer is not None:
            return self._admission.admit(client_of(request), bearer)
        return session.principal if session else None


def _bounded(receive: Receive, most: int) -> Receive:
    """Refuse a body of more than `most` bytes, whatever its content-length says.

    Raises the framework's own exception, which it lets through while it reads a body; the framework's own limit would
    respond without our problem document and headers.
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


async def _buffered(receive: Receive, most: int) -> Receive:
    """Read the whole request, so that the application does not wait for a slow client.

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
    """Return the client's address, as trusted proxies forward it."""
    return str(request.state.client)


def _require_storable(request: Request) -> None:
    """Refuse a URL with control characters: no route has one, and PostgreSQL refuses NUL in parameters."""
    address = unquote_plus(f"{request.url.path}?{request.url.query}")
    try:
        storable(address)
    except ValueError as error:
        raise BadParameter("address", address[:200], str(error)) from error


def _bearer(request: Request) -> str | None:
    """Return the bearer token; "" (no caller's token) for any other Authorization; None without one."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _from_this_site(request: Request) -> bool:
    """Whether the browser's headers say the form is of this site; without them the form token alone decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
