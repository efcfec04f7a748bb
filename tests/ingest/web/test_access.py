"""Nothing is readable or doable without a token that allows it: every route, every kind of caller."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from ingest.base.config import Secret
from ingest.domain.cases.ledger_steps import LedgerStep
from ingest.domain.model.fault import InvalidConfig
from ingest.services.access import TokenStore
from ingest.services.config import ApiConfig, TokenConfig
from ingest.web.app import build_api
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

OPEN = {"/signin", "/language", "/health/live", "/health/ready", "/static/{name}"}
OF_THE_PLANT = {
    "/api/v1/alarms/{alarm}/acknowledge",
    "/api/v1/alarms/{alarm}/reset",
    "/api/v1/alarms/{alarm}/assign",
    "/api/v1/suppressions",
    "/api/v1/suppressions/{suppression}/end",
    "/alarms/{alarm}/acknowledge",
    "/api/v1/dispositions",
    "/api/v1/hazards/{hazard}/rectify",
    "/api/v1/hazards/{hazard}/submit",
    "/api/v1/enterprises/{plant}",
    "/api/v1/self-inspections",
    *(f"/alarms/{{alarm}}/{step}" for step in ("reset", "assign", "shelve", "suppress", "out-of-service")),
    "/suppressions/{suppression}/end",
    "/dispositions",
    "/hazards/{hazard}/rectify",
    "/hazards/submit",
    "/enterprises/{plant}/note",
    "/self-inspections",
    *(f"/api/v1/instruments/{{instrument}}/{step}" for step in LedgerStep),
    *(f"/instruments/{step}" for step in LedgerStep),
    *(f"/api/v1/works{step}" for step in ("", "/{work}/begin", "/{work}/finish", "/{work}/cancel")),
    *("/works", "/works/finish", "/works/{work}/begin", "/works/{work}/cancel", "/cleaning", "/api/v1/cleanings"),
    *(f"{at}{step}" for at in ("/pledges", "/api/v1/pledges") for step in ("", "/{pledge}/withdraw")),
    *("/bypasses", "/api/v1/bypasses", "/plants/{plant}/points/{point}/function-check"),
    *(
        f"{at}/{{bypass}}/{step}"
        for at in ("/bypasses", "/api/v1/bypasses")
        for step in ("withdraw", "extend", "restore")
    ),
}
"""Ways to change something that are for operators and admins."""

CALLS, ROSTERS = ("/calls", "/api/v1/calls"), ("/duty", "/api/v1/duty")
OF_A_CHANNEL = {"/api/v1/calls/receipts/{channel}"}
"""For a channel of that name, by a token that reaches nothing else."""

HAZARD_STEPS = ("grade", "supervise", "extend", "send-back", "close", "dismiss")
OF_THE_SUPERVISION = {
    "/api/v1/suppressions/{suppression}/approve",
    "/api/v1/suppressions/{suppression}/reject",
    *(f"/api/v1/hazards/{{hazard}}/{step}" for step in HAZARD_STEPS),
    *(f"/api/v1/leads{step}" for step in ("", "/{lead}/take", "/{lead}/close")),
    *(f"{at}/roll" for at in CALLS),
    "/api/v1/inspections",
    *(f"/api/v1/inspections/{{inspection}}/{step}" for step in ("begin", "findings", "conclude", "cancel")),
    "/api/v1/enterprises/{plant}/classification",
    "/suppressions/{suppression}/approve",
    "/suppressions/{suppression}/reject",
    *(f"/hazards/{{hazard}}/{step}" for step in HAZARD_STEPS if step != "close"),
    "/hazards/close",
    *(f"/leads{step}" for step in ("", "/{lead}/take", "/{lead}/close")),
    "/inspections",
    *(f"/inspections/{{inspection}}/{step}" for step in ("begin", "find", "cancel")),
    "/inspections/conclude",
    "/enterprises/{plant}/classify",
    *(
        f"{at}/{{bypass}}/{step}"
        for at in ("/bypasses", "/api/v1/bypasses")
        for step in ("approve", "refuse", "grant", "decline")
    ),
}
"""For inspectors and admins."""

OF_ANYBODY = {
    "/api/v1/alarms/{alarm}/comment",
    "/api/v1/evidence",
    "/api/v1/hazards",
    "/api/v1/hazards/{hazard}/register",
    "/api/v1/hazards/{hazard}/report",
    "/api/v1/warnings/{warning}/acknowledge",
    "/api/v1/warnings/{warning}/feedback",
    *(f"{at}/{{call}}/{step}" for at in CALLS for step in ("answer", "refuse", "under-way", "arrived")),
    *(f"{at}/{step}" for at in ROSTERS for step in ("sign-in", "swaps")),
    *(f"{at}/{{presence}}/{step}" for at in ROSTERS for step in ("sign-out", "hand-over")),
    "/alarms/{alarm}/comment",
    "/warnings/{warning}/acknowledge",
    "/warnings/{warning}/feedback",
    "/hazards",
    "/hazards/{hazard}/register",
    "/hazards/{hazard}/report",
    *(f"{at}/{{work}}/{step}" for at in ("/works", "/api/v1/works") for step in ("approve", "refuse")),
    *("/cleaning/{cleaning}/void", "/api/v1/cleanings/{cleaning}/void"),
    "/signin",
    "/signout",
    "/language",
}
"""For whoever is signed in."""

READ_BY_FEW = {
    "/api/v1/quarantine": {OPERATOR, ADMIN, ELSEWHERE},
    "/quarantine": {OPERATOR, ADMIN, ELSEWHERE},
    "/api/v1/audit/verify": {ADMIN},
    "/inspections/new": {INSPECTOR, ADMIN},
    "/works/new": {OPERATOR, ADMIN, ELSEWHERE},
    "/metrics": {OPERATOR, INSPECTOR, ADMIN},
}
"""What not everybody may read."""

OF_THE_ADMIN = {f"{at}/outbox{step}" for at in ("", "/api/v1") for step in ("", "/retry", "/resend", "/drop")} | {
    "/api/v1/outbox/receivers"
}
"""For admins of all plants, to read, too."""

EVERYBODY = {OPERATOR, INSPECTOR, ADMIN, ELSEWHERE}
FORMS = {"/signin": {"token": OPERATOR}, "/language": {"lang": "en"}}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    found = {
        (method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if method != "HEAD"
    }
    return sorted(found)


ROUTES = routes(build_api(StandIn().ports, ApiConfig()))


def test_the_walk_sees_the_whole_api() -> None:
    """A change of the framework cannot quietly make the walk below empty."""
    paths = {path for _, path in ROUTES}
    assert {"/metrics", "/api/v1/alarms/stream", "/plants/{plant}", "/api/v1/openapi.json"} <= paths
    assert len(ROUTES) > 30


def allowed(method: str, path: str) -> set[str]:
    """The tokens that may use a route. One that changes something must be named above."""
    if path in OF_THE_ADMIN:
        return {ADMIN}
    if method in {"GET", "HEAD"}:
        return READ_BY_FEW.get(path, EVERYBODY)
    if path in OF_THE_PLANT:
        return EVERYBODY - {INSPECTOR}
    if path in OF_A_CHANNEL:
        return set()
    if path in OF_THE_SUPERVISION:
        return {INSPECTOR, ADMIN}
    assert path in OF_ANYBODY, f"{method} {path}: say above who may"
    return EVERYBODY


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
async def test_every_route_denies_by_default(method: str, path: str, hall: StandIn, ask: Ask) -> None:
    """Whoever may not use it learns nothing; whoever may gets as far as what they sent allows."""

    async def status(token: str | None) -> tuple[int, str]:
        alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=len(hall.log))
        names = dict.fromkeys(re.findall(r"{(\w+)}", path), str(uuid4()))
        names |= {"plant": STEEL, "point": "CO-01", "alarm": str(alarm.id), "name": "console.css"}
        answer = await ask(token).request(method, path.format(**names), data=FORMS.get(path))
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer")
        return answer.status_code, answer.text

    code, text = await status(None)
    assert code < 400 if path in OPEN else code == 401
    assert STEEL not in text.replace(f"/{STEEL}", "")  # the sign-in page leads back to the address asked for
    assert (await status("wrong-token-0123456789"))[0] == 401
    may = allowed(method, path)
    for token in (OPERATOR, INSPECTOR, ADMIN, ELSEWHERE):
        code, text = await status(token)
        if token not in may:
            assert code == 403
        elif token is ELSEWHERE and ("{plant}" in path or "{alarm}" in path):
            assert code in {404, 422}
        else:
            assert code < 400 or code in {404, 409, 422}, "as far as what was sent allows"
            assert method != "GET" or code < 400 or re.search("{(?!plant|point|alarm|name)", path)
        if token is ELSEWHERE and "{plant}" not in path:
            assert STEEL not in text


async def test_an_unknown_address_says_nothing_to_strangers(ask: Ask) -> None:
    """Whether an address exists is itself worth protecting."""
    assert (await ask(None).get("/api/v1/nothing")).status_code == 401
    assert (await ask(OPERATOR).get("/api/v1/nothing")).status_code == 404


@pytest.mark.parametrize("header", ["Basic b3BlcmF0b3I6eA==", "Bearer", f"Token {OPERATOR}", "Bearer \udcff"])
async def test_anything_but_a_known_bearer_token_is_refused(header: str, ask: Ask) -> None:
    raw = header.encode("utf-8", "surrogateescape")
    answer = await ask(None).get("/api/v1/plants", headers=[(b"authorization", raw)])
    assert answer.status_code == 401


async def test_a_token_in_the_address_opens_nothing(ask: Ask) -> None:
    """Addresses end up in logs and histories."""
    assert (await ask(None).get(f"/alarms?token={OPERATOR}")).status_code == 401


def made(tmp_path: Path, *secrets: str) -> tuple[TokenConfig, ...]:
    tokens = []
    for number, secret in enumerate(secrets):
        (tmp_path / f"t{number}").write_text(secret, encoding="utf-8")
        tokens.append(TokenConfig(name=f"t{number}", role="admin", token=Secret(file=tmp_path / f"t{number}")))
    return tuple(tokens)


@pytest.mark.parametrize("secrets", [("short",), ("same-token-0123456789", "same-token-0123456789"), ("",)])
def test_a_token_that_cannot_be_used_is_named_but_never_shown(tmp_path: Path, secrets: tuple[str, ...]) -> None:
    with pytest.raises(InvalidConfig) as error:
        TokenStore(made(tmp_path, *secrets))
    assert "api.tokens.t" in str(error.value)
    assert not secrets[0] or secrets[0] not in str(error.value)


def test_token_names_must_differ(tmp_path: Path) -> None:
    token = made(tmp_path, "some-token-0123456789")[0]
    with pytest.raises(ValueError, match="a name that no other token has"):
        ApiConfig(tokens=(token, token))


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ValueError, match="tls_cert and tls_key together"):
        ApiConfig(tls_cert=Path("cert.pem"))
