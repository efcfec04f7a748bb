"""Builds the API and console: routes, guard, and handlers that turn every error into a problem document."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ingest.base import build
from ingest.domain.cases.errors import CaseError
from ingest.domain.model.fault import Refuse, refuse_all
from ingest.plants.saved_files import SavedFiles
from ingest.services.access import TokenStore
from ingest.services.cases.records import problem_of
from ingest.services.config import ApiConfig
from ingest.services.errors import BadParameter, NotAllowed, NotFound, Problem, TooLarge, Unavailable
from ingest.services.ports import Ports
from ingest.storage.state.errors import StateInDoubt, StateUnavailable
from ingest.web.access_audit import AccessAudit
from ingest.web.admission import Admission
from ingest.web.console.forms import forms_router
from ingest.web.console.pages import include_pages
from ingest.web.console.rendering import Renderer
from ingest.web.console.uploads import PATHS, most_bytes
from ingest.web.document import allowed_methods, complete_document
from ingest.web.exports import Exports
from ingest.web.guard import Guard
from ingest.web.inputs import MULTIPART
from ingest.web.proxies import Proxies
from ingest.web.rest.alarm_metrics import alarm_metrics_router
from ingest.web.rest.alarms import alarms_router
from ingest.web.rest.audit import audit_router
from ingest.web.rest.bypasses import bypasses_router
from ingest.web.rest.calls import call_reports_router, calls_router
from ingest.web.rest.cleanings import cleanings_router
from ingest.web.rest.dispositions import dispositions_router
from ingest.web.rest.duty import duty_router
from ingest.web.rest.enterprises import enterprises_router, self_inspections_router
from ingest.web.rest.evidence import evidence_router
from ingest.web.rest.hazards import hazards_router
from ingest.web.rest.inspections import inspections_router, leads_router
from ingest.web.rest.instruments import instruments_router
from ingest.web.rest.lists import lists_router
from ingest.web.rest.notices import notices_router
from ingest.web.rest.outbox import outbox_router
from ingest.web.rest.phases import phases_router
from ingest.web.rest.plants import plants_router
from ingest.web.rest.pledges import pledges_router
from ingest.web.rest.service import probes_router, serve_document, service_router
from ingest.web.rest.stream import stream_router
from ingest.web.rest.suppressions import suppressions_router
from ingest.web.rest.warnings import risk_router, warnings_router
from ingest.web.rest.works import works_router
from ingest.web.routers import add_routes
from ingest.web.session_store import SessionStore
from ingest.web.sessions import Sessions
from ingest.web.texts.field_errors import expected_text
from ingest.web.texts.problems import problem_in_chinese

CASES = (
    dispositions_router,
    evidence_router,
    hazards_router,
    leads_router,
    bypasses_router,
    inspections_router,
    enterprises_router,
    self_inspections_router,
    works_router,
    cleanings_router,
    pledges_router,
    instruments_router,
    notices_router,
    call_reports_router,
    calls_router,
    duty_router,
    outbox_router,
)
MACHINE_PATHS = ("/api/", "/health/", "/metrics")


def build_api(
    ports: Ports,
    config: ApiConfig,
    *,
    closing: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    refused: Refuse = refuse_all,
    kept: SavedFiles | None = None,
) -> FastAPI:
    """Return the API and console as one ASGI application.

    Args:
        ports: the parts of the service it calls.
        config: its settings; every token's secret is read here.
        closing: turns true when the server wants to stop; streams then end.
        clock: monotonic seconds, for sessions and the limit of sign-in attempts.
        refused: receives the faults of tokens that cannot be used.
        kept: files that keep sessions over a restart; None: they end with the process.

    Raises:
        InvalidConfig: a token's secret is missing, too short or given twice, by `refuse_all`.
    """
    tokens = TokenStore(config.tokens, refused)
    admission = Admission(tokens, clock)
    file_bytes = ports.cases.config.max_evidence_bytes + MULTIPART
    sessions = Sessions(clock, SessionStore(kept, tokens, ports.now) if kept else None)
    secure = config.secure_cookies or config.tls
    access_audit = AccessAudit(ports.record, ports.now, clock)
    render = Renderer(ports)
    exports = Exports(ports)

    def refuse(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(MACHINE_PATHS):
            headers = problem.headers
            return JSONResponse(
                problem_document(problem), problem.status, headers, media_type="application/problem+json"
            )
        return render.refusal(request, problem)

    app = FastAPI(
        title="yujing 预警",
        version=build.version(),
        summary="Plants, points, readings and alarms of safety monitoring",
        docs_url=None,  # the documentation pages load a script from elsewhere
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redirect_slashes=False,
    )

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return refuse(request, error)

    @app.exception_handler(StateUnavailable)
    async def away(request: Request, error: StateUnavailable) -> Response:
        doubt = "; what was to be written may be kept, look before you repeat it"
        detail = "the state database does not answer"
        return refuse(request, Unavailable(detail + doubt if isinstance(error, StateInDoubt) else detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return refuse(request, wrong_parameters(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        problem = problem_of_http(error)
        if problem.status == 405:
            problem.headers = {"allow": methods(request.url.path)}  # the framework's names one route's alone
        return refuse(request, problem)

    @app.exception_handler(CaseError)
    async def case(request: Request, error: CaseError) -> Response:
        return refuse(request, problem_of(error))

    app.add_middleware(
        Guard,
        admission=admission,
        proxies=Proxies(config.trusted_proxies),
        access_audit=access_audit,
        secure=secure,
        sessions=sessions,
        refuse=refuse,
        max_body_bytes=config.max_body_bytes,
        uploads={"/api/v1/evidence": file_bytes, **dict.fromkeys(PATHS, most_bytes(file_bytes))},
    )
    add_routes(
        app,
        plants_router(ports),
        phases_router(ports),
        stream_router(ports, sessions, config, closing),  # before /alarms/{alarm} and /warnings/{warning}
        alarm_metrics_router(ports),  # before /alarms/{alarm}, too
        alarms_router(ports),
        warnings_router(ports),
        risk_router(ports),
        suppressions_router(ports),
        audit_router(ports),
        service_router(ports),
        *(router(ports) for router in CASES),
        lists_router(exports),
        probes_router(ports),
    )
    serve_document(app)
    complete_document(app)
    add_routes(app, forms_router(render, admission, sessions, access_audit, secure=secure))
    include_pages(app, ports, exports, render)
    methods = allowed_methods(app)
    return app


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return the problem document, with its detail in both languages where it is known, and what was expected."""
    body = problem.body()
    zh = problem_in_chinese(problem.detail or "")
    if isinstance(problem, BadParameter):
        body["errors"] = errors = [_with_message(error) for error in problem.errors]
        first = errors[0]
        zh = f"{first['parameter']} = {first['value']!r}：应为：{first['message']['zh']}"
    return {**body, "message": {"zh": zh, "en": problem.detail}} if zh else body


def _with_message(error: Mapping[str, Any]) -> dict[str, Any]:
    text = expected_text(str(error["expected"]))
    return {**error, "message": {"zh": text.zh, "en": text.en}}


def wrong_parameters(error: RequestValidationError) -> BadParameter:
    """Return FastAPI's validation error as a problem: the first parameter in the detail, all of them in `errors`."""
    problems = []
    for item in error.errors():
        no_json = item["type"] == "json_invalid"  # its place is a position in the text
        name = "body" if no_json else ".".join(str(part) for part in item["loc"][1:]) or "body"
        expected = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
        if expected.startswith("Expected UploadFile"):  # FastAPI's own words
            expected = "a file"
        missing = item["type"] == "missing"
        value = None if missing or name == "token" else _shown(error.body if no_json else item.get("input"))
        problems.append(BadParameter(name, value, "a value" if missing else expected))
    first = problems[0]
    first.errors = [error for problem in problems for error in problem.errors]
    return first


def problem_of_http(error: HTTPException) -> Problem:
    """Return the framework's own refusal as a problem."""
    if error.status_code == 404:
        return NotFound("no such address")
    if error.status_code == 405:
        problem: Problem = NotAllowed("this address does not take that method", headers=error.headers)
        problem.status, problem.title = 405, "Method not allowed"
        return problem
    if error.status_code == 413:
        return TooLarge()
    problem = Problem(str(error.detail), headers=error.headers)
    problem.status, problem.title = error.status_code, "Cannot be done"
    return problem


def _shown(value: object) -> object:
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value  # JSON knows no other numbers
    return str(value)[:200].encode("utf-8", "backslashreplace").decode()  # it may hold surrogates
