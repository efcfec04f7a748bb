"""The stand-in answers as a real InfluxDB 2.9.1 was seen to: it is what the stores are tested against."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ingest.storage.history.influx_2 import Influx2, Token, Wording, influx_2_on
from tests.servers import HTTP, influxd

HOUR = 3_600 * 10**9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx2]:
    """One server for all of these; it has a bucket that keeps an hour."""
    with influxd(tmp_path_factory.mktemp("influx")) as behind, influx_2_on(behind) as server:
        server.make("hour", 3_600)
        server.tokens |= {
            "revoked": Token(active=False),
            "reader": Token(frozenset({("read", "hour")})),
        }
        server.readers["grafana"] = "p"
        yield server


def write(server: Influx2, lines: str | bytes, **other: str) -> tuple[int, str | None, str]:
    """What a write is answered: status, code and message."""
    token = other.pop("token", "a token")
    answer = HTTP.post(
        f"{server.url}/api/v2/write",
        params={"org": "yujing", "bucket": "hour"} | other,
        content=lines,
        headers={"Authorization": f"Token {token}"} | ({"Content-Encoding": "gzip"} if "gzip" in other else {}),
    )
    body: dict[str, Any] = answer.json() if answer.content else {}
    return answer.status_code, body.get("code"), body.get("message", "")


def stored(server: Influx2, measurement: str) -> int:
    params = {"db": "hour", "q": f"SELECT count(v) FROM {measurement}"}  # noqa: S608  a name of ours
    headers = {"Authorization": "Token a token"}
    answer = HTTP.get(f"{server.url}/query", params=params, headers=headers).json()
    return sum(int(series["values"][0][1]) for series in answer["results"][0].get("series", ()))


def test_good_lines_are_taken(server: Influx2) -> None:
    now = time.time_ns()
    assert write(server, f'g,a=b v=1 {now}\ng v=1e308,s="a b\\"c",i=3i,t=true {now}\ng v=3') == (204, None, "")
    assert write(server, "")[0] == 204
    assert write(server, gzip.compress(b"g v=1"), gzip="1")[0] == 204
    assert write(server, "g v=1 4070908800", precision="s")[0] == 204, "a time in 2099"
    assert write(server, b"g,a=\xff\xfe v=1")[0] == 204, "a tag that is not UTF-8"


def test_a_conflict_of_types_is_reported_and_all_else_stored(server: Influx2) -> None:
    now = time.time_ns()
    write(server, f"c v=1 {now}")
    lines = "\n".join([*(f"c v={at} {now + at}" for at in range(1, 4)), f'c v="x" {now + 5}', f'c v="x" {now + 6}'])
    assert write(server, lines) == (
        422,
        "unprocessable entity",
        (
            'failure writing points to database: partial write: field type conflict: input field "v" on measurement "c"'
            " is type string, already exists as type float dropped=2"
        ),
    )
    assert stored(server, "c") == 4


@pytest.mark.parametrize(
    ("wording", "begin", "end"),
    [
        ("2.9", "dropped 2 points outside retention policy of duration 1h0m0s - oldest point e,a=b at ", "Z"),
        ("2.7.12", "dropped 2 points outside retention policy of duration 1h0m0s - oldest point e,a=b", "dropped=2"),
        ("2.7", "points beyond retention policy dropped=2", "dropped=2"),
    ],
)
def test_points_older_than_the_retention_are_reported_and_all_else_stored(
    server: Influx2, wording: Wording, begin: str, end: str
) -> None:
    now = time.time_ns()
    server.wording = wording
    before = stored(server, "e")
    status, code, message = write(server, f"e,a=b v=1 {now - 3 * HOUR}\ne,a=b v=1 {now - 2 * HOUR}\ne v=1 {now}")
    server.wording = "2.9"
    assert (status, code) == (422, "unprocessable entity")
    assert message.startswith(f"failure writing points to database: partial write: {begin}")
    assert message.removesuffix(" for database: 9f282d63c7d3a5c0").endswith(end)
    assert ("violates a Retention Policy Lower Bound at" in message) is (wording != "2.7")
    assert stored(server, "e") == before + 1


def test_one_line_that_cannot_be_parsed_has_none_stored(server: Influx2) -> None:
    now = time.time_ns()
    good = f"u v=1 {now}"
    for bad, why in (
        (f"u,a=b v= {now}", "missing field value"),
        (f"u v=inf {now}", "invalid field format"),
        ("u v=1 10000000000000000000", "time outside range"),
        (f"u,a={'x' * 70_000} v=1 {now}", "max key size exceeded: 70004 > 65535"),
    ):
        status, code, message = write(server, f"{good}\n{bad}")
        assert (status, code) == (400, "invalid")
        assert message.startswith(f"unable to parse '{bad}': {why}")
    assert stored(server, "u") == 0


def test_a_refused_user_gets_the_reason(server: Influx2) -> None:
    for other, expected in (
        ({"bucket": "nix"}, (404, "not found", 'bucket "nix" not found')),
        ({"org": "nix"}, (404, "not found", 'organization name "nix" not found')),
        ({"token": "wrong"}, (401, "unauthorized", "unauthorized access")),
        ({"token": "grafana:p"}, (401, "unauthorized", "unauthorized access")),
        ({"token": "revoked"}, (403, "forbidden", "insufficient permissions for write: token is inactive")),
        ({"token": "reader"}, (403, "forbidden", "insufficient permissions for write")),
    ):
        assert write(server, "w v=1", **other) == expected
    broken = (500, "internal error", "An internal error has occurred - check server logs")
    assert write(server, b"w v=1", gzip="1") == broken


def ask(server: Influx2, query: str, *, token: str | None = "a token", **params: str) -> tuple[int, Any]:  # noqa: S107
    answer = HTTP.get(
        f"{server.url}/query",
        params={"db": "hour", "q": query} | params,
        headers={"Authorization": f"Token {token}"} if token else {},
    )
    return answer.status_code, answer.json()


def test_influxql_is_answered_for_tokens_and_readers(server: Influx2) -> None:
    status, two = ask(server, "SELECT v FROM nix; SELECT v FROM nix")
    assert (status, two) == (200, {"results": [{"statement_id": 0}, {"statement_id": 1}]})
    assert ask(server, "SELECT v FROM nix", token=None, u="grafana", p="p")[0] == 200
    assert ask(server, "SELECT 1", db="nix")[1]["results"][0]["error"] == "database not found: nix"
    assert ask(server, "SELECT 1", token=None) == (401, {"code": "unauthorized", "message": "unauthorized access"})
    assert ask(server, "SELECT 1", token=None, u="grafana", p="no")[1]["message"] == "Unauthorized"
    status, fault = ask(server, "selec 1")
    assert (status, fault["code"]) == (400, "invalid")
    assert fault["message"].startswith("failed to parse query: found selec, expected SELECT, DELETE,")
    assert ask(server, "CREATE DATABASE x")[1]["results"][0]["error"] == "not implemented: CREATE DATABASE"
