"""The management API of the InfluxDB 2 stand-in: organisation, buckets, mappings, tokens, users of 1.x."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from tests.ingest.storage.history.stand_in import Answer, Asked

if TYPE_CHECKING:
    from tests.ingest.storage.history.influx_2 import Influx2

ORG: Final = "0a0a0a0a0a0a0a0a"

_LISTS: Final = {  # path -> what its list is called
    "/api/v2/buckets": "buckets",
    "/api/v2/dbrps": "content",
    "/api/v2/authorizations": "authorizations",
    "/private/legacy/authorizations": "authorizations",
    "/api/v2/tasks": "tasks",
}
_NAME: Final = re.compile(r'option task = \{name: "([^"]*)"')
_ITEM: Final = re.compile(r"(/.*)/([0-9a-f]{16})(/password)?")


def manage(server: Influx2, request: Asked) -> Answer:
    """What a request for anything but readings is answered; only an operator is."""
    if request.method != "GET":
        server.changes += 1
    if request.path == "/api/v2/setup":
        return _set_up(server, request)
    token = server.tokens.get(request.headers.get("Authorization", "").removeprefix("Token "))
    if token is None or token.rights is not None:
        return _json(401, {"code": "unauthorized", "message": "unauthorized access"})
    if request.path == "/api/v2/orgs":
        return _json(200, {"orgs": [{"id": ORG, "name": server.org}]})
    if request.path in _LISTS:
        return _list(server, request) if request.method == "GET" else _make(server, request)
    if (found := _ITEM.fullmatch(request.path)) is not None:
        return _change(server, request, found[2])
    return _json(404, {"code": "not found", "message": "path not found"})


def _set_up(server: Influx2, request: Asked) -> Answer:
    if request.method == "GET":
        return _json(200, {"allowed": server.fresh})
    if not server.fresh:
        return _json(422, {"code": "conflict", "message": "onboarding has already been completed"})
    requested = json.loads(request.body)
    server.fresh, server.org = False, requested["org"]
    _operator(server, requested["token"])
    _bucket(server, requested["bucket"], requested.get("retentionPeriodSeconds", 0))
    return _json(201, {"auth": {"token": requested["token"], "id": _next(server)}})


def _list(server: Influx2, request: Asked) -> Answer:
    """Of what is asked by name or database; a token cannot be read again."""
    buckets = [_bucket_of(server, name) for name in server.buckets]
    of_path = {
        "/api/v2/buckets": buckets,
        "/api/v2/dbrps": [*_managed(server, request.path), *map(_virtual, buckets)],
    }
    found = of_path.get(request.path) or _managed(server, request.path)
    for key, field in (("name", "name"), ("db", "database")):
        if key in request.query:
            found = [record for record in found if record[field] == request.query[key]]
    if request.path == "/api/v2/authorizations":
        found = [record | {"token": ""} for record in found]
    return _json(200, {_LISTS[request.path]: [_shown(record) for record in found]})


def _make(server: Influx2, request: Asked) -> Answer:
    requested = json.loads(request.body)
    if request.path == "/api/v2/buckets":
        name = requested["name"]
        _bucket(server, name, next((rule["everySeconds"] for rule in requested["retentionRules"]), 0))
        return _json(201, _bucket_of(server, name))
    made = requested | {"id": _next(server), "path": request.path}
    server.kept[made["id"]] = made
    if request.path == "/api/v2/dbrps":
        _map(server, made)
    elif request.path == "/api/v2/tasks":
        made |= {"name": _NAME.findall(made["flux"])[0], "status": "active"}
    elif request.path == "/api/v2/authorizations":
        made["token"] = f"token-{made['id']}"
        _grant(server, made)
    return _json(201, _shown(made))


def _change(server: Influx2, request: Asked, number: str) -> Answer:
    requested = json.loads(request.body) if request.body else {}
    if request.path.startswith("/api/v2/buckets"):
        name = next(name for name in server.buckets if _bucket_of(server, name)["id"] == number)
        server.set_retention(name, requested["retentionRules"][0]["everySeconds"])
        return _json(200, _bucket_of(server, name))
    record = server.kept[number]
    if request.method == "PATCH":
        record |= requested
        return _json(200, _shown(record))
    if request.path.endswith("/password"):
        server.readers[record["token"]] = requested["password"]
    elif request.method == "DELETE":
        del server.kept[number], server.tokens[record["token"]]
    return Answer(204)


def _map(server: Influx2, made: dict[str, Any]) -> None:
    """A bucket that is to be asked as a policy of another's database is one there."""
    name = next(name for name in server.buckets if _bucket_of(server, name)["id"] == made["bucketID"])
    server.mapped.add(made["database"])
    if made["retention_policy"] != "autogen":
        server.move(name, made["database"], made["retention_policy"])


def _grant(server: Influx2, made: dict[str, Any]) -> None:
    from tests.ingest.storage.history.influx_2 import Token  # noqa: PLC0415  each needs the other

    names = {_bucket_of(server, name)["id"]: name for name in server.buckets}
    rights = {(permission["action"], names[permission["resource"]["id"]]) for permission in made["permissions"]}
    server.tokens[made["token"]] = Token(frozenset(rights))


def _operator(server: Influx2, token: str) -> None:
    from tests.ingest.storage.history.influx_2 import Token  # noqa: PLC0415

    server.tokens[token] = Token()


def _bucket(server: Influx2, name: str, retention_s: int) -> None:
    server.make_unmapped(name, retention_s)


def _bucket_of(server: Influx2, name: str) -> dict[str, Any]:
    seconds = server.buckets[name]
    rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
    number = f"{list(server.buckets).index(name):016x}"
    return {"id": number, "orgID": ORG, "name": name, "type": "user", "retentionRules": rules}


def _virtual(bucket: dict[str, Any]) -> dict[str, Any]:
    """The mapping that a server shows of a bucket, whether or not one was made."""
    names = {"database": bucket["name"], "retention_policy": "autogen"}
    return names | {"id": bucket["id"], "orgID": ORG, "bucketID": bucket["id"], "default": True, "virtual": True}


def _managed(server: Influx2, path: str) -> list[dict[str, Any]]:
    return [record for record in server.kept.values() if record["path"] == path]


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "path"}


def _next(server: Influx2) -> str:
    return f"{len(server.asked):016x}"


def _json(status: int, content: dict[str, Any] | Iterable[Any]) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})
