"""Links to the records behind a refused decision, whose state changed after the caller had opened the page."""

from __future__ import annotations

import re
from typing import Final

from fastapi import Request

from ingest.domain.model.audit import ActKind
from ingest.domain.model.text import Text
from ingest.services.errors import Conflict, Problem
from ingest.web.console.navigation import site_path
from ingest.web.texts import ACT_KINDS

SUBJECT_PAGES: Final[dict[ActKind, str]] = {
    "alarm": "/alarms/",
    "warning": "/warnings/",
    "call": "/calls/",
    "hazard": "/hazards/",
    "lead": "/leads/",
    "bypass": "/bypasses/",
    "inspection": "/inspections/",
    "enterprise": "/enterprises/",
    "work": "/works/",
    "cleaning": "/cleaning/",
    "pledge": "/pledges/",
    "instrument": "/instruments/",
}
"""Paths of the pages of the audit trail's subjects."""

_FORM: Final = re.compile(r"(/\w+/)([^/]+)/[\w-]+")
_MOST: Final = 10
"""Most records linked."""


def records(path: str, problem: Problem) -> list[tuple[Text, str]]:
    """Return the name and page of each record to check before deciding again; only after a conflict (409).

    These are the records that the refusal names; if it names none, the one whose form was sent to `path`.
    """
    if not isinstance(problem, Conflict):
        return []
    kinds: tuple[ActKind, ...] = ("alarm", "warning")
    named = [(kind, str(problem.now[kind])) for kind in kinds if kind in problem.now]
    named += [("alarm", str(key)) for key in problem.now.get("alarms", ())][:_MOST]
    form = _FORM.fullmatch(path)
    if not named and form is not None:
        named = [(kind, form[2]) for kind, at in SUBJECT_PAGES.items() if at == form[1]]
    many = len(named) > 1
    return [
        (_numbered(ACT_KINDS[kind], place) if many else ACT_KINDS[kind], SUBJECT_PAGES[kind] + key)
        for place, (kind, key) in enumerate(named, 1)
    ]


def page_before(request: Request, problem: Problem) -> str | None:
    """Return the page that a refused form would have led to; stands in where the browser sends no referrer."""
    form = getattr(request.state, "form", {})
    onward = form.get("onward") if isinstance(problem, Conflict) else None
    return site_path(onward) if isinstance(onward, str) and site_path(onward) == onward else None


def _numbered(what: Text, place: int) -> Text:
    return Text(f"{what.zh} {place}", f"{what.en} {place}")
