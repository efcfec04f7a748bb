"""Templates to responses: one Jinja environment, autoescaped, strict about what it does not know."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

import dashboards
from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.console import wording
from ingest.api.console.wording import Language
from ingest.api.errors import NotSignedIn, NotThere, Problem
from ingest.api.ports import Ports
from ingest.api.sessions import Session
from ingest.api.texts import CONFIDENCE, EVENTS, KINDS, STATES, TEXTS, UNJUDGED
from ingest.model.plant import Text

HOME: Final = Path(str(dashboards.__file__)).parent / "console"
LANGUAGE_COOKIE: Final = "lang"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}  # not asked of the system


class Renderer:
    """Fills templates for a request: its language, its caller, its form token."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._assets = {p.name: (p.read_bytes(), _TYPES[p.suffix]) for p in (HOME / "static").iterdir()}
        self._versions = {name: hashlib.sha256(body).hexdigest()[:12] for name, (body, _) in self._assets.items()}
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HOME / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=lambda name: f"/static/{name}?v={self._versions[name]}",
            clock=wording.clock,
            number=wording.number,
            limit=wording.limit,
            decimals=wording.decimals,
            states=STATES,
            events=EVENTS,
            kinds=KINDS,
            confidences=CONFIDENCE,
            reasons=UNJUDGED,
        )

    def asset(self, name: str) -> Response:
        """Return a file of the console; its address changes with its content, so it may be kept for long."""
        if name not in self._assets:
            raise NotThere(f"{name!r} is no file of the console")
        body, kind = self._assets[name]
        return Response(body, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"})

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a template filled in."""
        lang = language(request)
        principal: Principal | None = getattr(request.state, "principal", None)
        session: Session | None = getattr(request.state, "session", None)
        now = self._ports.now()

        def say(text: Text) -> str:
            return text.zh if lang == "zh" else text.en

        html = self._environment.get_template(template).render(
            **values,
            lang=lang,
            t=lambda key: say(TEXTS[key]),
            say=say,
            ago=lambda since: wording.age(since, now, lang),
            unjudged=lambda text: wording.unjudged(text, lang),
            path=request.url.path,
            here=here(request),
            caller=principal,
            csrf=session.csrf if session else "",
        )
        return HTMLResponse(html, status)

    def refusal(self, request: Request, problem: Problem) -> HTMLResponse:
        """Return the page of a problem: the sign-in page for strangers, else what went wrong."""
        if isinstance(problem, NotSignedIn):
            answer = self.signin(request, status=401, onward=here(request) if request.method == "GET" else "/")
        else:
            key = f"error.{problem.status}"
            answer = self.page(
                request,
                "error.html",
                status=problem.status,
                what=TEXTS.get(key, TEXTS["error.other"]),
                detail=problem.detail,
            )
        answer.headers.update(problem.headers)
        return answer

    def signin(
        self, request: Request, *, status: int = 200, onward: str = "/", wrong: str | None = None
    ) -> HTMLResponse:
        """Return the sign-in page; `onward` is where to go afterwards, `wrong` what went wrong before."""
        return self.page(request, "signin.html", status=status, onward=onward, wrong=wrong)


def language(request: Request) -> Language:
    """Return the language the caller chose; Chinese if none."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"


def here(request: Request) -> str:
    """Return the request's own path and query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def plant_names(ports: Ports, caller: Principal) -> dict[str, Text]:
    """Return the names of the plants in scope by id."""
    return {plant.id: plant.name for plant in reach.plants(ports, caller)}
