"""Renders templates to responses: one Jinja environment, autoescaped, with undefined names as errors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

import dashboards
from ingest.domain.cases.days import day_of
from ingest.domain.cases.labels import label
from ingest.domain.cases.step_tables import COLUMNS
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.errors import BadParameter, Conflict, NotFound, NotSignedIn, Problem
from ingest.services.ports import Ports
from ingest.web.console import event_texts, navigation, wording
from ingest.web.console.conflict_records import SUBJECT_PAGES, page_before, records
from ingest.web.console.wording import Language
from ingest.web.sessions import Session
from ingest.web.texts import (
    ACT_KINDS,
    CONFIDENCE,
    DEVICE_STATUSES,
    EVENTS,
    KINDS,
    NOT_EVALUATED,
    ROLES,
    STATES,
    SUPPRESSION_ENDS,
    SUPPRESSION_KINDS,
    SUPPRESSION_STATES,
    TEXTS,
    VERDICTS,
    WARNING_ASKED,
    WARNING_EVENTS,
    WARNING_STATES,
    WORDS,
)
from ingest.web.texts.problems import problem_in_chinese
from ingest.web.texts.quarantine import REASONS, in_chinese
from ingest.web.texts.sources import source_in_chinese

FRAGMENTS: Final = frozenset({"table", "head", "body", "actions"})
"""Last part of the path of fragments that the page's script reloads."""

HOME: Final = Path(str(dashboards.__file__)).parent / "console"
LANGUAGE_COOKIE: Final = "lang"
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}  # systems differ


class Renderer:
    """Renders templates for a request: in its language, for its caller, with its form token."""

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
            zip=zip,
            asset=lambda name: f"/static/{name}?v={self._versions[name]}",
            clock=wording.clock,
            by_sentence=wording.by_sentence,
            number=wording.number,
            limit=wording.limit,
            decimals=wording.decimals,
            states=STATES,
            events=EVENTS,
            kinds=KINDS,
            confidences=CONFIDENCE,
            reasons=NOT_EVALUATED,
            words=WORDS,
            roles=ROLES,
            suppression_ends=SUPPRESSION_ENDS,
            verdicts=VERDICTS,
            suppression_kinds=SUPPRESSION_KINDS,
            device_statuses=DEVICE_STATUSES,
            suppression_states=SUPPRESSION_STATES,
            acts_on=ACT_KINDS,
            subject_pages=SUBJECT_PAGES,
            colours={str(colour): colour.text for colour in Colour},
            label=label,
            columns=COLUMNS,
            warning_states=WARNING_STATES,
            warning_asked=WARNING_ASKED,
            warning_events=WARNING_EVENTS,
            places=navigation.PLACES,
            more_places=navigation.MORE,
            of_the_plant=navigation.OF_THE_PLANT,
            of_the_admin=navigation.OF_THE_ADMIN,
        )

    def asset(self, name: str) -> Response:
        """Return a static file; its URL changes with its content, so that it may be cached for long."""
        if name not in self._assets:
            raise NotFound(f"{name!r} is no file of the console")
        body, kind = self._assets[name]
        return Response(body, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"})

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a template."""
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
            left=lambda until: wording.left(until, now, lang),
            details_of=lambda detail: event_texts.detail_texts(detail, lang),
            action_of=lambda kind, word: event_texts.action(kind, word, lang),
            cause_of=lambda code: event_texts.cause(code, lang),
            condition=lambda rule: wording.condition(
                rule.gate, self._ports.live.configuration().find(rule.plant, rule.gate.point), lang
            ),
            phase_of=lambda plant, equipment: self._ports.live.view().phase(plant, equipment),
            refused_for=lambda reason: say(REASONS.get(reason, Text(reason, reason))),
            refused_with=in_chinese if lang == "zh" else str,
            source_of=source_in_chinese if lang == "zh" else str,
            place=navigation.current_place(request.url.path),
            now=now,
            today=day_of(now),
            not_evaluated=lambda rule: wording.not_evaluated(rule, lang),
            path=request.url.path,
            here=here(request),
            back=_full_page(request),
            me=principal,
            not_judging=principal is not None and self._ports.live.not_judging() is not None,
            csrf=session.csrf if session else "",
        )
        return HTMLResponse(html, status)

    def refusal(self, request: Request, problem: Problem) -> HTMLResponse:
        """Render the page of a problem: the sign-in page for unknown callers, else the error."""
        if isinstance(problem, NotSignedIn):
            posted = request.method == "POST" and request.url.path != "/signout"
            onward = here(request) if request.method == "GET" else _referring_page(request) or "/"
            answer = self.signin(request, status=401, onward=onward, undone=posted)
        else:
            key = f"error.{problem.status}"
            translated = problem_in_chinese(problem.detail or "") if language(request) == "zh" else None
            detail = translated or problem.detail
            look_at = records(request.url.path, problem)
            before = _referring_page(request) or page_before(request, problem)
            answer = self.page(
                request,
                "error.html",
                status=problem.status,
                what=TEXTS.get(key, TEXTS["error.other"]),
                detail=detail,
                translated=detail != problem.detail,
                changed=problem.localized,
                fields=[
                    event_texts.refused_field(wrong_field, language(request)) for wrong_field in _wrong_fields(problem)
                ],
                unsaved=event_texts.sentences(_unsaved(request, problem), language(request)),
                look_at=look_at,
                before=before if before and urlsplit(before).path not in {page for _, page in look_at} else None,
                form=request.method == "POST",
                **({} if isinstance(problem, Conflict) and problem.done else {"refused": True}),
            )
        answer.headers.update(problem.headers)
        return answer

    def signin(
        self, request: Request, *, status: int = 200, onward: str = "/", wrong: str | None = None, undone: bool = False
    ) -> HTMLResponse:
        """Render the sign-in page.

        Args:
            request: the request it answers.
            status: of the response.
            onward: where to go afterwards.
            wrong: the error of the previous attempt.
            undone: a form was sent after its session had ended: it was not carried out, and the page says so.
        """
        return self.page(request, "signin.html", status=status, onward=onward, wrong=wrong, undone=undone, refused=True)


def _wrong_fields(problem: Problem) -> list[dict[str, Any]]:
    """Return the fields that a problem is about, each with its value and what was expected."""
    return list(problem.errors) if isinstance(problem, BadParameter) else []


def _unsaved(request: Request, problem: Problem) -> Mapping[str, object]:
    """Return the content of a refused form; nothing where it was stored, or may have been."""
    if problem.status >= 500 or (isinstance(problem, Conflict) and problem.now.get("comment_kept")):
        return {}
    form: Mapping[str, object] = getattr(request.state, "form", {})
    return form


def _referring_page(request: Request) -> str | None:
    """Return the page of this site that the form was on, if the browser sends it."""
    referrer = urlsplit(request.headers.get("referer", ""))
    if referrer.netloc != request.url.netloc or referrer.path[:1] != "/" or referrer.path[1:2] in {"/", "\\"}:
        return None
    return referrer.path + (f"?{referrer.query}" if referrer.query else "")


def language(request: Request) -> Language:
    """Return the language the caller chose; Chinese if none."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"


def here(request: Request) -> str:
    """Return the request's own path and query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _full_page(request: Request) -> str:
    """Return the page that a requested fragment belongs to: where its forms lead back to."""
    path, _, part = request.url.path.rpartition("/")
    page = path if part in FRAGMENTS else request.url.path
    return page + (f"?{request.url.query}" if request.url.query else "")


def plant_names(ports: Ports, caller: Principal) -> dict[str, Text]:
    """Return the names of the plants in scope by id."""
    return {plant.id: plant.name for plant in caller_scope.plants(ports, caller)}
